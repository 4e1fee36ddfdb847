/** The clock of the model: it stands still while anybody works and jumps to the next sleeper or event of the machine. */
import type { Clock } from '../../../../src/core/clock.ts'
import { type Life, lives } from './life.ts'

export interface ModelTime extends Clock {
  /** Calls `work` later; returns how to call it off. Events of one moment come in the order they were made. */
  at(delayMs: number, work: () => void): () => void
  /** Runs until `promise` settles. @throws when nothing is left that could make it settle, or after a day. */
  drive<T>(promise: Promise<T>): Promise<T>
  /** Lets time pass. */
  pass(ms: number): Promise<void>
  /** Forgets whatever the machine had planned: its power went out. */
  clearEvents(): void
}

interface Due {
  readonly atMs: number
  readonly life: Life | undefined
  readonly wake: () => void
}

/** Turns of the event loop without any work on files: then everybody is asleep. */
const QUIET_TURNS = 2
/** Most files are read and written at once; what Node.js does in its threads is waited for. */
const isAtWork = (): boolean =>
  process.getActiveResourcesInfo().some(name => name.startsWith('FS') || name.startsWith('File'))
const DRIVE_MS_MAX = 24 * 3_600_000

export function createModelTime(): ModelTime {
  let nowMs = 1_700_000_000_000
  let due: Due[] = []
  let planned: Due[] = []

  function add(list: Due[], delayMs: number, life: Life | undefined, wake: () => void): Due {
    const entry = { atMs: nowMs + Math.max(0, delayMs), life, wake }
    list.push(entry)
    return entry
  }

  const without = (list: readonly Due[], entry: Due): Due[] => list.filter(other => other !== entry)

  /** True when somebody woke. */
  function advance(untilMs: number): boolean {
    due = due.filter(({ life }) => life?.isDead !== true)
    const first = [...planned, ...due].reduce<Due | undefined>(
      (best, each) => (best === undefined || each.atMs < best.atMs ? each : best),
      undefined,
    )
    if (first === undefined || first.atMs > untilMs) return false
    nowMs = Math.max(nowMs, first.atMs)
    planned = without(planned, first)
    due = without(due, first)
    first.wake()
    return true
  }

  async function quiet(isDone: () => boolean): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS && !isDone(); turns = isAtWork() ? 0 : turns + 1) {
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep(ms, signal) {
      signal?.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const entry = add(due, ms, lives.getStore(), () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      })
      const stop = (): void => {
        due = without(due, entry)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', stop, { once: true })
      return promise
    },
    at(delayMs, work) {
      const entry = add(planned, delayMs, undefined, work)
      return () => {
        planned = without(planned, entry)
      }
    },
    async drive(promise) {
      let isDone = false
      const settle = (): void => {
        isDone = true
      }
      promise.then(settle, settle)
      const limitMs = nowMs + DRIVE_MS_MAX
      for (;;) {
        await quiet(() => isDone)
        if (isDone) return await promise
        if (!advance(limitMs)) throw new Error('nothing goes on any more, and it has not ended')
      }
    },
    async pass(ms) {
      const untilMs = nowMs + ms
      do await quiet(() => false)
      while (advance(untilMs))
      nowMs = untilMs
    },
    clearEvents() {
      planned = []
    },
  }
}
