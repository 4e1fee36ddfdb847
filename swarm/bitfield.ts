/** A fixed set of piece indexes, one bit each, most significant bit first as it travels on the wire. */
export class Bitfield {
  readonly length: number
  readonly bytes: Uint8Array
  #count = 0

  constructor(length: number) {
    this.length = length
    this.bytes = new Uint8Array(Math.ceil(length / 8))
  }

  /** `undefined` when `bytes` has the wrong length or a bit beyond the end is set. */
  static parse(length: number, bytes: Uint8Array): Bitfield | undefined {
    const field = new Bitfield(length)
    if (bytes.byteLength !== field.bytes.byteLength) return undefined
    for (let index = 0; index < bytes.byteLength * 8; index += 1) {
      const isSet = (((bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1) === 1
      if (isSet && index >= length) return undefined
      if (isSet) field.add(index)
    }
    return field
  }

  static full(length: number): Bitfield {
    const field = new Bitfield(length)
    for (let index = 0; index < length; index += 1) field.add(index)
    return field
  }

  get count(): number {
    return this.#count
  }

  has(index: number): boolean {
    return (((this.bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1) === 1
  }

  /** True when the index was not in the set before. An index outside the field is ignored. */
  add(index: number): boolean {
    if (index < 0 || index >= this.length || this.has(index)) return false
    this.bytes[index >> 3] = (this.bytes[index >> 3] ?? 0) | (1 << (7 - (index & 7)))
    this.#count += 1
    return true
  }

  /** True when the index was in the set before. */
  delete(index: number): boolean {
    if (index < 0 || index >= this.length || !this.has(index)) return false
    this.bytes[index >> 3] = (this.bytes[index >> 3] ?? 0) & ~(1 << (7 - (index & 7)))
    this.#count -= 1
    return true
  }
}
