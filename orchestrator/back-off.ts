/** How often something that does not help is tried: at once, then ever more rarely. */
import type { Clock } from '../src/core/clock.ts'

const DELAY_MS = 10_000
const DELAY_MS_MAX = 300_000
/** Who was quiet for so long begins anew. */
const FORGET_MS = 600_000

export interface BackOff {
  mayTry(key: string): boolean
  note(key: string): void
}

export function createBackOff({ monotonicMs }: Pick<Clock, 'monotonicMs'>): BackOff {
  const tries = new Map<string, { count: number; atMs: number }>()
  return {
    mayTry(key) {
      const last = tries.get(key)
      if (last === undefined) return true
      const delayMs = Math.min(DELAY_MS * 2 ** (last.count - 1), DELAY_MS_MAX)
      return monotonicMs() - last.atMs >= delayMs
    },
    note(key) {
      const last = tries.get(key)
      const nowMs = monotonicMs()
      const isRecent = last !== undefined && nowMs - last.atMs < FORGET_MS
      tries.set(key, { count: isRecent ? last.count + 1 : 1, atMs: nowMs })
    },
  }
}
