/** How many bytes to read for a peer at a time: what it takes in a moment, so that a slow one holds little memory. Pure. */
import { PACE_BYTES_MIN, SERVE_CHUNK_BYTES } from '../limits.ts'

/** Taken sooner than this, the next chunk is twice as large; later than `SLOW_MS`, as large as what it takes in that time. */
const QUICK_MS = 250
const SLOW_MS = 1_000

/** The buffers of a connection take some megabytes at once, whatever the link behind them: only then the largest chunks. */
const PROVEN_BYTES = 16 * 1024 * 1024

export class Pace {
  #chunkBytes = PACE_BYTES_MIN
  #takenBytes = 0

  get chunkBytes(): number {
    return this.#chunkBytes
  }

  /** A chunk of `bytes` was taken after `tookMs`; the next is never larger than `maxBytes`. */
  note(bytes: number, tookMs: number, maxBytes: number): void {
    this.#takenBytes += bytes
    const most = this.#takenBytes < PROVEN_BYTES ? Math.min(maxBytes, SERVE_CHUNK_BYTES) : maxBytes
    if (tookMs < QUICK_MS) this.#chunkBytes = Math.min(this.#chunkBytes * 2, most)
    else if (tookMs > SLOW_MS) {
      const inTime = 2 ** Math.floor(Math.log2((bytes * SLOW_MS) / tookMs))
      this.#chunkBytes = Math.min(this.#chunkBytes, Math.max(inTime, PACE_BYTES_MIN))
    }
  }
}
