/** How many bytes to read for a peer at a time: what it takes in a moment, so that a slow one holds little memory. Pure. */
import { PACE_BYTES_MIN } from '../limits.ts'

/** Taken sooner than this, the next chunk is twice as large; later than `SLOW_MS`, half as large. */
const QUICK_MS = 250
const SLOW_MS = 1_000

export class Pace {
  #chunkBytes = PACE_BYTES_MIN

  get chunkBytes(): number {
    return this.#chunkBytes
  }

  /** A chunk of that size, or of a smaller one, was taken after `tookMs`; never larger than `maxBytes`. */
  note(tookMs: number, maxBytes: number): void {
    if (tookMs < QUICK_MS) this.#chunkBytes = Math.min(this.#chunkBytes * 2, maxBytes)
    else if (tookMs > SLOW_MS) this.#chunkBytes = Math.max(this.#chunkBytes / 2, PACE_BYTES_MIN)
  }
}
