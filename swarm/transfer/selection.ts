/** Which piece to ask for next. Pure. */

export interface Candidates {
  readonly pieceCount: number
  isWanted(pieceIndex: number): boolean
  /** How many peers hold it. */
  holderCount(pieceIndex: number): number
}

/**
 * The wanted piece that the fewest peers hold; among equals the first one at or behind `start`, wrapping around.
 * Nodes that start at different places fetch different pieces and can then serve each other.
 */
export function pickRarest(candidates: Candidates, start: number): number | undefined {
  let best: number | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (let step = 0; step < candidates.pieceCount; step += 1) {
    const pieceIndex = (start + step) % candidates.pieceCount
    if (!candidates.isWanted(pieceIndex)) continue
    const holders = candidates.holderCount(pieceIndex)
    if (holders >= fewest) continue
    best = pieceIndex
    fewest = holders
    if (holders <= 1) break
  }
  return best
}

/** The first run of wanted pieces at or behind `start`, wrapping around but never across the end of the blob. */
export function pickRun(
  candidates: Candidates,
  start: number,
  lengthMax: number,
): { readonly firstPiece: number; readonly pieceCount: number } | undefined {
  for (let step = 0; step < candidates.pieceCount; step += 1) {
    const firstPiece = (start + step) % candidates.pieceCount
    if (!candidates.isWanted(firstPiece)) continue
    let pieceCount = 1
    while (
      pieceCount < lengthMax &&
      firstPiece + pieceCount < candidates.pieceCount &&
      candidates.isWanted(firstPiece + pieceCount)
    ) {
      pieceCount += 1
    }
    return { firstPiece, pieceCount }
  }
  return undefined
}
