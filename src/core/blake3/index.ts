/** The BLAKE3 tree: pieces, piece layers and their verification. */

export { createKernelMemory, KERNEL_SPACE_BYTES, type KernelSpace } from './kernel.ts'
export { type ExpectedPiece, isPiece, layerEntry, pieceChainingValue } from './piece.ts'
export {
  createPieceLayerBuilder,
  foldPieceLayer,
  type PieceLayerBuilder,
  raisePieceLayer,
} from './piece-layer.ts'
export {
  BLOB_SIZE_BYTES_MAX,
  PIECE_SIZE_BYTES_MAX,
  PIECE_SIZE_BYTES_MIN,
  PieceError,
  pieceCountOf,
  pieceLayerLengthOf,
  pieceLengthOf,
  pieceSizeOf,
} from './pieces.ts'
