/** A rate limit in bytes per second that lets short bursts through, never forgets what was overdrawn, and can be changed. */
import type { Clock } from '../src/core/clock.ts'

export interface TokenBucket {
  /** `undefined`: no limit. */
  readonly bytesPerSecond: number | undefined
  /** Takes `bytes` and returns how many milliseconds to wait until they are paid for; 0 when they already are. */
  debit(bytes: number): number
  /** Takes `bytes` and resolves when they are paid for, at the rate of that moment. Rejects with the signal. */
  take(bytes: number, signal?: AbortSignal): Promise<void>
  /** What was taken and is not yet paid for stays owed, and is paid at the new rate. */
  setRate(bytesPerSecond: number | undefined): void
}

/**
 * How much of the rate may pass at once, in milliseconds of it: 2 % of the 5 s over which a rate is promised, and longer
 * than a busy event loop is late for a timer, so that a limit is reached and not only kept.
 */
const BURST_MS = 100

/** Who waits notices a new rate after this. */
const RECHECK_MS = 500

/** No limit when `bytesPerSecond` is undefined. What is counted may be anything else as well. */
export function createTokenBucket(
  clock: Clock,
  bytesPerSecond: number | undefined,
  burstMs = BURST_MS,
): TokenBucket {
  let rate = bytesPerSecond
  /** Everything taken so far; who waits remembers what it was behind its own bytes. */
  let taken = 0
  /** The time at which all of it is paid for. */
  let paidAtMs = clock.monotonicMs() - burstMs

  const waitMs = (upTo: number): number => {
    if (rate === undefined) return 0
    return Math.max(0, paidAtMs - ((taken - upTo) * 1000) / rate - clock.monotonicMs())
  }
  const debit = (bytes: number): number => {
    taken += bytes
    if (rate === undefined) return 0
    paidAtMs = Math.max(paidAtMs, clock.monotonicMs() - burstMs) + (bytes * 1000) / rate
    return waitMs(taken)
  }
  return {
    get bytesPerSecond() {
      return rate
    },
    debit,
    async take(bytes, signal) {
      signal?.throwIfAborted()
      debit(bytes)
      const upTo = taken
      for (let left = waitMs(upTo); left > 0; left = waitMs(upTo)) {
        await clock.sleep(Math.min(left, RECHECK_MS), signal)
      }
    },
    setRate(next) {
      if (next === rate) return
      const nowMs = clock.monotonicMs()
      const owed = rate === undefined ? 0 : (Math.max(0, paidAtMs - nowMs) * rate) / 1000
      rate = next
      paidAtMs = next === undefined ? nowMs : nowMs + (owed * 1000) / next
    },
  }
}
