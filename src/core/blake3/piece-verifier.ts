/** The seam behind which pieces are checked: in this thread now, in worker threads where that is faster. */

import { pieceChainingValue } from './piece-layer.ts'
import { CHAINING_VALUE_BYTES } from './pieces.ts'

export interface ExpectedPiece {
  readonly sizeBytes: number
  readonly pieceIndex: number
  /** The piece's entry in the piece layer; in a blob of one piece the bytes of its digest. */
  readonly chainingValue: Uint8Array
}

export interface PieceVerifier {
  /** True when `bytes`, which have the piece's length, are the expected piece. Do not change them until it resolves. */
  verify(bytes: Uint8Array, expected: ExpectedPiece): Promise<boolean>
}

/** Checks in the calling thread, which it holds for about 1 ms for each MiB. */
export const inlinePieceVerifier: PieceVerifier = {
  async verify(bytes, { sizeBytes, pieceIndex, chainingValue }) {
    return Buffer.from(pieceChainingValue(bytes, pieceIndex, sizeBytes)).equals(chainingValue)
  },
}

/** The expected node of one piece, out of a verified layer. */
export function layerEntry(layer: Uint8Array, pieceIndex: number): Uint8Array {
  return layer.subarray(pieceIndex * CHAINING_VALUE_BYTES, (pieceIndex + 1) * CHAINING_VALUE_BYTES)
}
