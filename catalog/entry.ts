/** What the signed catalog says of one app in one channel, and a release whose every byte was verified. */
import type { BlobRef, VerifiedBlob } from '../src/core/blob.ts'
import type { Digest } from '../src/core/digest.ts'
import type { AppManifest, Platform } from './manifest/schema.ts'

/** One release: the address of its manifest, and what can be known of it before the manifest is here. */
export interface CatalogEntry {
  readonly publisher: string
  readonly app: string
  readonly channel: string
  /** Grows with every release of the app; a lower one is only installed where the catalog says so. */
  readonly seq: number
  readonly version: string
  readonly manifest: BlobRef
  /** Bytes of the manifest and all image blobs together, over all platforms. */
  readonly totalSize: number
}

/**
 * Who stands behind an app. `core`: the origin itself (T0). `claimed`: a publisher that the offline keys confirmed (T1).
 * `registry`: one that an online key listed (T2). `feed`: one that the origin knows nothing of (T3).
 */
export type Tier = 'core' | 'claimed' | 'registry' | 'feed'

/** A release on its way to all nodes, in steps. */
export interface StagedRelease {
  readonly entry: CatalogEntry
  readonly rollout: Rollout
}

export interface Rollout {
  /** Chosen anew for each rollout, so that it is not always the same nodes that go first. */
  readonly salt: string
  readonly startMs: number
  /** Seconds after the start, and the percentage of nodes from then on; both never fall. */
  readonly steps: readonly (readonly [afterSeconds: number, percent: number])[]
  readonly halted: boolean
}

/** A release that must not be installed any more. */
export interface Yank {
  readonly seq: number
  readonly severity: 'low' | 'high' | 'critical'
  /** What happens where it runs: the owner is told, or the node moves to the head. `stop-new` only ends new installs. */
  readonly action: 'warn' | 'stop-new' | 'replace'
  readonly reason: string
}

/** A deliberate step back: from these releases the head may replace a higher number. */
export interface Rollback {
  readonly from: readonly number[]
  readonly to: number
  readonly dataCompatible: boolean
}

/** Everything that the catalog says of one app in one channel. */
export interface AppOffer {
  readonly publisher: string
  readonly app: string
  readonly channel: string
  /** The role that signed it: `core`, `targets`, `pub-<id>`; for a feed the id of the publisher. */
  readonly role: string
  readonly tier: Tier
  /** The publisher's first `did:key`; `undefined` for the origin itself. */
  readonly did: string | undefined
  /** When the publisher's role ends, milliseconds since the epoch; `undefined`: with the catalog itself. */
  readonly expiresMs: number | undefined
  readonly head: CatalogEntry
  readonly next: StagedRelease | undefined
  /** Earlier releases that may still be installed. */
  readonly older: readonly CatalogEntry[]
  /** The lowest number that may be installed, or kept without a warning; 0 when there is none. */
  readonly floor: number
  readonly yanked: readonly Yank[]
  readonly rollbackTo: Rollback | undefined
  /**
   * What holds for this publisher alone. `current`: nothing. `kept`: the newest file of its role could not be had, so
   * this is the last one that was verified. `stale`: its role is expired. `revoked`: the origin withdrew the publisher.
   */
  readonly standing: 'current' | 'kept' | 'stale' | 'revoked'
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
