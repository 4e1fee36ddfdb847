/**
 * Which pieces of a changed blob the network is not yet asked for, because what follows a piece may follow it in the old
 * blob too. Pure: one piece of each gap is fetched, its bytes show how far things were moved, and the rest is read there.
 */
import { Bitfield } from '../bitfield.ts'

/** After so many places in a row where nothing was found, the rest of the gap is new or was packed anew. */
const MISSES_MAX = 4

export interface ReusePlan {
  /** Pieces that wait for what the others show. */
  isWithheld(pieceIndex: number): boolean
  readonly withheldCount: number
  /** A copy, for the session. */
  withheld(): Bitfield
  /** The piece came from the old blob. */
  noteFound(pieceIndex: number): void
  /** Nothing fits at `pieceIndex`: it must be fetched. `foundCount`: pieces found on the way to it. */
  noteEnd(pieceIndex: number, foundCount: number): void
  giveUp(): void
}

/** Withholds all but the first piece of each gap. */
export function createReusePlan(
  pieceCount: number,
  isHeld: (pieceIndex: number) => boolean,
): ReusePlan {
  let waiting = new Set<number>()
  for (let index = 1; index < pieceCount; index += 1) {
    if (!isHeld(index) && !isHeld(index - 1)) waiting.add(index)
  }
  let misses = 0

  /** Each miss in a row lets twice as many go, so that a gap of new bytes soon has the whole network. */
  const allowFrom = (first: number): void => {
    const count = misses >= MISSES_MAX ? pieceCount : 2 ** misses
    for (let index = first; index < first + count && waiting.has(index); index += 1) {
      waiting.delete(index)
    }
  }
  return {
    isWithheld: index => waiting.has(index),
    get withheldCount() {
      return waiting.size
    },
    withheld() {
      const field = new Bitfield(pieceCount)
      for (const index of waiting) field.add(index)
      return field
    },
    noteFound(index) {
      waiting.delete(index)
    },
    noteEnd(index, foundCount) {
      misses = foundCount > 0 ? 0 : misses + 1
      allowFrom(index)
    },
    giveUp() {
      waiting = new Set()
    },
  }
}
