/** The piece layer: the chaining values of a blob's pieces, which fold to its digest. */
import { type Digest, digestFromBytes } from '../digest.ts'
import { pieceChainingValue } from './piece.ts'
import {
  CHAINING_VALUE_BYTES,
  PieceError,
  pieceCountOf,
  pieceLayerLengthOf,
  pieceLengthOf,
  pieceSizeOf,
} from './pieces.ts'
import { tree } from './tree.ts'

/**
 * The digest of the blob that has this piece layer. A layer may come from anyone: it is right when this is the
 * blob's address.
 * @throws PieceError `PIECE_LAYER_LENGTH` when it is not as long as a blob of `sizeBytes` needs
 */
export function foldPieceLayer(layer: Uint8Array, sizeBytes: number): Digest {
  assertLayerLength(layer, sizeBytes)
  return digestFromBytes(tree.foldNodes(layer, true))
}

function assertLayerLength(layer: Uint8Array, sizeBytes: number): void {
  const lengthBytes = pieceLayerLengthOf(sizeBytes)
  if (layer.length === lengthBytes && lengthBytes > 0) return
  throw new PieceError(
    'PIECE_LAYER_LENGTH',
    `the piece layer of a blob of ${sizeBytes} bytes has ${lengthBytes} bytes, not ${layer.length}`,
  )
}

/**
 * The layer of the same blob for larger pieces of `pieceSizeBytes`, its own piece size times a power of two: what a blob of
 * another size, and so of another piece size, can be compared with.
 * @throws PieceError `PIECE_LAYER_LENGTH` when it is not as long as a blob of `sizeBytes` needs
 */
export function raisePieceLayer(
  layer: Uint8Array,
  sizeBytes: number,
  pieceSizeBytes: number,
): Uint8Array {
  assertLayerLength(layer, sizeBytes)
  const groupBytes = (pieceSizeBytes / pieceSizeOf(sizeBytes)) * CHAINING_VALUE_BYTES
  const raised: Uint8Array[] = []
  for (let at = 0; at < layer.length; at += groupBytes) {
    raised.push(tree.foldNodes(layer.subarray(at, at + groupBytes), false))
  }
  return new Uint8Array(Buffer.concat(raised))
}

export interface PieceLayerBuilder {
  /** Takes the next bytes of the blob, in any lengths. @throws PieceError `PIECE_LENGTH_INVALID` past the end */
  update(bytes: Uint8Array): PieceLayerBuilder
  /**
   * The digest, and the layer of a blob with more than one piece. Ends the builder.
   * @throws PieceError `PIECE_LENGTH_INVALID` when bytes are missing
   */
  finish(): { readonly digest: Digest; readonly layer: Uint8Array | undefined }
}

/** Hashes a stream whose size is known; keeps one piece in memory. */
export function createPieceLayerBuilder(sizeBytes: number): PieceLayerBuilder {
  const pieceCount = pieceCountOf(sizeBytes)
  const nodes: Uint8Array[] = []
  const kept = new Uint8Array(Math.min(pieceSizeOf(sizeBytes), sizeBytes))
  let keptBytes = 0

  function wantedBytes(): number {
    return nodes.length < pieceCount ? pieceLengthOf(sizeBytes, nodes.length) : 0
  }
  function take(bytes: Uint8Array): number {
    const wanted = wantedBytes()
    if (wanted === 0) {
      throw new PieceError('PIECE_LENGTH_INVALID', `more bytes than the blob's ${sizeBytes}`)
    }
    if (keptBytes === 0 && bytes.length >= wanted) {
      nodes.push(pieceChainingValue(bytes.subarray(0, wanted), nodes.length, sizeBytes))
      return wanted
    }
    const taken = bytes.subarray(0, wanted - keptBytes)
    kept.set(taken, keptBytes)
    keptBytes += taken.length
    if (keptBytes === wanted) {
      nodes.push(pieceChainingValue(kept.subarray(0, wanted), nodes.length, sizeBytes))
      keptBytes = 0
    }
    return taken.length
  }

  const builder: PieceLayerBuilder = {
    update(bytes) {
      for (let offset = 0; offset < bytes.length; ) offset += take(bytes.subarray(offset))
      return builder
    },
    finish() {
      if (sizeBytes === 0) nodes.push(pieceChainingValue(kept, 0, 0))
      if (nodes.length !== pieceCount) {
        throw new PieceError('PIECE_LENGTH_INVALID', `fewer bytes than the blob's ${sizeBytes}`)
      }
      const layer = new Uint8Array(Buffer.concat(nodes))
      if (pieceCount === 1) return { digest: digestFromBytes(layer), layer: undefined }
      return { digest: foldPieceLayer(layer, sizeBytes), layer }
    },
  }
  return builder
}
