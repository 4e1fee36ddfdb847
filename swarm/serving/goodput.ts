/** Whether a peer takes what waits for it at a useful rate. A slow one holds memory and a slot that others could use. Pure. */
import { GOODPUT_BYTES_PER_SECOND_MIN, GOODPUT_WINDOW_MS } from '../limits.ts'

/** Counts only time in which bytes wait for the peer: a pause of ours is not its fault. */
export class Goodput {
  #waitedMs = 0
  #takenBytes = 0
  #sinceMs: number | undefined

  /** Bytes begin to wait for the peer. */
  begin(nowMs: number): void {
    this.#sinceMs ??= nowMs
  }

  /** It took them. */
  taken(bytes: number, nowMs: number): void {
    this.#takenBytes += bytes
    this.#waitedMs += nowMs - (this.#sinceMs ?? nowMs)
    this.#sinceMs = undefined
    // Once it has earned a window it begins a new one: what it did well long ago does not excuse it now.
    if (this.#waitedMs >= GOODPUT_WINDOW_MS && this.#isEnough()) this.#restart()
  }

  /** Milliseconds until it will be too slow if it takes nothing more; 0 when it is. */
  patienceMs(nowMs: number): number {
    const waitedMs = this.#waitedMs + (nowMs - (this.#sinceMs ?? nowMs))
    if (waitedMs < GOODPUT_WINDOW_MS) return GOODPUT_WINDOW_MS - waitedMs
    if (this.#isEnough(waitedMs)) this.#restart(nowMs)
    else return 0
    return GOODPUT_WINDOW_MS
  }

  #isEnough(waitedMs = this.#waitedMs): boolean {
    return this.#takenBytes * 1000 >= GOODPUT_BYTES_PER_SECOND_MIN * waitedMs
  }

  #restart(nowMs?: number): void {
    this.#waitedMs = 0
    this.#takenBytes = 0
    if (this.#sinceMs !== undefined && nowMs !== undefined) this.#sinceMs = nowMs
  }
}
