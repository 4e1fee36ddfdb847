/** Waits for a condition instead of a length of time. */
import { systemClock } from '../../../src/core/clock.ts'
import { messageOf } from '../../../src/core/errors.ts'
import { LabError } from './errors.ts'

/** Short against everything that is waited for here; long enough to cost no CPU that matters. */
const POLL_MS = 50

/**
 * Calls `probe` until it returns something other than `undefined` or `false`. A probe that throws counts as "not yet".
 * @throws LabError `LAB_TIMEOUT` with `what` and the last error of the probe, after `timeoutMs`.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined | false>,
): Promise<T> {
  const endMs = systemClock.monotonicMs() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      last = error
    }
    if (systemClock.monotonicMs() > endMs) {
      const why = last === undefined ? '' : `: ${messageOf(last)}`
      throw new LabError('LAB_TIMEOUT', `${what}: not within ${timeoutMs} ms${why}`, {
        cause: last,
      })
    }
    await systemClock.sleep(POLL_MS)
  }
}
