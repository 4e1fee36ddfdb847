/** The front door of the catalog: what the node and the orchestrator may use. */
export type { BlobRef } from '../src/core/blob.ts'
export { FIRST_PARTY } from './app-target.ts'
export type { Catalog, CatalogDeps, CatalogOptions } from './catalog.ts'
export { createCatalog } from './client.ts'
export type { AppOffer, CatalogEntry, SignedManifest, VerifiedRelease } from './entry.ts'
export { type FeedSource, openFeeds } from './feeds/feeds.ts'
export { withFeeds } from './feeds/with-feeds.ts'
export type { Allowance, Freshness } from './freshness.ts'
export { checkImageVolumes } from './image-volumes.ts'
export {
  type LocalManifest,
  type LocalManifests,
  noLocalManifests,
  readLocalManifests,
} from './local-manifests.ts'
export { GRANTS, type GrantName } from './manifest/component-schema.ts'
export { configValueProblem } from './manifest/config-value.ts'
export { parseAuthorManifest, parsePublishedManifest } from './manifest/parse.ts'
export type { AppManifest, Component, DataSet, Platform, PlatformImage } from './manifest/schema.ts'
export type { TemplatePart } from './manifest/template.ts'
export { parseTemplate, referenceText } from './manifest/template.ts'
export { byteCount, durationMs } from './manifest/values.ts'
export {
  type ReleaseParts,
  readManifest,
  readStoredManifest,
  releaseBlobs,
  verifyRelease,
} from './release.ts'
export type { Choice, Considered, Resolution } from './resolution.ts'
export { resolveApp } from './resolve.ts'
export { ROLLOUT_SEED_BYTES } from './rollout.ts'
export type { HeadClaim, MetadataSource } from './source.ts'
export type { CatalogStatus } from './status.ts'
