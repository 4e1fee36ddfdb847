/** How much work a source may have, and how much may be handed out in one turn. Pure. */
import { QUEUE_REQUESTS_MIN, QUEUE_TARGET_MS, SNUB_TIMEOUT_COUNT } from './policy.ts'
import { rateOf } from './rates.ts'
import type { SessionState } from './session-state.ts'
import type { Source } from './source.ts'

/** What may still be asked for in this turn. */
export interface Allowance {
  /** For one more piece; at least one when nothing is open, so that a download never waits for itself. */
  mayAsk(): boolean
  take(): void
}

/** Some seconds of work at its rate, and no more requests than it has earned; one at a time after failures. */
export function wantsMore(state: SessionState, source: Source): boolean {
  const { size } = source.requests
  const isOnTrial = source.strikes > 0 || source.timeouts >= SNUB_TIMEOUT_COUNT
  if (size >= (isOnTrial ? 1 : Math.min(source.requestsMax, source.window))) return false
  if (size < QUEUE_REQUESTS_MIN) return true
  return source.owedBytes < (rateOf(state, source) * QUEUE_TARGET_MS) / 1000
}
