/** The front door of the swarm. */

export type { CatalogHead } from './catalog-relay/messages.ts'
export type { CatalogMirror, CatalogRelay } from './catalog-relay/ports.ts'
export { IN_FLIGHT_BYTES_MAX } from './limits.ts'
export type { SwarmLimits, SwarmOptions } from './options.ts'
export type { BlobId, BlobStore, BlobWriter, BytesBySource, HeldBlob } from './ports.ts'
export type { PeerStatus, SwarmStatus, TransferProgress, TransferStatus } from './status.ts'
export { SYNC_BYTES_MAX } from './store/limits.ts'
export { openBlobStore, type StoreDeps } from './store/open.ts'
export { createSwarm, type Swarm, type SwarmDeps } from './swarm.ts'
