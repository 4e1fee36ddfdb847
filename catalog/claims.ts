/** What peers say their newest catalog is: unproven, but worth a question; and a root that all speak of and nobody gives. */
import type { HeadClaim } from './source.ts'

export interface Claims {
  /** `undefined`: the peer is gone. */
  note(name: string, claim: HeadClaim | undefined, nowMs: number): void
  /** The newest root that somebody claims beyond `root`, and for how long. */
  missingRoot(
    root: number,
    nowMs: number,
  ): { readonly version: number; readonly forMs: number } | undefined
  /** Whether somebody claims something newer. */
  hasNewer(root: number, timestamp: number): boolean
}

/** Connected peers are bounded already; this bounds what a flood of names could cost. */
const CLAIM_COUNT_MAX = 1024

export function createClaims(): Claims {
  const claims = new Map<string, { readonly claim: HeadClaim; readonly sinceMs: number }>()
  return {
    note(name, claim, nowMs) {
      const before = claims.get(name)
      claims.delete(name)
      if (claim === undefined || claims.size >= CLAIM_COUNT_MAX) return
      const isSameRoot = before?.claim.root === claim.root
      claims.set(name, { claim, sinceMs: isSameRoot ? before.sinceMs : nowMs })
    },
    missingRoot(root, nowMs) {
      const higher = [...claims.values()].filter(({ claim }) => claim.root > root)
      if (higher.length === 0) return undefined
      const version = Math.max(...higher.map(({ claim }) => claim.root))
      return { version, forMs: nowMs - Math.min(...higher.map(({ sinceMs }) => sinceMs)) }
    },
    hasNewer: (root, timestamp) =>
      [...claims.values()].some(({ claim }) => claim.root > root || claim.timestamp > timestamp),
  }
}
