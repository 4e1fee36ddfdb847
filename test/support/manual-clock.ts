/** A clock that stands still until a test moves it; sleepers wake in order. */
import type { Clock } from '../../src/core/clock.ts'

export interface ManualClock extends Clock {
  /** Moves time on and wakes who slept until then; resolves when they have done what needs no I/O. */
  advance(ms: number): Promise<void>
  readonly sleeperCount: number
}

interface Sleeper {
  readonly untilMs: number
  wake(): void
}

export function createManualClock(startMs = 1_000_000): ManualClock {
  let nowMs = startMs
  let sleepers: Sleeper[] = []
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const sleeper = { untilMs: nowMs + ms, wake: resolve }
      sleepers.push(sleeper)
      signal?.addEventListener(
        'abort',
        () => {
          sleepers = sleepers.filter(other => other !== sleeper)
          reject(signal.reason)
        },
        { once: true },
      )
      await promise
    },
    async advance(ms) {
      nowMs += ms
      const due = sleepers.filter(({ untilMs }) => untilMs <= nowMs)
      sleepers = sleepers.filter(({ untilMs }) => untilMs > nowMs)
      for (const { wake } of due.sort((a, b) => a.untilMs - b.untilMs)) wake()
      await settle()
    },
    get sleeperCount() {
      return sleepers.length
    },
  }
}

/** Lets every promise that can settle without I/O do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  await new Promise(resolve => setImmediate(resolve))
}
