/** The front door of the swarm. */
export { StoreError, SwarmError } from './errors.ts'
export type { SwarmLimits, SwarmOptions } from './options.ts'
export type { BlobId, BlobStore, BlobWriter, BytesBySource, HeldBlob } from './ports.ts'
export type { PeerStatus, SwarmStatus, TransferProgress, TransferStatus } from './status.ts'
export { openBlobStore, type StoreDeps } from './store/open.ts'
export { createSwarm, type Swarm, type SwarmDeps } from './swarm.ts'
