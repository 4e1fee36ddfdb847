/** Which pieces of a blob are held, in memory and as a file that notices damage. Pure. */
import { BLOB_SIZE_BYTES_MAX, pieceCountOf } from '../../src/core/blake3/index.ts'
import { type Digest, digestBytes, digestOf } from '../../src/core/digest.ts'

export interface PieceSet {
  readonly pieceCount: number
  readonly heldCount: number
  readonly isFull: boolean
  has(pieceIndex: number): boolean
  add(pieceIndex: number): void
  delete(pieceIndex: number): void
  copy(): PieceSet
  /** One bit for each piece, the lowest bit of the first byte first; unused bits are 0. */
  bytes(): Uint8Array
}

/** Without bits all pieces are held: most sets are full, and there are thousands of them. */
class BitSet implements PieceSet {
  readonly pieceCount: number
  #bits: Uint8Array | undefined
  #heldCount: number

  constructor(pieceCount: number, bits: Uint8Array | undefined) {
    this.pieceCount = pieceCount
    this.#bits = bits
    this.#heldCount = pieceCount
    if (bits === undefined) return
    this.#heldCount = 0
    for (let index = 0; index < pieceCount; index++) if (this.has(index)) this.#heldCount++
  }

  get heldCount(): number {
    return this.#heldCount
  }
  get isFull(): boolean {
    return this.#heldCount === this.pieceCount
  }
  has(index: number): boolean {
    if (this.#bits === undefined) return index >= 0 && index < this.pieceCount
    return (((this.#bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1
  }
  add(index: number): void {
    if (this.has(index)) return
    this.#flip(index)
    this.#heldCount++
    if (this.isFull) this.#bits = undefined
  }
  delete(index: number): void {
    if (!this.has(index)) return
    this.#flip(index)
    this.#heldCount--
  }
  copy(): PieceSet {
    return new BitSet(this.pieceCount, this.#bits?.slice())
  }
  bytes(): Uint8Array {
    return this.#bits?.slice() ?? fullBits(this.pieceCount)
  }
  #flip(index: number): void {
    this.#bits ??= fullBits(this.pieceCount)
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) ^ (1 << (index & 7))
  }
}

function fullBits(pieceCount: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(pieceCount / 8)).fill(0xff)
  if (pieceCount % 8 !== 0) bits[bits.length - 1] = (1 << (pieceCount % 8)) - 1
  return bits
}

/** @param bits taken over, not copied; empty when left out */
export function createPieceSet(
  pieceCount: number,
  bits = new Uint8Array(Math.ceil(pieceCount / 8)),
): PieceSet {
  return new BitSet(pieceCount, bits)
}

export function createFullPieceSet(pieceCount: number): PieceSet {
  return new BitSet(pieceCount, undefined)
}

const MAGIC = Buffer.from('archybf1', 'ascii')
const HEADER_BYTES = MAGIC.length + 8
const CHECKSUM_BYTES = 32
/** The bits of the largest blob, with header and checksum. */
export const BITFIELD_FILE_BYTES_MAX = HEADER_BYTES + 32 * 1024 + CHECKSUM_BYTES

/** Magic, size of the blob as a 64-bit little-endian number, the bits, and a checksum that covers the address too. */
export function encodeBitfield(digest: Digest, sizeBytes: number, pieces: PieceSet): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.writeBigUInt64LE(BigInt(sizeBytes), MAGIC.length)
  const body = Buffer.concat([header, pieces.bytes()])
  return Buffer.concat([body, checksumOf(digest, body)])
}

/** `undefined` when the file is damaged, of another blob, or of another format. */
export function decodeBitfield(
  digest: Digest,
  file: Uint8Array,
): { readonly sizeBytes: number; readonly pieces: PieceSet } | undefined {
  const bytes = Buffer.from(file)
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) return undefined
  const body = bytes.subarray(0, bytes.length - CHECKSUM_BYTES)
  if (!checksumOf(digest, body).equals(bytes.subarray(body.length))) return undefined
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const sizeBytes = Number(body.readBigUInt64LE(MAGIC.length))
  if (sizeBytes > BLOB_SIZE_BYTES_MAX) return undefined
  const pieceCount = pieceCountOf(sizeBytes)
  const bits = body.subarray(HEADER_BYTES)
  if (bits.length !== Math.ceil(pieceCount / 8)) return undefined
  return { sizeBytes, pieces: createPieceSet(pieceCount, Uint8Array.from(bits)) }
}

function checksumOf(digest: Digest, body: Uint8Array): Buffer {
  return Buffer.from(digestBytes(digestOf(Buffer.concat([digestBytes(digest), body]))))
}
