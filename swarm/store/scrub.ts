/** Reads a stored blob again and compares every piece that is held with its address. */
import { type FileHandle, open } from 'node:fs/promises'
import { layerEntry, pieceLengthOf } from '../../src/core/blake3/index.ts'
import { digestBytes } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import type { FilePlace, PieceWork } from './piece-work/piece-work.ts'
import type { BlobRecord } from './record.ts'

export interface ScrubOptions {
  /** Resolves when so many bytes may be read. */
  readonly throttle: (bytes: number, signal?: AbortSignal) => Promise<void>
  readonly signal?: AbortSignal
  readonly onProgress?: (checkedBytes: number) => void
}

/** The pieces that are held by the record and not what they should be, lowest first. */
export async function damagedPieces(
  record: BlobRecord,
  layer: Uint8Array | undefined,
  work: PieceWork,
  { throttle, signal, onProgress }: ScrubOptions,
): Promise<readonly number[]> {
  const { id, pieces, pieceSizeBytes } = record
  const expected = pieces.pieceCount === 1 ? digestBytes(id.digest) : layer
  const damaged: number[] = []
  await using file = await openIfThere(record.paths.data)
  let checkedBytes = 0
  for (let pieceIndex = 0; pieceIndex < pieces.pieceCount; pieceIndex++) {
    if (!pieces.has(pieceIndex)) continue
    signal?.throwIfAborted()
    const lengthBytes = pieceLengthOf(id.sizeBytes, pieceIndex)
    await throttle(lengthBytes, signal)
    const place = { offset: pieceIndex * pieceSizeBytes, sizeBytes: id.sizeBytes, pieceIndex }
    const found = await hashIfReadable(work, file.handle, place)
    const isRight =
      found !== undefined &&
      expected !== undefined &&
      Buffer.from(found).equals(layerEntry(expected, pieceIndex))
    if (!isRight) damaged.push(pieceIndex)
    checkedBytes += lengthBytes
    onProgress?.(checkedBytes)
  }
  return damaged
}

/** `undefined` for a piece beyond the end of the file, or in a part of the disk that cannot be read any more. */
async function hashIfReadable(
  work: PieceWork,
  handle: FileHandle | undefined,
  place: FilePlace,
): Promise<Uint8Array | undefined> {
  if (handle === undefined) return undefined
  try {
    return await work.hashPiece(handle, place)
  } catch (error) {
    if (codeOf(error) === 'EIO') return undefined
    throw error
  }
}

async function openIfThere(path: string) {
  const handle = await open(path, 'r').catch(error => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  return {
    handle,
    async [Symbol.asyncDispose]() {
      await handle?.close()
    },
  }
}
