/** Blobs for store tests, with everything that a source of them would have. */
import {
  createPieceLayerBuilder,
  pieceCountOf,
  pieceLengthOf,
  pieceSizeOf,
} from '../../../src/core/blake3/index.ts'
import { codeOf } from '../../../src/core/errors.ts'
import type { BlobId, BlobStore, BlobWriter } from '../../../swarm/ports.ts'
import { bytesOf } from '../bytes.ts'

export interface Sample {
  readonly id: BlobId
  readonly bytes: Uint8Array
  /** Empty for a blob of one piece. */
  readonly layer: Uint8Array
  readonly pieceCount: number
  piece(pieceIndex: number): Uint8Array
}

export function sampleOf(sizeBytes: number, seed = 1): Sample {
  const bytes = bytesOf(sizeBytes, seed)
  const { digest, layer } = createPieceLayerBuilder(sizeBytes).update(bytes).finish()
  return {
    id: { digest, sizeBytes },
    bytes,
    layer: layer ?? new Uint8Array(),
    pieceCount: pieceCountOf(sizeBytes),
    piece(pieceIndex) {
      const start = pieceIndex * pieceSizeOf(sizeBytes)
      return bytes.slice(start, start + pieceLengthOf(sizeBytes, pieceIndex))
    },
  }
}

export async function writePieces(
  writer: BlobWriter,
  sample: Sample,
  pieceIndexes: readonly number[],
): Promise<void> {
  if (sample.pieceCount > 1) await writer.setPieceLayer(sample.layer)
  for (const pieceIndex of pieceIndexes) {
    await writer.writePiece(pieceIndex, sample.piece(pieceIndex))
  }
}

/** Fills a whole blob, last piece first, and says where its data file is. */
export async function fill(store: BlobStore, sample: Sample): Promise<string> {
  await using writer = await store.openWriter(sample.id)
  await writePieces(writer, sample, [...Array(sample.pieceCount).keys()].reverse())
  return (await writer.finish()).path
}

/** The indexes of the pieces that the store says it holds, each read back and compared. */
export async function checkedPieces(store: BlobStore, sample: Sample): Promise<readonly number[]> {
  const held = store.held(sample.id.digest)
  const indexes = [...Array(sample.pieceCount).keys()].filter(index => held?.hasPiece(index))
  for (const index of indexes) {
    const expected = sample.piece(index)
    const offset = index * pieceSizeOf(sample.id.sizeBytes)
    const bytes = await store.read(sample.id.digest, offset, expected.length)
    if (!Buffer.from(bytes).equals(expected)) throw new Error(`piece ${index} is held but wrong`)
  }
  return indexes
}

export async function codeRejectedBy(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
  } catch (error) {
    return codeOf(error)
  }
  return undefined
}
