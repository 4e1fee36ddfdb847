/** The BLAKE3 tree: pieces, piece layers and their verification. */
export {
  createPieceLayerBuilder,
  foldPieceLayer,
  type PieceLayerBuilder,
  pieceChainingValue,
  raisePieceLayer,
} from './piece-layer.ts'
export {
  type ExpectedPiece,
  inlinePieceVerifier,
  layerEntry,
  type PieceVerifier,
} from './piece-verifier.ts'
export {
  BLOB_SIZE_BYTES_MAX,
  PieceError,
  pieceCountOf,
  pieceLayerLengthOf,
  pieceLengthOf,
  pieceSizeOf,
} from './pieces.ts'
