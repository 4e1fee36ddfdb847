/** Cleans the store up: when a download needs room, once a day, and when its owner asks. */

import type { BlobRole, BlobStore, CollectionReport, StoreUsage } from '../swarm/index.ts'
import type { Clock } from './core/clock.ts'
import type { Digest } from './core/digest.ts'
import { codeOf, messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'
import { createSequence } from './core/sequence.ts'
import type { Needed } from './needed.ts'

/** What a clean-up in quiet times does before others get their turn: seconds of a slow disk. */
const PASS_BUDGET = { bytes: 64 * 2 ** 30, ms: 10_000 }
/** Room for a download is made whole or not at all. */
const NO_BUDGET = { bytes: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY }
/** How often it is looked whether a clean-up is due. */
export const COLLECT_LOOK_INTERVAL_MS = 60_000
const PASS_INTERVAL_MS = 86_400_000
/** What nothing leads to may be led to again by the next catalog; a day is enough for a mistake to be corrected. */
const UNREACHABLE_GRACE_MS = 86_400_000
const LAST_PASS_KEY = 'collectedAtMs'

export interface Collection extends CollectionReport {
  readonly usage: StoreUsage
}

export interface Collector {
  /** What `archy blob gc` does: also what nothing leads to since a moment ago. @throws NeededError `NEEDS_UNKNOWN` */
  collect(isDryRun: boolean): Promise<Collection>
  /** One look: cleans up when a day has passed, or when the last pass was not finished. */
  look(): Promise<void>
  /** Runs `task` while no pass does: what it decides is known to the next one. */
  undisturbed<Result>(task: () => Promise<Result>): Promise<Result>
  /** What each blob is to this node. @throws NeededError `NEEDS_UNKNOWN` */
  roles(): Promise<(digest: Digest) => BlobRole>
}

interface Deps {
  readonly store: Pick<BlobStore, 'collect' | 'usage' | 'whenShort' | 'getMeta' | 'setMeta'>
  readonly clock: Clock
  readonly log: Log
  /** @throws NeededError `NEEDS_UNKNOWN` */
  readNeeded(): Promise<Needed>
  mayServe(digest: Digest): boolean
  /** Called when blobs are gone. */
  onCollected(): Promise<void>
}

interface Pass {
  readonly roomBytes?: number
  readonly unreachableBeforeMs: number
  readonly isDryRun: boolean
  readonly budget: typeof PASS_BUDGET
}

export function createCollector(deps: Deps): Collector {
  const { store, clock, log } = deps
  /** One after the other: two passes would decide on the same blobs. */
  const undisturbed = createSequence()
  let isUnfinished = false
  let loggedReason = ''

  async function roles(): Promise<(digest: Digest) => BlobRole> {
    const needed = await deps.readNeeded()
    return digest => {
      const why = needed.get(digest)
      if (why !== undefined) return { kind: 'keep', why }
      return { kind: deps.mayServe(digest) ? 'seed' : 'unreachable' }
    }
  }

  function pass(options: Pass): Promise<CollectionReport> {
    return undisturbed(async () => {
      const report = await store.collect(await roles(), options)
      if (report.removed.length > 0) {
        const { freedBytes, wantedBytes, keptBytes, isFinished } = report
        const blobs = report.removed.length
        log.info('store cleaned up', { blobs, freedBytes, wantedBytes, keptBytes, isFinished })
        await deps.onCollected()
      }
      return report
    })
  }

  store.whenShort(async roomBytes => {
    try {
      const options = { unreachableBeforeMs: 0, isDryRun: false, budget: NO_BUDGET }
      const { isEnough, bytes } = await pass({ ...options, roomBytes })
      if (!isEnough) log.warn('not enough may be deleted', { roomBytes, bytes })
    } catch (error) {
      log.warn('no room was made', { roomBytes, reason: messageOf(error) })
    }
  })

  async function isDue(): Promise<boolean> {
    if (isUnfinished) return true
    const lastMs = Number(await store.getMeta(LAST_PASS_KEY))
    const nowMs = clock.nowMs()
    // A clock that was ahead must not put the next pass off for ever.
    return Number.isNaN(lastMs) || nowMs - lastMs >= PASS_INTERVAL_MS || lastMs > nowMs
  }

  return {
    roles,
    undisturbed,
    async collect(isDryRun) {
      const unreachableBeforeMs = Number.POSITIVE_INFINITY
      const report = await pass({ unreachableBeforeMs, isDryRun, budget: NO_BUDGET })
      return { ...report, usage: await store.usage() }
    },
    async look() {
      if (!(await isDue())) return
      const unreachableBeforeMs = clock.nowMs() - UNREACHABLE_GRACE_MS
      try {
        const options = { unreachableBeforeMs, isDryRun: false, budget: PASS_BUDGET }
        isUnfinished = !(await pass(options)).isFinished
      } catch (error) {
        if (codeOf(error) !== 'NEEDS_UNKNOWN') throw error
        const reason = messageOf(error)
        if (reason !== loggedReason) log.warn('store not cleaned up', { reason })
        loggedReason = reason
        return
      }
      if (!isUnfinished) await store.setMeta(LAST_PASS_KEY, String(clock.nowMs()))
    },
  }
}
