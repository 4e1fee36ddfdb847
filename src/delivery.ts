/** Brings one release onto this node: manifest, then every blob, smallest first, each verified on arrival. */
import {
  type AppManifest,
  type CatalogEntry,
  type Platform,
  readManifest,
  releaseBlobs,
  type VerifiedRelease,
  verifyRelease,
} from '../catalog/index.ts'
import type { Swarm } from '../swarm/index.ts'
import type { BlobRef, VerifiedBlob } from './core/blob.ts'
import type { Digest } from './core/digest.ts'

/** Bytes of the whole release that are on disk and verified, and how many there will be. */
export interface DeliveryProgress {
  readonly release: Digest
  readonly heldBytes: number
  readonly sizeBytes: number
}

/** Blobs of one release in transfer at once: enough to hide the start of small ones, few enough to finish some early. */
const PARALLEL_BLOB_COUNT = 4

export interface DeliveryOptions {
  readonly platform: Platform
  /** Blobs of other releases of the app: what is alike is not fetched again. */
  readonly similar?: readonly Digest[]
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: DeliveryProgress) => void
  /** Called as soon as the manifest is verified; the images wait for it. */
  readonly onManifest?: (manifest: AppManifest) => void | Promise<void>
}

/** Fetches what is missing of `entry`; resolves when all of it is verified and on disk. */
export async function deliverRelease(
  swarm: Pick<Swarm, 'fetch'>,
  entry: CatalogEntry,
  options: DeliveryOptions,
): Promise<VerifiedRelease> {
  const release = entry.manifest.blake3
  const held = new Map<Digest, number>()
  let sizeBytes = entry.manifest.size
  const report = (ref: BlobRef, heldBytes: number): void => {
    held.set(ref.blake3, heldBytes)
    const sum = [...held.values()].reduce((total, bytes) => total + bytes, 0)
    options.onProgress?.({ release, heldBytes: sum, sizeBytes })
  }
  const fetch = async (ref: BlobRef): Promise<VerifiedBlob> => {
    const blob = await swarm.fetch(
      { digest: ref.blake3, sizeBytes: ref.size },
      {
        release,
        similar: options.similar ?? [],
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onProgress: ({ heldBytes }) => report(ref, heldBytes),
      },
    )
    // What was here before was never on its way.
    report(ref, ref.size)
    return blob
  }
  const manifestBlob = await fetch(entry.manifest)
  const manifest = await readManifest(entry, manifestBlob)
  await options.onManifest?.(manifest)
  const refs = [...releaseBlobs(manifest, options.platform)].sort((a, b) => a.size - b.size)
  sizeBytes += refs.reduce((total, ref) => total + ref.size, 0)
  const blobs = await fetchAll(refs, fetch)
  return verifyRelease({ entry, manifestBlob, manifest, platform: options.platform, blobs })
}

async function fetchAll(
  refs: readonly BlobRef[],
  fetch: (ref: BlobRef) => Promise<VerifiedBlob>,
): Promise<ReadonlyMap<Digest, VerifiedBlob>> {
  const blobs = new Map<Digest, VerifiedBlob>()
  const queue = refs.values()
  const work = async (): Promise<void> => {
    for (const ref of queue) blobs.set(ref.blake3, await fetch(ref))
  }
  await Promise.all(Array.from({ length: PARALLEL_BLOB_COUNT }, work))
  return blobs
}
