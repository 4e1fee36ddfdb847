/** Hashes a whole file as a blob, piece by piece in the worker threads, so that nothing else waits. */
import type { FileHandle } from 'node:fs/promises'
import { foldPieceLayer, pieceCountOf, pieceSizeOf } from '../../../src/core/blake3/index.ts'
import { type Digest, digestFromBytes } from '../../../src/core/digest.ts'
import { eachInParallel } from '../../../src/core/parallel.ts'
import type { PieceWork } from './piece-work.ts'

/** One piece for each worker; a download beside it still has nearly all of the memory. */
export const HASHED_AT_ONCE = 2

/**
 * The digest, and the layer of a blob with more than one piece; `undefined` when the file has less than `sizeBytes`.
 * Bytes behind those are not looked at. Nobody may close the file until it settles.
 */
export async function hashFile(
  work: PieceWork,
  handle: FileHandle,
  sizeBytes: number,
): Promise<{ readonly digest: Digest; readonly layer: Uint8Array | undefined } | undefined> {
  const pieceCount = pieceCountOf(sizeBytes)
  const values: Uint8Array[] = []
  await eachInParallel(Array(pieceCount).keys(), HASHED_AT_ONCE, async pieceIndex => {
    const offset = pieceIndex * pieceSizeOf(sizeBytes)
    const value = await work.hashPiece(handle, { offset, sizeBytes, pieceIndex })
    if (value !== undefined) values[pieceIndex] = value
  })
  if (Object.keys(values).length < pieceCount) return undefined
  const layer = new Uint8Array(Buffer.concat(values))
  if (pieceCount === 1) return { digest: digestFromBytes(layer), layer: undefined }
  return { digest: foldPieceLayer(layer, sizeBytes), layer }
}
