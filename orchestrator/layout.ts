/** Assembles an OCI image layout from verified blobs, by hard links: no byte is copied on one file system. */
import { copyFile, link, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef, PlatformImage, VerifiedRelease } from '../catalog/index.ts'
import { hexOf } from '../src/core/digest.ts'
import { codeOf } from '../src/core/errors.ts'
import { asDiskFull, writeFileAtomic } from '../src/core/files.ts'
import { OrchestratorError } from './errors.ts'

const MANIFEST_MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json'

/** Makes `folder` anew; `name` is what Podman will call the image. */
export async function assembleLayout(
  folder: string,
  name: string,
  image: PlatformImage,
  blobs: VerifiedRelease['blobs'],
): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  const blobFolder = join(folder, 'blobs', 'sha256')
  await mkdir(blobFolder, { recursive: true })
  const refs = new Map(
    [image.manifest, image.config, ...image.layers].map(ref => [ref.sha256, ref]),
  )
  for (const ref of refs.values()) {
    await place(pathOf(ref, blobs), join(blobFolder, hexOf(ref.sha256)))
  }
  await writeFileAtomic(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFileAtomic(join(folder, 'index.json'), indexOf(image, name))
}

function pathOf(ref: BlobRef, blobs: VerifiedRelease['blobs']): string {
  const blob = blobs.get(ref.blake3)
  if (blob !== undefined) return blob.path
  throw new OrchestratorError('IMAGE_LOAD_FAILED', `the release lacks the blob ${ref.blake3}`)
}

async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    // Another file system, one without hard links, or a file that has too many of them.
    if (!['EXDEV', 'EPERM', 'EMLINK'].includes(codeOf(error) ?? '')) throw asDiskFull(error, to)
    try {
      await copyFile(from, to)
    } catch (copyError) {
      throw asDiskFull(copyError, to)
    }
  }
}

function indexOf(image: PlatformImage, name: string): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: MANIFEST_MEDIA_TYPE,
        digest: image.manifest.sha256,
        size: image.manifest.size,
        annotations: { 'org.opencontainers.image.ref.name': name },
      },
    ],
  })
}
