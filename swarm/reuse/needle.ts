/** Finds bytes that were moved: a part of a piece that is unlike its surroundings, looked for in another blob. Pure. */

/** Long enough to be rare, short enough to lie between two changes. */
export const NEEDLE_BYTES = 1024
/** Padding and tables of zeros have fewer different bytes, and stand everywhere. */
const DISTINCT_BYTES_MIN = 24

export interface Needle {
  /** Where in the piece it begins. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** The last distinctive part of a piece: what follows it is most likely to follow it elsewhere too. */
export function needleOf(piece: Uint8Array): Needle | undefined {
  for (let end = piece.length; end >= NEEDLE_BYTES; end -= NEEDLE_BYTES) {
    const bytes = piece.subarray(end - NEEDLE_BYTES, end)
    if (new Set(bytes).size >= DISTINCT_BYTES_MIN) return { offset: end - NEEDLE_BYTES, bytes }
  }
  return undefined
}
