/** Writes an OCI image layout folder with one image for one platform. @see OCI image specification 1.1, image-layout */
import { createHash } from 'node:crypto'
import { copyFile, link, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../../src/core/errors.ts'
import { LAYER_MEDIA_TYPE, type Layer } from './layer.ts'

const CONFIG_MEDIA_TYPE = 'application/vnd.oci.image.config.v1+json'
const MANIFEST_MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const INDEX_MEDIA_TYPE = 'application/vnd.oci.image.index.v1+json'
const CREATED = '2025-01-01T00:00:00Z'

/** How containers of the image start; the keys are those of the OCI image configuration. */
export interface RunConfig {
  readonly User?: string
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env?: readonly string[]
  readonly WorkingDir?: string
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>
  readonly StopSignal?: string
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>
}

export interface Image {
  readonly architecture: 'amd64' | 'arm64'
  readonly run: RunConfig
  /** From the lowest up. */
  readonly layers: readonly Layer[]
  /** The name in the index, which tools use when they load the folder. */
  readonly refName: string
}

export interface ImageDigests {
  /** `sha256:<hex>`; Podman's `Digest`. */
  readonly manifest: string
  /** `sha256:<hex>`; Podman's `Id`. */
  readonly config: string
}

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

/** Writes the layout to `folder`, which must not exist. Layer files are hard links where the disk allows it. */
export async function writeLayout(folder: string, image: Image): Promise<ImageDigests> {
  const blobs = join(folder, 'blobs/sha256')
  await mkdir(blobs, { recursive: true })
  for (const { path, digest } of new Set(image.layers)) {
    await linkOrCopy(path, join(blobs, hexOf(digest)))
  }
  const config = await writeJson(blobs, CONFIG_MEDIA_TYPE, {
    created: CREATED,
    architecture: image.architecture,
    os: 'linux',
    config: image.run,
    rootfs: { type: 'layers', diff_ids: image.layers.map(layer => layer.digest) },
    history: image.layers.map(() => ({ created: CREATED, created_by: 'archy test images' })),
  })
  const manifest = await writeJson(blobs, MANIFEST_MEDIA_TYPE, {
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    config,
    layers: image.layers.map(({ digest, sizeBytes }) => ({
      mediaType: LAYER_MEDIA_TYPE,
      digest,
      size: sizeBytes,
    })),
  })
  const index = {
    schemaVersion: 2,
    mediaType: INDEX_MEDIA_TYPE,
    manifests: [
      {
        ...manifest,
        platform: { architecture: image.architecture, os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': image.refName },
      },
    ],
  }
  await writeFile(join(folder, 'index.json'), JSON.stringify(index))
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  return { manifest: manifest.digest, config: config.digest }
}

async function writeJson(blobs: string, mediaType: string, value: unknown): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value), 'utf8')
  const hex = createHash('sha256').update(bytes).digest('hex')
  await writeFile(join(blobs, hex), bytes)
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error
    await copyFile(from, to)
  }
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1)
}

interface OciIndex {
  readonly manifests: readonly [{ readonly digest: string }]
}

interface OciManifest {
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string }[]
}

/** How containers of the image in `folder` start, and its layers, for another image that builds on it. */
export async function readLayout(
  folder: string,
): Promise<{ readonly run: RunConfig; readonly layers: readonly Layer[] }> {
  const pathOf = (digest: string) => join(folder, 'blobs', digest.replace(':', '/'))
  const readJson = async (path: string): Promise<unknown> =>
    JSON.parse(await readFile(path, 'utf8'))
  const index = (await readJson(join(folder, 'index.json'))) as OciIndex
  const manifest = (await readJson(pathOf(index.manifests[0].digest))) as OciManifest
  const config = (await readJson(pathOf(manifest.config.digest))) as { config: RunConfig }
  const layers = manifest.layers.map(async ({ digest }) => {
    const path = pathOf(digest)
    return { digest, path, sizeBytes: (await stat(path)).size }
  })
  return { run: config.config, layers: await Promise.all(layers) }
}
