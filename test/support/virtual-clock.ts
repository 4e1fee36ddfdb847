/** A clock that runs as fast as the work allows: it jumps to the next sleeper as soon as nothing else can go on. */
import type { Clock } from '../../src/core/clock.ts'

export interface VirtualClock extends Clock {
  /** Runs until `atMs` after the start; who still sleeps then goes on sleeping. */
  runUntil(atMs: number): Promise<void>
}

/** `lateMs`: how late every sleeper wakes, as on a machine that is busy. */
export function createVirtualClock({ lateMs = 0 } = {}): VirtualClock {
  let nowMs = 0
  let order = 0
  const sleepers = new Map<number, { readonly untilMs: number; wake(): void }>()
  const next = (): number | undefined => {
    let first: number | undefined
    for (const [id, { untilMs }] of sleepers) {
      if (first === undefined || untilMs < (sleepers.get(first)?.untilMs ?? 0)) first = id
    }
    return first
  }
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep(ms, signal) {
      signal?.throwIfAborted()
      return new Promise<void>((resolve, reject) => {
        const id = order++
        const stop = (): void => {
          sleepers.delete(id)
          reject(signal?.reason)
        }
        const wake = (): void => {
          signal?.removeEventListener('abort', stop)
          resolve()
        }
        signal?.addEventListener('abort', stop, { once: true })
        sleepers.set(id, { untilMs: nowMs + ms + lateMs, wake })
      })
    },
    async runUntil(atMs) {
      for (;;) {
        await new Promise(resolve => setImmediate(resolve))
        const id = next()
        const sleeper = id === undefined ? undefined : sleepers.get(id)
        if (id === undefined || sleeper === undefined || sleeper.untilMs > atMs) break
        sleepers.delete(id)
        nowMs = Math.max(nowMs, sleeper.untilMs)
        sleeper.wake()
      }
      nowMs = atMs
    },
  }
}
