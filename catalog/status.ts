/** What people and machines are told about the catalog: versions, age, freshness. Pure. */
import type { Trusted } from './trust/refresh.ts'

/**
 * fresh: nothing is expired. stale: expired, within the grace. expired: later than that. none: no catalog yet.
 * In every state the node keeps running what is installed.
 */
export type Freshness = 'fresh' | 'stale' | 'expired' | 'none'

export interface CatalogStatus {
  /** Version of each document; undefined when there is none. */
  readonly root: number
  readonly timestamp: number | undefined
  readonly snapshot: number | undefined
  readonly targets: number | undefined
  /** When the origin signed the timestamp, milliseconds since the epoch. */
  readonly issuedMs: number | undefined
  /** When the first of the documents expires, milliseconds since the epoch. */
  readonly expiresMs: number | undefined
  readonly freshness: Freshness
}

export function statusOf(trusted: Trusted, nowMs: number, staleGraceMs: number): CatalogStatus {
  const { root, timestamp, snapshot, targets } = trusted
  const isComplete = timestamp !== undefined && snapshot !== undefined && targets !== undefined
  const expiresMs = isComplete
    ? Math.min(...[root, timestamp, snapshot, targets].map(model => model.expiresMs))
    : undefined
  return {
    root: root.version,
    timestamp: timestamp?.version,
    snapshot: snapshot?.version,
    targets: targets?.version,
    issuedMs: timestamp?.issuedMs,
    expiresMs,
    freshness: freshnessOf(expiresMs, nowMs, staleGraceMs),
  }
}

function freshnessOf(
  expiresMs: number | undefined,
  nowMs: number,
  staleGraceMs: number,
): Freshness {
  if (expiresMs === undefined) return 'none'
  if (nowMs < expiresMs) return 'fresh'
  return nowMs < expiresMs + staleGraceMs ? 'stale' : 'expired'
}
