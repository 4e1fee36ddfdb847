/** The BLAKE3 tree: pieces, piece layers and their verification. */
export { createKernelMemory, KERNEL_SPACE_BYTES, type KernelSpace } from './kernel.ts'
export {
  createPieceLayerBuilder,
  type ExpectedPiece,
  foldPieceLayer,
  isPiece,
  layerEntry,
  type PieceLayerBuilder,
  pieceChainingValue,
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
export { createSharedTree } from './tree.ts'
