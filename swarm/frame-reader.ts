/** Reads frames as their bytes come in, and says where the bytes of an answer belong, so that nobody copies them twice. Pure. */
import { DATA_HEAD_BYTES, DATA_KIND } from './data-head.ts'
import { FRAME_BYTES_MAX } from './limits.ts'
import { malformed } from './message-reader.ts'

/** Where the bytes of one DATA frame go. */
export interface Landing {
  /** Memory for the next bytes of the frame, never empty; bytes beyond what the frame still has are not used. */
  room(): Uint8Array
  /** This many bytes were put at the start of `room`. */
  note(count: number): void
  /** The frame is over: nothing is put into its memory any more. */
  end(): void
}

export interface FrameHandlers {
  /** A whole frame without its length, of any kind but DATA. It is not used by the reader afterwards. */
  onFrame(frame: Uint8Array): void
  /** A DATA frame begins. @throws SwarmError `MESSAGE_MALFORMED` when it does not belong there. */
  onData(id: number, offset: number, length: number): Landing
}

/** Length and kind. */
const HEAD_BYTES = 5

/**
 * Holds at most one unfinished frame of `FRAME_BYTES_MAX`. Every method throws SwarmError `MESSAGE_MALFORMED` when a frame
 * is empty or above its bound; the reader is of no use afterwards.
 */
export class FrameReader {
  readonly #handlers: FrameHandlers
  readonly #dataBytesMax: number
  readonly #head = Buffer.alloc(DATA_HEAD_BYTES)
  #headWanted = HEAD_BYTES
  #headFilled = 0
  #body: Buffer | undefined
  #bodyFilled = 0
  #landing: Landing | undefined
  #landingLeft = 0

  constructor(handlers: FrameHandlers, dataBytesMax: number) {
    this.#handlers = handlers
    this.#dataBytesMax = dataBytesMax
  }

  /** Where the next bytes of the stream belong; put at most as many as there is room, then call `advance`. */
  target(): Uint8Array {
    if (this.#landing !== undefined) {
      const room = this.#landing.room()
      return room.byteLength > this.#landingLeft ? room.subarray(0, this.#landingLeft) : room
    }
    if (this.#body !== undefined) return this.#body.subarray(this.#bodyFilled)
    return this.#head.subarray(this.#headFilled, this.#headWanted)
  }

  advance(count: number): void {
    if (this.#landing !== undefined) this.#advanceLanding(this.#landing, count)
    else if (this.#body !== undefined) this.#advanceBody(this.#body, count)
    else this.#advanceHead(count)
  }

  /** Takes bytes that came in memory of their own. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; ) {
      const target = this.target()
      const count = Math.min(target.byteLength, bytes.byteLength - at)
      target.set(at === 0 && count === bytes.byteLength ? bytes : bytes.subarray(at, at + count))
      at += count
      this.advance(count)
    }
  }

  #advanceLanding(landing: Landing, count: number): void {
    this.#landingLeft -= count
    landing.note(count)
    if (this.#landingLeft > 0) return
    this.#landing = undefined
    landing.end()
  }

  #advanceBody(body: Buffer, count: number): void {
    this.#bodyFilled += count
    if (this.#bodyFilled < body.byteLength) return
    this.#body = undefined
    this.#handlers.onFrame(body)
  }

  #advanceHead(count: number): void {
    this.#headFilled += count
    if (this.#headFilled < this.#headWanted) return
    const length = this.#head.readUInt32BE(0)
    const kind = this.#head.readUInt8(4)
    if (this.#headWanted === HEAD_BYTES && kind === DATA_KIND && length > 0) {
      this.#headWanted = DATA_HEAD_BYTES
      return
    }
    this.#headFilled = 0
    this.#headWanted = HEAD_BYTES
    if (kind === DATA_KIND && length > 0) this.#beginData(length - (DATA_HEAD_BYTES - 4))
    else this.#beginBody(length, kind)
  }

  #beginData(length: number): void {
    if (length < 1 || length > this.#dataBytesMax) {
      throw malformed(`${length} bytes of data; the limit is ${this.#dataBytesMax}`)
    }
    const id = this.#head.readUInt32BE(5)
    this.#landing = this.#handlers.onData(id, this.#head.readUInt32BE(9), length)
    this.#landingLeft = length
  }

  #beginBody(length: number, kind: number): void {
    if (length === 0 || length > FRAME_BYTES_MAX) {
      throw malformed(`a frame of ${length} bytes; the limit is ${FRAME_BYTES_MAX}`)
    }
    const body = Buffer.allocUnsafe(length)
    body[0] = kind
    this.#bodyFilled = 0
    this.#body = body
    this.#advanceBody(body, 1)
  }
}
