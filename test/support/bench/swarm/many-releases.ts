/** A signed catalog with many small apps, and a store that holds all of their blobs: a large node, made in seconds. */
import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { appPath, appTargetOf } from '../../../../catalog/app-target.ts'
import type { BlobRef } from '../../../../catalog/index.ts'
import { parseAuthorManifest } from '../../../../catalog/manifest/parse.ts'
import { MANIFEST_MEDIA_TYPE } from '../../../../catalog/manifest/schema.ts'
import type { TargetEntry } from '../../../../catalog/trust/document.ts'
import { formatTime } from '../../../../catalog/trust/document.ts'
import { canonicalJson } from '../../../../src/core/canonical-json.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import { digestOf, parseSha256 } from '../../../../src/core/digest.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { eachInParallel } from '../../../../src/core/parallel.ts'
import { openBlobStore } from '../../../../swarm/index.ts'
import { bytesOf } from '../../bytes.ts'
import { createSignedOrigin, DAY_MS, makeKeys } from '../../catalog/signed-origin.ts'

/** Its manifest, and an image of a manifest, a configuration and layers. */
export const BLOBS_PER_RELEASE = 10
const BLOB_BYTES = 512
/** Imports at once: each waits for the disk most of the time. */
const PARALLEL_COUNT = 32

export interface SmallBlob {
  readonly ref: BlobRef
  readonly bytes: Uint8Array
}

/** Writes the catalog of an origin into `publicFolder/catalog`. @returns every blob of its releases */
export async function writeReleases(
  publicFolder: string,
  releaseCount: number,
): Promise<readonly SmallBlob[]> {
  const all: SmallBlob[] = []
  const targets: Record<string, TargetEntry> = {}
  for (let index = 0; index < releaseCount; index++) {
    const id = `app-${index}`
    const blobs = blobsOf(id, index)
    const manifest = manifestOf(id, blobs)
    all.push(manifest, ...blobs)
    const totalSize = BLOBS_PER_RELEASE * BLOB_BYTES
    const head = { manifest: manifest.ref, seq: 1, version: '1.0.0', totalSize }
    targets[appPath('core', id, 'stable')] = appTargetOf({ head })
  }
  const folder = join(publicFolder, 'catalog')
  await mkdir(folder, { recursive: true })
  for (const [name, bytes] of signed(targets)) await writeFile(join(folder, name), bytes)
  return all
}

function signed(targets: Readonly<Record<string, TargetEntry>>): ReadonlyMap<string, Uint8Array> {
  const nowMs = Date.now()
  const origin = createSignedOrigin(makeKeys())
  origin.publishRoot(1, { expiresMs: nowMs + 365 * DAY_MS })
  const expiresMs = nowMs + 7 * DAY_MS
  origin.publishSet(1, {
    targets,
    expiresMs: { timestamp: expiresMs, snapshot: expiresMs, targets: expiresMs },
    extra: { timestamp: { 'x-issued': formatTime(nowMs) } },
  })
  return origin.files
}

function blobsOf(id: string, index: number): readonly SmallBlob[] {
  return Array.from({ length: BLOBS_PER_RELEASE - 1 }, (_, at) => {
    const bytes = bytesOf(BLOB_BYTES, index * BLOBS_PER_RELEASE + at)
    return blobOf(Buffer.concat([Buffer.from(id), bytes]), 'application/octet-stream')
  })
}

function blobOf(bytes: Uint8Array, mediaType: string): SmallBlob {
  const sha256 = parseSha256(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  return { bytes, ref: { blake3: digestOf(bytes), sha256, size: bytes.length, mediaType } }
}

function manifestOf(id: string, blobs: readonly SmallBlob[]): SmallBlob {
  const text = [
    'apiVersion: archy.app/v1',
    `id: ${id}`,
    'version: "1.0.0"',
    `title: ${id}`,
    'images: { web: { oci: image } }',
    'components: { main: { image: web } }',
    '',
  ].join('\n')
  const [manifest, config, ...layers] = blobs.map(({ ref }) => ref)
  const images = { web: { platforms: { amd64: { manifest, config, layers } } } }
  return blobOf(canonicalJson({ ...parseAuthorManifest(text, id), images }), MANIFEST_MEDIA_TYPE)
}

/** Puts all of them into the store at `folder`; `work` is a folder for files on the way. */
export async function fillStore(
  folder: string,
  blobs: readonly SmallBlob[],
  work: string,
): Promise<void> {
  await mkdir(work, { recursive: true })
  await using store = await openBlobStore(
    { folder, clock: systemClock, log: silentLog },
    { minFreeBytes: 0 },
  )
  await eachInParallel(blobs, PARALLEL_COUNT, async ({ ref, bytes }) => {
    const path = join(work, ref.sha256)
    await writeFile(path, bytes)
    await store.importFile({ digest: ref.blake3, sizeBytes: ref.size }, path)
    await rm(path)
  })
}
