/** When a chunk that goes through a slow line comes out at its other end. Pure: time and chance are passed in. */

export interface Line {
  /** One way. */
  readonly delayMs?: number
  /** Added to the delay: evenly spread between 0 and this. */
  readonly jitterMs?: number
  readonly rateBytesPerSecond?: number
}

export interface ShaperState {
  /** When the line has sent all that it was given. */
  readonly idleAtMs: number
  /** When the last chunk comes out: none overtakes another. */
  readonly lastDueMs: number
}

export const IDLE_SHAPER: ShaperState = { idleAtMs: 0, lastDueMs: 0 }

/**
 * Gives a chunk to the line.
 * @param chance from 0 up to 1.
 * @returns when the chunk is due, on the clock of `nowMs`, and the state for the next one.
 */
export function scheduleChunk(
  state: ShaperState,
  line: Line,
  nowMs: number,
  sizeBytes: number,
  chance: number,
): { readonly dueMs: number; readonly state: ShaperState } {
  const rate = line.rateBytesPerSecond
  const sendMs = rate === undefined ? 0 : (sizeBytes * 1000) / rate
  const sentMs = Math.max(nowMs, state.idleAtMs) + sendMs
  const wishMs = sentMs + (line.delayMs ?? 0) + (line.jitterMs ?? 0) * chance
  const dueMs = Math.max(wishMs, state.lastDueMs)
  return { dueMs, state: { idleAtMs: sentMs, lastDueMs: dueMs } }
}
