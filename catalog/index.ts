/** The front door of the catalog: what the node and the orchestrator may use. */
export type { BlobRef } from '../src/core/blob.ts'
export {
  type Catalog,
  type CatalogDeps,
  type CatalogOptions,
  createCatalog,
} from './client.ts'
export type { AppOffer, CatalogEntry, SignedManifest, VerifiedRelease } from './entry.ts'
export type { AppManifest, Component, DataSet, Platform, PlatformImage } from './manifest/schema.ts'
export type { TemplatePart } from './manifest/template.ts'
export { parseTemplate } from './manifest/template.ts'
export { byteCount, durationMs } from './manifest/values.ts'
export { type ReleaseParts, readManifest, releaseBlobs, verifyRelease } from './release.ts'
export type { HeadClaim, MetadataSource } from './source.ts'
export type { CatalogStatus, Freshness } from './status.ts'
