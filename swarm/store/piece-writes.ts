/** Writes of pieces side by side, but of each piece one at a time. */

export interface PieceWrites {
  /**
   * Runs `write` unless the piece is there. Whoever brings a piece that is being written waits for that outcome, and
   * writes only when the other one failed.
   */
  run<Outcome>(
    pieceIndex: number,
    isPresent: () => boolean,
    write: () => Promise<Outcome>,
  ): Promise<Outcome | 'present'>
  /** Resolves when nothing is being written. */
  idle(): Promise<void>
}

export function createPieceWrites(): PieceWrites {
  /** Each promise resolves when its write has ended, well or not. */
  const writing = new Map<number, Promise<void>>()
  return {
    async run(pieceIndex, isPresent, write) {
      for (;;) {
        if (isPresent()) return 'present'
        const other = writing.get(pieceIndex)
        if (other === undefined) break
        await other
      }
      const ended = Promise.withResolvers<void>()
      writing.set(pieceIndex, ended.promise)
      try {
        return await write()
      } finally {
        writing.delete(pieceIndex)
        ended.resolve()
      }
    },
    async idle() {
      while (writing.size > 0) await Promise.all(writing.values())
    },
  }
}
