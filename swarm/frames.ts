/** Cuts the bytes of a stream into frames. Pure. */
import { FRAME_BYTES_MAX } from './limits.ts'
import { malformed } from './message-reader.ts'

/** Cuts a byte stream into frames; holds at most one unfinished frame. */
export class FrameSplitter {
  readonly #pending: Uint8Array[] = []
  #pendingBytes = 0

  /**
   * The frames that `bytes` completes, without their lengths. They may share memory with `bytes`.
   * @throws SwarmError `MESSAGE_MALFORMED` when a frame is empty or larger than `FRAME_BYTES_MAX`.
   */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    if (bytes.byteLength > 0) this.#pending.push(bytes)
    this.#pendingBytes += bytes.byteLength
    const frames: Uint8Array[] = []
    let buffer = this.#joined()
    while (buffer.byteLength >= 4) {
      const length = new DataView(buffer.buffer, buffer.byteOffset).getUint32(0)
      if (length === 0 || length > FRAME_BYTES_MAX) {
        throw malformed(`a frame of ${length} bytes; the limit is ${FRAME_BYTES_MAX}`)
      }
      if (buffer.byteLength < 4 + length) break
      frames.push(buffer.subarray(4, 4 + length))
      buffer = buffer.subarray(4 + length)
    }
    this.#keep(buffer)
    return frames
  }

  #joined(): Uint8Array {
    const [only] = this.#pending
    return this.#pending.length === 1 && only !== undefined ? only : Buffer.concat(this.#pending)
  }

  #keep(rest: Uint8Array): void {
    this.#pending.length = 0
    if (rest.byteLength > 0) this.#pending.push(rest)
    this.#pendingBytes = rest.byteLength
  }

  /** Bytes of the unfinished frame. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }
}
