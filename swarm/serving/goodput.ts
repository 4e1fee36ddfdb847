/** Whether a peer takes what waits for it at a useful rate. A slow one holds memory and a slot that others could use. Pure. */
import {
  GOODPUT_BYTES_PER_SECOND_MIN,
  GOODPUT_WINDOW_MS,
  SERVE_STALL_TIMEOUT_MS,
} from '../limits.ts'

/** Counts only time in which bytes wait for the peer: a pause of ours is not its fault. */
export class Goodput {
  #waitedMs = 0
  #takenBytes = 0
  #pending: { readonly sinceMs: number; readonly bytes: number } | undefined
  #isSlow = false

  /** Over a whole window it took less than it should. */
  get isSlow(): boolean {
    return this.#isSlow
  }

  /** Bytes begin to wait for the peer. */
  begin(bytes: number, nowMs: number): void {
    this.#pending = { sinceMs: nowMs, bytes }
  }

  /** It took them. */
  taken(nowMs: number): void {
    const { sinceMs = nowMs, bytes = 0 } = this.#pending ?? {}
    this.#pending = undefined
    this.#takenBytes += bytes
    this.#waitedMs += nowMs - sinceMs
    if (this.#waitedMs < GOODPUT_WINDOW_MS) return
    this.#isSlow = this.#takenBytes * 1000 < GOODPUT_BYTES_PER_SECOND_MIN * this.#waitedMs
    // What it did well long ago does not excuse it now.
    this.#waitedMs = 0
    this.#takenBytes = 0
  }

  /** Milliseconds until it is too slow if it takes nothing more; 0 when it is. */
  patienceMs(nowMs: number): number {
    if (this.#isSlow) return 0
    if (this.#pending === undefined) return GOODPUT_WINDOW_MS
    const { sinceMs, bytes } = this.#pending
    return Math.max(0, sinceMs + allowedMs(bytes) - nowMs)
  }
}

/** Of what was handed over in one piece nobody knows how much is on its way: a large piece has more time. */
function allowedMs(bytes: number): number {
  const dueMs = (bytes * 1000) / GOODPUT_BYTES_PER_SECOND_MIN
  return Math.min(Math.max(dueMs, GOODPUT_WINDOW_MS), SERVE_STALL_TIMEOUT_MS)
}
