/** What the node sees of its catalog: the interface, and what it needs of the world. */
import type { Clock } from '../src/core/clock.ts'
import type { Digest } from '../src/core/digest.ts'
import type { Log } from '../src/core/log.ts'
import type { AppOffer } from './entry.ts'
import type { ForkProof } from './fork.ts'
import type { Publishers } from './shelves.ts'
import type { HeadClaim, MetadataSource } from './source.ts'
import type { CatalogStatus } from './status.ts'

export interface CatalogDeps {
  /** Whom to ask now, in order of preference. */
  sources(): readonly MetadataSource[]
  /** Told of every source whose answer was refused. */
  onRefused?(source: MetadataSource, error: unknown): void
  /** A folder of the catalog's own: `cache/`, `forks/` and `floors.json`. */
  readonly folder: string
  /** The embedded root: the one file that is trusted as it is. */
  readonly root: Uint8Array
  readonly clock: Clock
  readonly log: Log
}

export interface CatalogOptions {
  /** How long after its expiry a catalog counts as `stale`, where the root does not say. */
  readonly staleGraceMs?: number
  /** When this program was made: no clock can be before it. */
  readonly builtMs?: number
}

export interface Catalog {
  /**
   * Asks the sources for a newer catalog. Calls run one after another.
   * @throws CatalogError when every source fails; the catalog stays as it was, except that a new root takes effect at
   * once, so that revoked keys are believed no longer
   */
  refresh(signal?: AbortSignal): Promise<'updated' | 'unchanged'>
  /**
   * Takes what one more source has, such as a folder that was carried here; it is believed no more than any other.
   * @throws CatalogError when it is refused
   */
  refreshFrom(source: MetadataSource, signal?: AbortSignal): Promise<'updated' | 'unchanged'>
  /** Every app in every channel that some role may speak for. */
  offers(): readonly AppOffer[]
  /** Whom the trusted set delegates to, by role, and whom it withdrew, by `did:key`. */
  publishers(): Publishers
  /** @throws CatalogError `APP_UNKNOWN`, with the nearest name */
  find(app: string, channel: string): AppOffer
  status(): CatalogStatus
  /** What this node tells peers of its catalog; `undefined` without one. */
  head(): HeadClaim | undefined
  /** An accepted file for a peer, by its name at the origin; `undefined` when this node does not have it. */
  file(name: string): Uint8Array | undefined
  fileByDigest(digest: Digest): Uint8Array | undefined
  /** What a peer says its newest is; `undefined`: it left. True when it is worth a refresh. */
  noteClaim(source: string, claim: HeadClaim | undefined): boolean
  /**
   * A whole timestamp that a peer sent. `newer`: signed, and worth a refresh. `forked`: it contradicts what this node
   * knows. `refused`: not signed by the origin's keys.
   */
  noteHead(bytes: Uint8Array): Promise<'known' | 'newer' | 'forked' | 'refused'>
  /** A proof that a peer sent. True when it is one and was not known. */
  noteProof(a: Uint8Array, b: Uint8Array): Promise<boolean>
  /** Every fork that this node can prove, settled or not. */
  forks(): readonly ForkProof[]
  /**
   * The owner's consent to install from exactly this expired catalog.
   * @throws CatalogError `STALE_NOT_THIS` when it is not the one that this node has
   */
  acceptStale(version: number, content: string): Promise<void>
}
