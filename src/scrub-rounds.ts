/** Reads every blob again once in an interval, a few at a time, and tries again to heal what is still damaged. */
import { type BlobStore, dueForScrub } from '../swarm/index.ts'
import type { Clock } from './core/clock.ts'
import type { Scrubber } from './scrubber.ts'

/** How often it is looked which blobs are due. */
export const SCRUB_LOOK_INTERVAL_MS = 600_000
/** A quiet disk has ten times this and more; a terabyte in 30 days needs a fiftieth of it. */
export const SCRUB_BYTES_PER_SECOND = 20 * 2 ** 20
const UNTIL_KEY = 'scrubbedUntilMs'

interface Deps {
  readonly store: Pick<BlobStore, 'list' | 'getMeta' | 'setMeta'>
  readonly scrubber: Pick<Scrubber, 'runBehind' | 'current' | 'healAgain'>
  readonly clock: Clock
}

/** One look: verifies what came due since the last one. Does nothing while its owner runs a verification. */
export function createScrubRounds({ store, scrubber, clock }: Deps, intervalMs: number) {
  return async (): Promise<void> => {
    await scrubber.healAgain()
    if (scrubber.current()?.state === 'running') return
    const nowMs = clock.nowMs()
    const untilMs = Number(await store.getMeta(UNTIL_KEY))
    const begin = (fromMs: number): Promise<void> => store.setMeta(UNTIL_KEY, String(fromMs))
    // The first look of a store, or a clock that was ahead: from now on.
    if (Number.isNaN(untilMs) || untilMs > nowMs) return await begin(nowMs)
    const digests = store.list().map(({ digest }) => digest)
    const due = dueForScrub(digests, untilMs, nowMs, intervalMs)
    if (due.length === 0) return await begin(nowMs)
    const dueMsOf = new Map(due.map(({ digest, dueMs }) => [digest, dueMs]))
    await scrubber.runBehind([...dueMsOf.keys()], SCRUB_BYTES_PER_SECOND, async digest => {
      await begin(dueMsOf.get(digest) ?? untilMs)
    })
    if (scrubber.current()?.state === 'done') await begin(nowMs)
  }
}
