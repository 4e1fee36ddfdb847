/** Releases for the model machine: real manifests and real OCI layouts of a few bytes, without a store. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AppManifest,
  type CatalogEntry,
  type SignedManifest,
  type VerifiedRelease,
  verifyRelease,
} from '../../../catalog/index.ts'
import { parseAuthorManifest } from '../../../catalog/manifest/parse.ts'
import type { BlobRef, VerifiedBlob } from '../../../src/core/blob.ts'
import { canonicalJson } from '../../../src/core/canonical-json.ts'
import { digestOf, parseSha256 } from '../../../src/core/digest.ts'

/** `text` is an author's manifest; its images are made up from their names and the version. */
export function modelRelease(folder: string, text: string, seq: number): VerifiedRelease {
  const author = parseAuthorManifest(text, 'archy.yaml')
  const blobs = new Map<BlobRef['blake3'], VerifiedBlob>()
  const blob = (value: unknown, mediaType: string): BlobRef => {
    const bytes = Buffer.from(canonicalJson(value))
    const hex = createHash('sha256').update(bytes).digest('hex')
    const digest = digestOf(bytes)
    const path = join(folder, hex)
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, bytes)
    blobs.set(digest, { digest, sizeBytes: bytes.length, path } as unknown as VerifiedBlob)
    return { blake3: digest, sha256: parseSha256(`sha256:${hex}`), size: bytes.length, mediaType }
  }
  const images: Record<string, unknown> = {}
  for (const key of Object.keys(author.images)) {
    const config = blob({ image: key, app: author.id, version: author.version }, 'config')
    const manifest = blob({ config: { digest: config.sha256 }, layers: [] }, 'manifest')
    images[key] = { platforms: { amd64: { manifest, config, layers: [] } } }
  }
  const manifest = { ...author, images } as AppManifest as SignedManifest
  const ref = blob(manifest, 'manifest')
  const entry = {
    ...{ publisher: 'core', app: author.id, channel: 'stable', seq, version: author.version },
    ...{ manifest: ref, totalSize: ref.size },
  } as unknown as CatalogEntry
  const manifestBlob = blobs.get(ref.blake3) as VerifiedBlob
  return verifyRelease({ entry, manifestBlob, manifest, platform: 'amd64', blobs })
}
