/**
 * Takes a run of pieces as they come in, each in memory of its own: a piece is kept while the next one comes, and nothing
 * more is taken while two are not yet kept.
 */
import type { RangeIntake } from '../origin/intake.ts'
import type { PieceMemory } from '../piece-memory.ts'

export interface PieceRun {
  readonly firstPiece: number
  readonly pieceSizeBytes: number
  /** Starts at a piece boundary; only the last piece may be short. */
  readonly lengthBytes: number
}

export class PieceIntake implements RangeIntake {
  readonly #memory: PieceMemory
  readonly #keep: (pieceIndex: number, piece: Uint8Array) => Promise<void>
  readonly #onBytes: (count: number) => void
  readonly #pieceSizeBytes: number
  #pieceIndex: number
  #leftBytes: number
  /** Taken when the first byte of a piece comes. */
  #piece: Uint8Array | undefined
  #filled = 0
  #keeping: Promise<void> = Promise.resolve()
  #keepingCount = 0

  constructor(
    {
      memory,
      keep,
      onBytes,
    }: {
      readonly memory: PieceMemory
      /** Whoever takes the piece gives its memory back. */
      keep(pieceIndex: number, piece: Uint8Array): Promise<void>
      onBytes(count: number): void
    },
    { firstPiece, pieceSizeBytes, lengthBytes }: PieceRun,
  ) {
    this.#memory = memory
    this.#keep = keep
    this.#onBytes = onBytes
    this.#pieceIndex = firstPiece
    this.#pieceSizeBytes = pieceSizeBytes
    this.#leftBytes = lengthBytes
  }

  room(): Uint8Array {
    this.#piece ??= this.#memory.take(Math.min(this.#pieceSizeBytes, this.#leftBytes))
    return this.#piece.subarray(this.#filled)
  }

  advance(count: number): Promise<void> | undefined {
    this.#filled += count
    this.#onBytes(count)
    const piece = this.#piece
    if (piece === undefined || this.#filled < piece.byteLength) return undefined
    this.#leftBytes -= piece.byteLength
    this.#piece = undefined
    this.#filled = 0
    const before = this.#keeping
    const mustWait = this.#keepingCount > 0
    this.#keepingCount += 1
    this.#keeping = this.#keepNext(before, this.#pieceIndex, piece)
    this.#keeping.catch(() => {
      /* Awaited by whoever closes this. */
    })
    this.#pieceIndex += 1
    return mustWait ? before : undefined
  }

  async #keepNext(before: Promise<void>, pieceIndex: number, piece: Uint8Array): Promise<void> {
    try {
      await before
    } catch (error) {
      this.#memory.give(piece)
      throw error
    }
    await this.#keep(pieceIndex, piece)
    this.#keepingCount -= 1
  }

  /** When nothing comes in any more: gives back the piece that was not completed. Rejects when one could not be kept. */
  async close(): Promise<void> {
    if (this.#piece !== undefined) this.#memory.give(this.#piece)
    this.#piece = undefined
    await this.#keeping
  }
}
