/** Decides which blobs go: never what somebody keeps, first what nothing leads to, then what was not used for longest. Pure. */
import type { Digest } from '../../src/core/digest.ts'

/**
 * What a blob is to this node. `keep`: it must stay, and why. `seed`: kept for others only. `unreachable`: nothing that is
 * signed and known leads to it.
 */
export type BlobRole =
  | { readonly kind: 'keep'; readonly why: string }
  | { readonly kind: 'seed' }
  | { readonly kind: 'unreachable' }

export interface StoredBlob {
  readonly digest: Digest
  /** What goes free with it. */
  readonly bytes: number
  readonly lastUsedMs: number
  readonly role: BlobRole
}

export interface CollectionGoal {
  /** How much has to go free. */
  readonly bytes: number
  /** Either all of it goes free or nothing is touched: half the room for a download is of no use. */
  readonly allOrNothing: boolean
  /** What nothing leads to goes in any case when it was last used before then. */
  readonly unreachableBeforeMs: number
}

export interface Removal {
  readonly digest: Digest
  readonly bytes: number
  readonly lastUsedMs: number
  readonly why: 'unreachable' | 'seed'
}

export interface CollectionPlan {
  /** In the order in which they go. */
  readonly removals: readonly Removal[]
  readonly wantedBytes: number
  /** Of all removals together. */
  readonly bytes: number
  readonly isEnough: boolean
  readonly keptCount: number
  readonly keptBytes: number
}

export function planCollection(blobs: readonly StoredBlob[], goal: CollectionGoal): CollectionPlan {
  const kept = blobs.filter(({ role }) => role.kind === 'keep')
  const removals: Removal[] = []
  let bytes = 0
  for (const why of ['unreachable', 'seed'] as const) {
    const oldestFirst = blobs.filter(({ role }) => role.kind === why).sort(byLastUse)
    for (const { digest, bytes: own, lastUsedMs } of oldestFirst) {
      const isRubbish = why === 'unreachable' && lastUsedMs < goal.unreachableBeforeMs
      if (bytes >= goal.bytes && !isRubbish) continue
      removals.push({ digest, bytes: own, lastUsedMs, why })
      bytes += own
    }
  }
  const isEnough = bytes >= goal.bytes
  const isUseless = !isEnough && goal.allOrNothing
  return {
    removals: isUseless ? [] : removals,
    wantedBytes: goal.bytes,
    bytes: isUseless ? 0 : bytes,
    isEnough,
    keptCount: kept.length,
    keptBytes: kept.reduce((total, each) => total + each.bytes, 0),
  }
}

function byLastUse(a: StoredBlob, b: StoredBlob): number {
  return a.lastUsedMs - b.lastUsedMs || (a.digest < b.digest ? -1 : 1)
}
