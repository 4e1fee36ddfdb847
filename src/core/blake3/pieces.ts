/** How a blob is cut into pieces: sizes, counts and lengths. A piece is a subtree of the BLAKE3 tree. */
import { NodeError } from '../errors.ts'

export class PieceError extends NodeError<
  'BLOB_SIZE_INVALID' | 'PIECE_INDEX_INVALID' | 'PIECE_LENGTH_INVALID' | 'PIECE_LAYER_LENGTH'
> {}

const KIB = 1024
const MIB = 1024 * KIB

/** Smaller pieces would make more requests than they save: 256 KiB is a blink on any link. */
export const PIECE_SIZE_BYTES_MIN = 256 * KIB
/** What one lying source can cost; also what a verifier keeps in memory. */
export const PIECE_SIZE_BYTES_MAX = 4 * MIB
/** About this many pieces make a blob, as long as the piece size stays within its bounds. */
const PIECE_COUNT_GOAL = 2048
/** A bound for sizes from outside, far above any image layer; keeps a piece layer at 8 MiB or less. */
export const BLOB_SIZE_BYTES_MAX = 1024 * 1024 * MIB
/** A chaining value: one node of the tree. */
export const CHAINING_VALUE_BYTES = 32

/**
 * The bytes in each piece of a blob, the last one excepted: 2^⌈log2(size/2048)⌉ between 256 KiB and 4 MiB.
 * @throws PieceError `BLOB_SIZE_INVALID` when `sizeBytes` is not an integer from 0 to 2^40.
 */
export function pieceSizeOf(sizeBytes: number): number {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > BLOB_SIZE_BYTES_MAX) {
    throw new PieceError(
      'BLOB_SIZE_INVALID',
      `a blob cannot have ${sizeBytes} bytes; the limit is ${BLOB_SIZE_BYTES_MAX}`,
    )
  }
  let pieceSizeBytes = PIECE_SIZE_BYTES_MIN
  while (pieceSizeBytes < PIECE_SIZE_BYTES_MAX && pieceSizeBytes * PIECE_COUNT_GOAL < sizeBytes) {
    pieceSizeBytes *= 2
  }
  return pieceSizeBytes
}

/** At least 1: the empty blob has one piece of no bytes. @throws PieceError `BLOB_SIZE_INVALID` */
export function pieceCountOf(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / pieceSizeOf(sizeBytes)))
}

/** The bytes in one piece. @throws PieceError `BLOB_SIZE_INVALID`, `PIECE_INDEX_INVALID` */
export function pieceLengthOf(sizeBytes: number, pieceIndex: number): number {
  const pieceCount = pieceCountOf(sizeBytes)
  if (!Number.isInteger(pieceIndex) || pieceIndex < 0 || pieceIndex >= pieceCount) {
    throw new PieceError(
      'PIECE_INDEX_INVALID',
      `no piece ${pieceIndex} in a blob of ${pieceCount} pieces`,
    )
  }
  const pieceSizeBytes = pieceSizeOf(sizeBytes)
  return Math.min(pieceSizeBytes, sizeBytes - pieceIndex * pieceSizeBytes)
}

/** The bytes in the piece layer of a blob; 0 for a blob of one piece, which has none. */
export function pieceLayerLengthOf(sizeBytes: number): number {
  const pieceCount = pieceCountOf(sizeBytes)
  return pieceCount === 1 ? 0 : pieceCount * CHAINING_VALUE_BYTES
}
