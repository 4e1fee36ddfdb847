/** One app in one channel as the trusted catalog states it, and a release whose every byte was verified. */
import type { BlobRef, VerifiedBlob } from '../src/core/blob.ts'
import type { Digest } from '../src/core/digest.ts'
import type { AppManifest, Platform } from './manifest/schema.ts'

/** What the signed catalog says about the head of a channel. */
export interface CatalogEntry {
  readonly publisher: string
  readonly app: string
  readonly channel: string
  /** Grows with every release of the app; a lower one is never installed over a higher one. */
  readonly seq: number
  readonly version: string
  readonly manifest: BlobRef
  /** Bytes of the manifest and all image blobs together, over all platforms. */
  readonly totalSize: number
}

declare const signed: unique symbol

/** A manifest whose bytes are the ones that a catalog entry names. Made by `readManifest` alone. */
export type SignedManifest = AppManifest & { readonly [signed]: true }

declare const verified: unique symbol

/**
 * The only thing the orchestrator accepts: an entry of the trusted catalog, its manifest, and every blob of the
 * images for one platform, all verified. Made by `verifyRelease` alone.
 */
export interface VerifiedRelease {
  readonly [verified]: true
  readonly entry: CatalogEntry
  readonly manifest: AppManifest
  readonly manifestBlob: VerifiedBlob
  readonly platform: Platform
  readonly blobs: ReadonlyMap<Digest, VerifiedBlob>
}
