/** What people and machines are told about the catalog: versions, age, freshness, what is wrong and what that allows. Pure. */
import type { AppOffer } from './entry.ts'
import type { FreshnessResult } from './freshness.ts'
import type { State } from './state.ts'
import type { Trusted } from './trust/load.ts'

/** How the origin was the last time that it was asked. */
export interface OriginStatus {
  /** When an origin last gave a valid answer, milliseconds since the epoch. */
  readonly reachedAtMs: number | undefined
  readonly error:
    | { readonly code: string; readonly message: string; readonly sinceMs: number }
    | undefined
}

export interface CatalogStatus extends FreshnessResult {
  /** Version of each document; undefined when there is none. */
  readonly root: number
  readonly timestamp: number | undefined
  readonly snapshot: number | undefined
  readonly targets: number | undefined
  /** SHA-256 (hex) of the signed part of the timestamp: with its version it names this catalog. */
  readonly content: string | undefined
  /** When the origin signed the timestamp, milliseconds since the epoch. */
  readonly issuedMs: number | undefined
  /** When the first of the documents expires, milliseconds since the epoch. */
  readonly expiresMs: number | undefined
  /** Where the catalog came from; undefined when it was found on the disk. */
  readonly source: string | undefined
  readonly origin: OriginStatus
  /** Multiaddrs of peers that it names as a first way into the network: hints, believed no more than any other. */
  readonly bootstrap: readonly string[]
  /** Followed publishers of whom there was a file that cannot be read any more, until a new one comes: what they offer is not known. */
  readonly unknownFeeds: readonly string[]
  /** Whatever is not as it should be and does not stop the catalog as a whole. */
  readonly notices: readonly string[]
}

/** When the first document of a complete set ends. */
export function expiryOf({ root, timestamp, snapshot, targets }: Trusted): number | undefined {
  if (timestamp === undefined || snapshot === undefined || targets === undefined) return undefined
  return Math.min(...[root, timestamp, snapshot, targets].map(model => model.expiresMs))
}

export function statusOf(
  { trusted, delegated, apps }: State,
  freshness: FreshnessResult,
  more: Pick<CatalogStatus, 'source' | 'origin'> & { readonly unlinkedForMs: number | undefined },
): CatalogStatus {
  const { root, timestamp, snapshot, targets } = trusted
  const { source, origin, unlinkedForMs } = more
  return {
    ...freshness,
    root: root.version,
    timestamp: timestamp?.version,
    snapshot: snapshot?.version,
    targets: targets?.version,
    content: timestamp?.content,
    issuedMs: timestamp?.issuedMs,
    expiresMs: expiryOf(trusted),
    source,
    origin,
    bootstrap: targets?.bootstrap.addresses ?? [],
    unknownFeeds: [],
    notices: [
      ...delegated.problems.map(({ role, message }) => `${role}: ${message}`),
      ...revokedNotices(apps.offers),
      ...unlinkedNotice(unlinkedForMs),
    ],
  }
}

function revokedNotices(offers: readonly AppOffer[]): readonly string[] {
  const revoked = offers.filter(({ standing }) => standing === 'revoked')
  const publishers = [...new Set(revoked.map(({ publisher }) => publisher))]
  return publishers.map(publisher => `${publisher}: the origin withdrew this publisher`)
}

/** Longer than it takes any peer that has the history to come by. */
const UNLINKED_NOTICE_AFTER_MS = 86_400_000

function unlinkedNotice(forMs: number | undefined): readonly string[] {
  if (forMs === undefined || forMs < UNLINKED_NOTICE_AFTER_MS) return []
  return ['unlinked head: nobody has the catalogs between the last one of this node and this one']
}
