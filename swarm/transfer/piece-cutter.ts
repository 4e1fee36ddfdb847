/** Cuts a stream of chunks into pieces, each in memory of its own; holds at most one piece that is not complete. */
import type { PieceMemory } from '../piece-memory.ts'

export class PieceCutter {
  readonly #memory: PieceMemory
  readonly #pieceSizeBytes: number
  #leftBytes: number
  /** Taken when the first byte of a piece comes. */
  #piece: Uint8Array | undefined
  #filled = 0

  /** For `lengthBytes` bytes that start at a piece boundary; only the last piece may be short. */
  constructor(memory: PieceMemory, pieceSizeBytes: number, lengthBytes: number) {
    this.#memory = memory
    this.#pieceSizeBytes = pieceSizeBytes
    this.#leftBytes = lengthBytes
  }

  /**
   * The pieces that `chunk` completes; whoever takes one gives its memory back. Bytes beyond the length are the caller's
   * error and are dropped.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < chunk.byteLength && this.#leftBytes > 0; ) {
      this.#piece ??= this.#memory.take(Math.min(this.#pieceSizeBytes, this.#leftBytes))
      const part = chunk.subarray(at, at + this.#piece.byteLength - this.#filled)
      this.#piece.set(part, this.#filled)
      this.#filled += part.byteLength
      at += part.byteLength
      if (this.#filled < this.#piece.byteLength) return
      const piece = this.#piece
      this.#leftBytes -= piece.byteLength
      this.#piece = undefined
      this.#filled = 0
      yield piece
    }
  }

  /** Gives back the piece that was not completed. */
  close(): void {
    if (this.#piece !== undefined) this.#memory.give(this.#piece)
    this.#piece = undefined
  }
}
