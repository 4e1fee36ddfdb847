/** What a blob's files really hold: the bitfield where it can be believed, and otherwise the data, hashed again. */
import { type FileHandle, open } from 'node:fs/promises'
import {
  BLOB_SIZE_BYTES_MAX,
  createPieceLayerBuilder,
  layerEntry,
  type PieceVerifier,
  pieceCountOf,
  pieceLengthOf,
  pieceSizeOf,
} from '../../src/core/blake3/index.ts'
import { type Digest, digestBytes } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import type { BlobId } from '../ports.ts'
import { createFullPieceSet, createPieceSet, type PieceSet } from './bitfield.ts'
import {
  dataFileOf,
  loadBitfield,
  loadPieceLayer,
  openDataFile,
  readFully,
  saveBitfield,
  savePieceLayer,
} from './blob-files.ts'
import type { BlobPaths } from './paths.ts'

interface Deps {
  readonly verifier: PieceVerifier
  readonly log: Log
}

export interface LoadedBlob {
  readonly id: BlobId
  readonly pieces: PieceSet
  /** What the file system knows of it, milliseconds since the Unix epoch. */
  readonly lastUsedMs: number
}

/**
 * Loads one blob. Where the bitfield is missing, damaged or does not fit the data file, every piece that the data file
 * holds is hashed again and a new bitfield is written.
 * @param sizeBytes from signed data when it is known; otherwise the files say it
 * @returns `undefined` when nothing of the blob can be used
 */
export async function loadBlob(
  { verifier, log }: Deps,
  paths: BlobPaths,
  digest: Digest,
  sizeBytes?: number,
): Promise<LoadedBlob | undefined> {
  const bitfield = await loadBitfield(paths, digest)
  const file = await dataFileOf(paths)
  if (file === undefined) return undefined
  const { sizeBytes: dataBytes, lastUsedMs } = file
  const size = sizeBytes ?? bitfield?.sizeBytes ?? dataBytes
  if (size > BLOB_SIZE_BYTES_MAX) return undefined
  const id = { digest, sizeBytes: size }
  if (bitfield?.sizeBytes === size && dataBytes === size) {
    return { id, pieces: bitfield.pieces, lastUsedMs }
  }

  log.warn('bitfield does not fit the data, hashing it again', {
    digest,
    sizeBytes: size,
    dataBytes,
  })
  const pieces = await hashAgain(verifier, paths, id)
  log.info('data hashed again', {
    digest,
    heldPieces: pieces.heldCount,
    pieceCount: pieces.pieceCount,
  })
  if (pieces.heldCount === 0 && bitfield === undefined) return undefined
  // The data is synced before the bitfield speaks of it, here as everywhere.
  await using handle = await openDataFile(paths, size)
  await handle.sync()
  await saveBitfield(paths, id, pieces).catch(error => {
    if (codeOf(error) !== 'DISK_FULL') throw error
    // What was found is held all the same; without a bitfield the next start hashes once more.
    log.warn('bitfield not saved, the disk is full', { digest })
  })
  return { id, pieces, lastUsedMs }
}

async function hashAgain(verifier: PieceVerifier, paths: BlobPaths, id: BlobId): Promise<PieceSet> {
  const pieceCount = pieceCountOf(id.sizeBytes)
  const layer = pieceCount === 1 ? digestBytes(id.digest) : await loadPieceLayer(paths, id)
  await using handle = await open(paths.data, 'r')
  if (layer === undefined) return await hashWhole(handle, paths, id)

  const pieces = createPieceSet(pieceCount)
  for await (const { pieceIndex, bytes } of piecesOf(handle, id.sizeBytes)) {
    const expected = {
      sizeBytes: id.sizeBytes,
      pieceIndex,
      chainingValue: layerEntry(layer, pieceIndex),
    }
    if (await verifier.verify(bytes, expected)) pieces.add(pieceIndex)
  }
  return pieces
}

/** Without a layer only a complete blob can prove itself; its layer is then written anew. */
export async function hashWhole(
  handle: FileHandle,
  paths: BlobPaths,
  id: BlobId,
): Promise<PieceSet> {
  const pieceCount = pieceCountOf(id.sizeBytes)
  const builder = createPieceLayerBuilder(id.sizeBytes)
  let foundCount = 0
  for await (const { bytes } of piecesOf(handle, id.sizeBytes)) {
    builder.update(bytes)
    foundCount++
  }
  if (foundCount < pieceCount) return createPieceSet(pieceCount)
  const { digest, layer } = builder.finish()
  if (digest !== id.digest || layer === undefined) return createPieceSet(pieceCount)
  await savePieceLayer(paths, layer)
  return createFullPieceSet(pieceCount)
}

/** The pieces that the file holds in full length, in order. `bytes` is used again for the next one. */
export async function* piecesOf(handle: FileHandle, sizeBytes: number) {
  const pieceSizeBytes = pieceSizeOf(sizeBytes)
  const space = new Uint8Array(Math.min(pieceSizeBytes, sizeBytes))
  for (let pieceIndex = 0; pieceIndex < pieceCountOf(sizeBytes); pieceIndex++) {
    const bytes = space.subarray(0, pieceLengthOf(sizeBytes, pieceIndex))
    const readBytes = await readFully(handle, bytes, pieceIndex * pieceSizeBytes)
    if (readBytes < bytes.length) return
    yield { pieceIndex, bytes }
  }
}
