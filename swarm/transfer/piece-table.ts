/**
 * The pieces of one download: which are held, asked for or free, and how rare they are. Pure; every change and every choice
 * costs a few words of bits, never a walk over all pieces and all sources.
 */
import { Bitfield } from '../bitfield.ts'

/** Beyond this many holders a piece is not rare, and counting on would only cost memory. */
const RARITY_MAX = 31

export interface PieceShape {
  readonly sizeBytes: number
  readonly pieceSizeBytes: number
  readonly pieceCount: number
}

export class PieceTable {
  readonly count: number
  readonly held: Bitfield
  readonly #shape: PieceShape
  /** Per piece: how many open requests ask for it. */
  readonly #askers: Uint16Array
  /** Per piece: how many peers hold it that do not hold everything. */
  readonly #holders: Uint16Array
  readonly #failures: Uint8Array
  #withheld: Bitfield
  /** Free pieces by rarity: one field of bits for each number of holders. */
  readonly #free: Bitfield[] = []
  #freeCount = 0
  #heldBytes = 0
  #version = 0

  constructor(shape: PieceShape, isHeld: (pieceIndex: number) => boolean) {
    this.#shape = shape
    this.count = shape.pieceCount
    this.held = new Bitfield(shape.pieceCount)
    this.#askers = new Uint16Array(shape.pieceCount)
    this.#holders = new Uint16Array(shape.pieceCount)
    this.#failures = new Uint8Array(shape.pieceCount)
    this.#withheld = new Bitfield(shape.pieceCount)
    for (let index = 0; index < shape.pieceCount; index += 1) {
      if (isHeld(index)) this.#keep(index)
      else this.#addFree(index)
    }
  }

  get isComplete(): boolean {
    return this.held.count === this.count
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get missingBytes(): number {
    return this.#shape.sizeBytes - this.#heldBytes
  }

  get freeCount(): number {
    return this.#freeCount
  }

  /** Grows whenever a piece becomes free: what had nothing to do before may have now. */
  get version(): number {
    return this.#version
  }

  bytesOf(pieceIndex: number): number {
    const { sizeBytes, pieceSizeBytes } = this.#shape
    return Math.min(pieceSizeBytes, sizeBytes - pieceIndex * pieceSizeBytes)
  }

  /** Neither held nor asked for, nor expected from this node itself. */
  isFree(pieceIndex: number): boolean {
    if (this.held.has(pieceIndex) || this.#withheld.has(pieceIndex)) return false
    return this.#askers[pieceIndex] === 0
  }

  askerCount(pieceIndex: number): number {
    return this.#askers[pieceIndex] ?? 0
  }

  /** Of the peers that do not hold everything. */
  holderCount(pieceIndex: number): number {
    return this.#holders[pieceIndex] ?? 0
  }

  failureCount(pieceIndex: number): number {
    return this.#failures[pieceIndex] ?? 0
  }

  noteFailure(pieceIndex: number): void {
    this.#failures[pieceIndex] = Math.min(255, this.failureCount(pieceIndex) + 1)
  }

  hold(pieceIndex: number): void {
    if (this.held.has(pieceIndex)) return
    if (this.isFree(pieceIndex)) this.#removeFree(pieceIndex)
    this.#keep(pieceIndex)
  }

  ask(pieceIndex: number): void {
    if (this.isFree(pieceIndex)) this.#removeFree(pieceIndex)
    this.#askers[pieceIndex] = this.askerCount(pieceIndex) + 1
  }

  /** One request fewer asks for it. */
  release(pieceIndex: number): void {
    this.#askers[pieceIndex] = Math.max(0, this.askerCount(pieceIndex) - 1)
    if (!this.isFree(pieceIndex)) return
    this.#addFree(pieceIndex)
    this.#version += 1
  }

  /** Only these are withheld from now on. */
  withhold(pieces: Bitfield): void {
    const before = this.#withheld
    for (let index = 0; index < this.count; index += 1) {
      if (pieces.has(index) === before.has(index)) continue
      if (this.isFree(index)) this.#removeFree(index)
    }
    this.#withheld = pieces
    for (let index = 0; index < this.count; index += 1) {
      if (before.has(index) && !pieces.has(index) && this.isFree(index)) this.#addFree(index)
    }
    this.#version += 1
  }

  /** A peer that does not hold everything has the piece (`1`), or has it no longer (`-1`). */
  noteHolder(pieceIndex: number, change: 1 | -1): void {
    const isFree = this.isFree(pieceIndex)
    if (isFree) this.#removeFree(pieceIndex)
    this.#holders[pieceIndex] = Math.max(0, this.holderCount(pieceIndex) + change)
    if (isFree) this.#addFree(pieceIndex)
  }

  /**
   * The free piece among `pieces` that the fewest peers hold; among equals the first at or behind `start`, wrapping
   * around. `rarityMax`: not one that more peers hold.
   */
  pickRarest(pieces: Bitfield, start: number, rarityMax = RARITY_MAX): number | undefined {
    const last = Math.min(this.#free.length - 1, rarityMax)
    for (let rarity = 0; rarity <= last; rarity += 1) {
      const free = this.#free[rarity]
      if (free === undefined || free.count === 0) continue
      const found = firstCommon(free, pieces, start)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** How many pieces from `firstPiece` on are free and no more common than `rarityMax`; at most `lengthMax`. */
  runLength(firstPiece: number, lengthMax: number, rarityMax = RARITY_MAX): number {
    let length = 0
    while (length < lengthMax && firstPiece + length < this.count) {
      const index = firstPiece + length
      if (!this.isFree(index) || this.#rarityOf(index) > rarityMax) break
      length += 1
    }
    return length
  }

  #rarityOf(pieceIndex: number): number {
    return Math.min(this.holderCount(pieceIndex), RARITY_MAX)
  }

  #keep(pieceIndex: number): void {
    this.held.add(pieceIndex)
    this.#heldBytes += this.bytesOf(pieceIndex)
  }

  #addFree(pieceIndex: number): void {
    const rarity = this.#rarityOf(pieceIndex)
    while (this.#free.length <= rarity) this.#free.push(new Bitfield(this.count))
    this.#free[rarity]?.add(pieceIndex)
    this.#freeCount += 1
  }

  #removeFree(pieceIndex: number): void {
    this.#free[this.#rarityOf(pieceIndex)]?.delete(pieceIndex)
    this.#freeCount -= 1
  }
}

/** The first index that both fields have, at or behind `start`, wrapping around. */
export function firstCommon(a: Bitfield, b: Bitfield, start: number): number | undefined {
  const { bytes } = a
  const firstByte = start >> 3
  for (let step = 0; step <= bytes.length; step += 1) {
    const at = (firstByte + step) % bytes.length
    let common = (bytes[at] ?? 0) & (b.bytes[at] ?? 0)
    if (step === 0) common &= 0xff >> (start & 7)
    // Once around: what lies before `start` in its own byte.
    if (step === bytes.length) common &= ~(0xff >> (start & 7))
    if (common !== 0) return at * 8 + Math.clz32(common) - 24
  }
  return undefined
}
