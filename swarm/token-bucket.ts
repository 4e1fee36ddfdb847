/** A rate limit in bytes per second that lets short bursts through and never forgets what was overdrawn. */
import type { Clock } from '../src/core/clock.ts'

export interface TokenBucket {
  /** Takes `bytes` and returns how many milliseconds to wait until they are paid for; 0 when they already are. */
  debit(bytes: number): number
  /** Takes `bytes` and resolves when they are paid for. Rejects with the signal. */
  take(bytes: number, signal?: AbortSignal): Promise<void>
}

/** How much of the rate may pass at once, in milliseconds of it. */
const BURST_MS = 250

/** No limit when `bytesPerSecond` is undefined. What is counted may be anything else as well. */
export function createTokenBucket(
  clock: Clock,
  bytesPerSecond: number | undefined,
  burstMs = BURST_MS,
): TokenBucket {
  if (bytesPerSecond === undefined) return { debit: () => 0, take: async () => {} }
  const bytesPerMs = bytesPerSecond / 1000
  /** The time at which everything taken so far is paid for. */
  let paidAtMs = clock.monotonicMs() - burstMs
  const debit = (bytes: number): number => {
    const nowMs = clock.monotonicMs()
    paidAtMs = Math.max(paidAtMs, nowMs - burstMs) + bytes / bytesPerMs
    return Math.max(0, paidAtMs - nowMs)
  }
  return {
    debit,
    async take(bytes, signal) {
      signal?.throwIfAborted()
      const waitMs = debit(bytes)
      if (waitMs > 0) await clock.sleep(waitMs, signal)
    },
  }
}
