/** One piece: its node in the tree, and whether bytes are it. Imports little: worker threads load it too. */
import { CHUNK_BYTES } from './compress.ts'
import {
  CHAINING_VALUE_BYTES,
  PieceError,
  pieceCountOf,
  pieceLengthOf,
  pieceSizeOf,
} from './pieces.ts'
import { type Tree, tree } from './tree.ts'

/**
 * The node over one piece: its entry in the piece layer, or the digest itself in a blob of one piece.
 * Synchronous; about 0.6 ms for each MiB.
 * @param within a tree whose memory holds `bytes` saves a copy
 * @throws PieceError `PIECE_INDEX_INVALID`, `PIECE_LENGTH_INVALID` when `bytes` are not as long as the piece
 */
export function pieceChainingValue(
  bytes: Uint8Array,
  pieceIndex: number,
  sizeBytes: number,
  within: Tree = tree,
): Uint8Array {
  const lengthBytes = pieceLengthOf(sizeBytes, pieceIndex)
  if (bytes.length !== lengthBytes) {
    throw new PieceError(
      'PIECE_LENGTH_INVALID',
      `piece ${pieceIndex} has ${lengthBytes} bytes, not ${bytes.length}`,
    )
  }
  const firstChunk = (pieceIndex * pieceSizeOf(sizeBytes)) / CHUNK_BYTES
  return within.foldBytes(bytes, firstChunk, pieceCountOf(sizeBytes) === 1)
}

export interface ExpectedPiece {
  readonly sizeBytes: number
  readonly pieceIndex: number
  /** The piece's entry in the piece layer; in a blob of one piece the bytes of its digest. */
  readonly chainingValue: Uint8Array
}

/** True when `bytes`, which have the piece's length, are the expected piece. Synchronous; about 0.6 ms for each MiB. */
export function isPiece(
  bytes: Uint8Array,
  { sizeBytes, pieceIndex, chainingValue }: ExpectedPiece,
  within: Tree = tree,
): boolean {
  return Buffer.from(pieceChainingValue(bytes, pieceIndex, sizeBytes, within)).equals(chainingValue)
}

/** The expected node of one piece, out of a verified layer. */
export function layerEntry(layer: Uint8Array, pieceIndex: number): Uint8Array {
  return layer.subarray(pieceIndex * CHAINING_VALUE_BYTES, (pieceIndex + 1) * CHAINING_VALUE_BYTES)
}
