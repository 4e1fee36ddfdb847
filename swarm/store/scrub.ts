/** Reads a stored blob again and compares every piece that is held with its address. */
import { type FileHandle, open } from 'node:fs/promises'
import { layerEntry, type PieceVerifier, pieceLengthOf } from '../../src/core/blake3/index.ts'
import { digestBytes } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import { readFully } from './blob-files.ts'
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
  verifier: PieceVerifier,
  { throttle, signal, onProgress }: ScrubOptions,
): Promise<readonly number[]> {
  const { id, pieces, pieceSizeBytes } = record
  const expected = pieces.pieceCount === 1 ? digestBytes(id.digest) : layer
  const damaged: number[] = []
  await using file = await openIfThere(record.paths.data)
  const space = new Uint8Array(Math.min(pieceSizeBytes, id.sizeBytes))
  let checkedBytes = 0
  for (let pieceIndex = 0; pieceIndex < pieces.pieceCount; pieceIndex++) {
    if (!pieces.has(pieceIndex)) continue
    signal?.throwIfAborted()
    const bytes = space.subarray(0, pieceLengthOf(id.sizeBytes, pieceIndex))
    await throttle(bytes.length, signal)
    const isThere = await readPiece(file.handle, bytes, pieceIndex * pieceSizeBytes)
    const isRight =
      isThere &&
      expected !== undefined &&
      (await verifier.verify(bytes, {
        sizeBytes: id.sizeBytes,
        pieceIndex,
        chainingValue: layerEntry(expected, pieceIndex),
      }))
    if (!isRight) damaged.push(pieceIndex)
    checkedBytes += bytes.length
    onProgress?.(checkedBytes)
  }
  return damaged
}

/** False for a piece beyond the end of the file, or in a part of the disk that cannot be read any more. */
async function readPiece(
  handle: FileHandle | undefined,
  bytes: Uint8Array,
  offset: number,
): Promise<boolean> {
  if (handle === undefined) return false
  try {
    return (await readFully(handle, bytes, offset)) === bytes.length
  } catch (error) {
    if (codeOf(error) === 'EIO') return false
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
