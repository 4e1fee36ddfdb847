/** Reads the fields of one message in order, with a bound on each. Pure. */
import { type Digest, digestFromBytes } from '../src/core/digest.ts'
import { SwarmError } from './errors.ts'

const DIGEST_BYTES = 32

export class MessageReader {
  readonly #frame: Buffer
  #at = 0

  constructor(frame: Uint8Array) {
    this.#frame = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#frame.byteLength
  }

  number(width: number, max = Number.MAX_SAFE_INTEGER): number {
    this.#need(width)
    const value = this.#frame.readUIntBE(this.#at, width)
    if (value > max) throw malformed(`the number ${value} is above its limit of ${max}`)
    this.#at += width
    return value
  }

  digest(): Digest {
    return digestFromBytes(this.bytes(DIGEST_BYTES))
  }

  bytes(length: number): Uint8Array {
    this.#need(length)
    this.#at += length
    return this.#frame.subarray(this.#at - length, this.#at)
  }

  rest(max: number): Uint8Array {
    const length = this.#frame.byteLength - this.#at
    if (length > max) throw malformed(`${length} bytes of data; the limit is ${max}`)
    return this.bytes(length)
  }

  expectEnd(): void {
    const left = this.#frame.byteLength - this.#at
    if (left > 0) throw malformed(`${left} bytes behind the end`)
  }

  #need(length: number): void {
    const left = this.#frame.byteLength - this.#at
    if (left < length) throw malformed(`${length} bytes expected, ${left} left`)
  }
}

export function malformed(why: string): SwarmError {
  return new SwarmError(
    'MESSAGE_MALFORMED',
    `a peer sent a message that breaks the protocol: ${why}`,
  )
}
