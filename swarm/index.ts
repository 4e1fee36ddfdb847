/** The front door of the swarm. */

export type { CatalogHead } from './catalog-relay/messages.ts'
export type { CatalogMirror, CatalogRelay } from './catalog-relay/ports.ts'
export type { Explanation } from './explanation.ts'
export { IN_FLIGHT_BYTES_MAX } from './limits.ts'
export type { SwarmLimits, SwarmOptions } from './options.ts'
export type {
  BlobId,
  BlobStore,
  BlobWriter,
  BytesBySource,
  HeldBlob,
  StoreUsage,
} from './ports.ts'
export { isPublicAddress } from './scope.ts'
export type { Surroundings, Terms } from './serving/policy.ts'
export { SEEDING_MODES } from './serving/policy.ts'
export type { LimitInForce, Limits, LimitsInForce, ScheduleEntry } from './serving/schedule.ts'
export { DAYS } from './serving/schedule.ts'
export type { ServingOptions } from './serving/serving.ts'
export type { PeerStatus, SwarmStatus, TransferProgress, TransferStatus } from './status.ts'
export type { CollectionReport } from './store/collect.ts'
export type { BlobRole } from './store/collection.ts'
export { SYNC_BYTES_MAX } from './store/limits.ts'
export { openBlobStore, type StoreDeps } from './store/open.ts'
export { dueForScrub } from './store/scrub-schedule.ts'
export { createSwarm, type Swarm, type SwarmDeps } from './swarm.ts'
export { createTokenBucket } from './token-bucket.ts'
