/** Ends work that makes no progress. */
import type { Clock } from './core/clock.ts'

export interface IdleTimer extends Disposable {
  /** Aborted when `reset` was not called for the whole time. */
  readonly signal: AbortSignal
  reset(): void
}

export function createIdleTimer(clock: Clock, idleMs: number, what: string): IdleTimer {
  const idle = new AbortController()
  const ended = new AbortController()
  let dueMs = clock.monotonicMs() + idleMs
  const wait = async (): Promise<void> => {
    for (let leftMs = idleMs; leftMs > 0; leftMs = dueMs - clock.monotonicMs()) {
      await clock.sleep(leftMs, ended.signal)
    }
    idle.abort(new Error(`${what} for ${idleMs / 1000} s`))
  }
  wait().catch(() => {
    // Ended before its time: nobody waits for the signal any more.
  })
  return {
    signal: idle.signal,
    reset() {
      dueMs = clock.monotonicMs() + idleMs
    },
    [Symbol.dispose]: () => ended.abort(),
  }
}
