/** A verified release from an app folder (author's manifest and OCI layouts), through the real store and catalog. */

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AppManifest,
  type BlobRef,
  type PlatformImage,
  readManifest,
  releaseBlobs,
  type VerifiedRelease,
  verifyRelease,
} from '../../../catalog/index.ts'
import { parseAuthorManifest } from '../../../catalog/manifest/parse.ts'
import { canonicalJson } from '../../../src/core/canonical-json.ts'
import { digestOf, parseSha256 } from '../../../src/core/digest.ts'
import type { BlobStore } from '../../../swarm/ports.ts'

interface Descriptor {
  readonly digest: string
  readonly mediaType: string
}

export interface ReleaseInput {
  readonly appFolder: string
  /** Where the manifest blob is put before it is imported. */
  readonly workFolder: string
  readonly store: BlobStore
  readonly seq: number
  /** Changes the author's manifest after it was read. */
  readonly change?: (text: string) => string
}

export async function makeRelease(input: ReleaseInput): Promise<VerifiedRelease> {
  const { appFolder, store, workFolder, seq } = input
  const file = join(appFolder, 'archy.yaml')
  const text = await readFile(file, 'utf8')
  const author = parseAuthorManifest(input.change?.(text) ?? text, file)
  const paths = new Map<string, string>()
  const images: Record<string, unknown> = {}
  for (const [key, image] of Object.entries(author.images)) {
    images[key] = { platforms: { amd64: await readImage(join(appFolder, image.oci), paths) } }
  }
  const bytes = canonicalJson({ ...author, images })
  const manifestRef = refOf(bytes, 'application/vnd.archy.manifest.v1+json')
  const manifestPath = join(workFolder, `${author.id}-${seq}.json`)
  await writeFile(manifestPath, bytes)
  const manifestBlob = await store.importFile(idOf(manifestRef), manifestPath)
  const entry = {
    publisher: 'core',
    app: author.id,
    channel: 'stable',
    seq,
    version: author.version,
    manifest: manifestRef,
    totalSize: bytes.length,
  }
  const manifest = await readManifest(entry, manifestBlob)
  const refs = releaseBlobs(manifest as AppManifest, 'amd64')
  const blobs = new Map<BlobRef['blake3'], Awaited<ReturnType<BlobStore['importFile']>>>()
  for (const ref of refs) {
    blobs.set(ref.blake3, await store.importFile(idOf(ref), paths.get(ref.sha256) ?? ''))
  }
  return verifyRelease({ entry, manifestBlob, manifest, platform: 'amd64', blobs })
}

async function readImage(layout: string, paths: Map<string, string>): Promise<PlatformImage> {
  const blob = async ({ digest, mediaType }: Descriptor): Promise<BlobRef> => {
    const path = join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length))
    paths.set(digest, path)
    return refOf(await readFile(path), mediaType)
  }
  const json = async (path: string) => JSON.parse(await readFile(path, 'utf8'))
  const index: { manifests: Descriptor[] } = await json(join(layout, 'index.json'))
  const manifest = await blob(index.manifests[0] as Descriptor)
  const parsed: { config: Descriptor; layers: Descriptor[] } = await json(
    paths.get(manifest.sha256) ?? '',
  )
  return {
    manifest,
    config: await blob(parsed.config),
    layers: await Promise.all(parsed.layers.map(blob)),
  }
}

function refOf(bytes: Uint8Array, mediaType: string): BlobRef {
  const sha256 = parseSha256(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  return { blake3: digestOf(bytes), sha256, size: bytes.length, mediaType }
}

function idOf({ blake3, size }: BlobRef): { digest: BlobRef['blake3']; sizeBytes: number } {
  return { digest: blake3, sizeBytes: size }
}
