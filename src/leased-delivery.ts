/** Brings a release onto this node with its room reserved, and keeps its blobs until whoever asked has used them. */
import { type CatalogEntry, releaseBlobs, type VerifiedRelease } from '../catalog/index.ts'
import type { BlobStore, Swarm } from '../swarm/index.ts'
import { type DeliveryOptions, deliverRelease } from './delivery.ts'

/** While it is not disposed of, no blob of the release is deleted. */
export interface Delivered extends Disposable {
  readonly release: VerifiedRelease
}

/** @throws StoreError `QUOTA_EXCEEDED`, FileError `DISK_FULL` before the first image byte when not all of it fits */
export async function deliverLeased(
  { store, swarm }: { readonly store: BlobStore; readonly swarm: Swarm },
  entry: CatalogEntry,
  options: DeliveryOptions,
): Promise<Delivered> {
  using stack = new DisposableStack()
  stack.use(store.lease([entry.manifest.blake3]))
  const release = await deliverRelease(swarm, entry, {
    ...options,
    async onManifest(manifest) {
      await options.onManifest?.(manifest)
      const refs = releaseBlobs(manifest, options.platform)
      stack.use(
        await store.reserve(refs.map(({ blake3, size }) => ({ digest: blake3, sizeBytes: size }))),
      )
    },
  })
  const leases = stack.move()
  return { release, [Symbol.dispose]: () => leases.dispose() }
}
