/** Cuts a stream of chunks into pieces; holds at most one piece. Pure. */
export class PieceCutter {
  readonly #pieceSizeBytes: number
  #leftBytes: number
  #piece: Uint8Array
  #filled = 0

  /** For `lengthBytes` bytes that start at a piece boundary; only the last piece may be short. */
  constructor(pieceSizeBytes: number, lengthBytes: number) {
    this.#pieceSizeBytes = pieceSizeBytes
    this.#leftBytes = lengthBytes
    this.#piece = new Uint8Array(Math.min(pieceSizeBytes, lengthBytes))
  }

  /** The pieces that `chunk` completes. Bytes beyond the length are the caller's error and are dropped. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < chunk.byteLength && this.#leftBytes > 0; ) {
      const part = chunk.subarray(at, at + this.#piece.byteLength - this.#filled)
      this.#piece.set(part, this.#filled)
      this.#filled += part.byteLength
      at += part.byteLength
      if (this.#filled < this.#piece.byteLength) return
      const piece = this.#piece
      this.#leftBytes -= piece.byteLength
      this.#piece = new Uint8Array(Math.min(this.#pieceSizeBytes, this.#leftBytes))
      this.#filled = 0
      yield piece
    }
  }
}
