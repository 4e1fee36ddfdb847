/** From a catalog entry to a release that may run: which blobs it needs, and the proof that all of them are here. */
import type { BlobRef, VerifiedBlob } from '../src/core/blob.ts'
import type { Digest } from '../src/core/digest.ts'
import { readFileBounded } from '../src/core/files.ts'
import type { CatalogEntry, SignedManifest, VerifiedRelease } from './entry.ts'
import { ManifestError } from './errors.ts'
import { PUBLISHED_MANIFEST_BYTES_MAX, parsePublishedManifest } from './manifest/parse.ts'
import type { AppManifest, Platform } from './manifest/schema.ts'

/**
 * Reads the manifest that `entry` names.
 * @throws ManifestError `MANIFEST_INVALID`, `MANIFEST_MISMATCH` (another blob, or another app or version inside)
 * @throws FileError `FILE_TOO_LARGE`
 */
export async function readManifest(
  entry: CatalogEntry,
  manifestBlob: VerifiedBlob,
): Promise<SignedManifest> {
  const name = `${entry.app} ${entry.version}`
  checkBlob(`the manifest of ${name}`, entry.manifest, manifestBlob)
  const bytes = await readFileBounded(manifestBlob.path, PUBLISHED_MANIFEST_BYTES_MAX)
  if (bytes === undefined) {
    throw mismatch(`the manifest of ${name} is gone from the disk: ${manifestBlob.path}`)
  }
  const manifest = parsePublishedManifest(bytes)
  if (manifest.id !== entry.app || manifest.version !== entry.version) {
    throw mismatch(
      `the catalog names ${name}, but the manifest it points to is ${manifest.id} ${manifest.version}`,
    )
  }
  return manifest as SignedManifest
}

/**
 * Reads a manifest by its address alone, for who only asks what it names: nothing of it is installed.
 * @throws ManifestError `MANIFEST_INVALID`, FileError `FILE_TOO_LARGE`
 */
export async function readStoredManifest({
  path,
}: Pick<VerifiedBlob, 'path'>): Promise<AppManifest> {
  const bytes = await readFileBounded(path, PUBLISHED_MANIFEST_BYTES_MAX)
  if (bytes === undefined) throw mismatch(`a manifest is gone from the disk: ${path}`)
  return parsePublishedManifest(bytes)
}

/**
 * The blobs of every image that a component uses, for one platform, each once, in the order of the components.
 * @throws ManifestError `MANIFEST_INVALID`
 */
export function releaseBlobs(manifest: AppManifest, platform: Platform): readonly BlobRef[] {
  const blobs = new Map<Digest, BlobRef>()
  for (const [name, { image: imageName }] of Object.entries(manifest.components)) {
    const platforms = manifest.images[imageName]?.platforms
    const image = platforms?.[platform]
    if (image === undefined) {
      const known = Object.keys(platforms ?? {}).join(', ')
      throw new ManifestError(
        'MANIFEST_INVALID',
        `component "${name}" of ${manifest.id} ${manifest.version} has no image for ${platform}` +
          `${known === '' ? '' : `, only for ${known}`}`,
      )
    }
    for (const blob of [image.manifest, image.config, ...image.layers]) {
      const before = blobs.get(blob.blake3)
      if (before !== undefined && (before.size !== blob.size || before.sha256 !== blob.sha256)) {
        throw new ManifestError(
          'MANIFEST_INVALID',
          `component "${name}" of ${manifest.id} describes ${blob.blake3} in two ways`,
        )
      }
      if (before === undefined) blobs.set(blob.blake3, blob)
    }
  }
  return [...blobs.values()]
}

export interface ReleaseParts {
  readonly entry: CatalogEntry
  readonly manifestBlob: VerifiedBlob
  readonly manifest: SignedManifest
  readonly platform: Platform
  /** At least every blob of `releaseBlobs`. */
  readonly blobs: ReadonlyMap<Digest, VerifiedBlob>
}

/**
 * The only maker of a `VerifiedRelease`. The result holds exactly the blobs that the release needs.
 * @throws ManifestError `MANIFEST_INVALID`, `MANIFEST_MISMATCH` when a blob is missing or is another one
 */
export function verifyRelease(parts: ReleaseParts): VerifiedRelease {
  const { entry, manifestBlob, manifest, platform } = parts
  checkBlob(`the manifest of ${entry.app} ${entry.version}`, entry.manifest, manifestBlob)
  if (manifest.id !== entry.app || manifest.version !== entry.version) {
    throw mismatch(
      `manifest ${manifest.id} ${manifest.version} is not of ${entry.app} ${entry.version}`,
    )
  }
  const blobs = new Map<Digest, VerifiedBlob>()
  for (const ref of releaseBlobs(manifest, platform)) {
    const blob = parts.blobs.get(ref.blake3)
    if (blob === undefined) {
      throw mismatch(`${entry.app} ${entry.version} is not complete: ${ref.blake3} is missing`)
    }
    checkBlob(`a blob of ${entry.app} ${entry.version}`, ref, blob)
    blobs.set(ref.blake3, blob)
  }
  const release: unknown = { entry, manifest, manifestBlob, platform, blobs }
  return Object.freeze(release) as VerifiedRelease
}

function checkBlob(what: string, ref: BlobRef, blob: VerifiedBlob): void {
  if (blob.digest === ref.blake3 && blob.sizeBytes === ref.size) return
  throw mismatch(
    `${what} must be ${ref.blake3} with ${ref.size} bytes, not ${blob.digest} with ${blob.sizeBytes}`,
  )
}

function mismatch(message: string): ManifestError {
  return new ManifestError('MANIFEST_MISMATCH', message)
}
