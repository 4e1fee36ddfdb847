/** What a blob's files really hold: the bitfield where it can be believed, and otherwise the data, hashed again. */
import { type FileHandle, open } from 'node:fs/promises'
import {
  BLOB_SIZE_BYTES_MAX,
  layerEntry,
  pieceCountOf,
  pieceLengthOf,
  pieceSizeOf,
} from '../../src/core/blake3/index.ts'
import { type Digest, digestBytes } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { eachInParallel } from '../../src/core/parallel.ts'
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
import { HASHED_AT_ONCE, hashFile } from './piece-work/hash-file.ts'
import type { FilePlace, PieceWork } from './piece-work/piece-work.ts'

/** One block of a file system: a hole is a hole as a whole. */
const PROBE_BYTES = 4096

interface Deps {
  readonly work: PieceWork
  readonly log: Log
}

export interface LoadedBlob {
  readonly id: BlobId
  readonly pieces: PieceSet
  /** What the file system knows of it, milliseconds since the Unix epoch. */
  readonly lastUsedMs: number
}

/**
 * Loads one blob, with what a crash left written but unrecorded. Where the bitfield is missing, damaged or does not fit the data file, every piece that the data file
 * holds is hashed again and a new bitfield is written.
 * @param sizeBytes from signed data when it is known; otherwise the files say it
 * @returns `undefined` when nothing of the blob can be used
 */
export async function loadBlob(
  { work, log }: Deps,
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
    const { pieces } = bitfield
    const foundCount = await salvage(work, paths, id, pieces)
    if (foundCount > 0) {
      log.info('pieces found that a crash left unrecorded', { digest, pieces: foundCount })
      await makeSafe(log, paths, id, pieces)
    }
    return { id, pieces, lastUsedMs }
  }

  log.warn('bitfield does not fit the data, hashing it again', {
    digest,
    sizeBytes: size,
    dataBytes,
  })
  const pieces = await hashAgain(work, paths, id)
  log.info('data hashed again', {
    digest,
    heldPieces: pieces.heldCount,
    pieceCount: pieces.pieceCount,
  })
  if (pieces.heldCount === 0 && bitfield === undefined) return undefined
  await makeSafe(log, paths, id, pieces)
  return { id, pieces, lastUsedMs }
}

/** The data is synced before the bitfield speaks of it, here as everywhere. */
async function makeSafe(log: Log, paths: BlobPaths, id: BlobId, pieces: PieceSet): Promise<void> {
  await using handle = await openDataFile(paths, id.sizeBytes)
  await handle.sync()
  await saveBitfield(paths, id, pieces).catch(error => {
    if (codeOf(error) !== 'DISK_FULL') throw error
    // What was found is held all the same; without a bitfield the next start hashes once more.
    log.warn('bitfield not saved, the disk is full', { digest: id.digest })
  })
}

/**
 * Adds the pieces that were written but not yet recorded when the process ended: the system keeps what it wrote, and only
 * a power cut takes it. Where the end of a piece is still a hole nothing is hashed, so this costs a look at each place.
 */
async function salvage(
  work: PieceWork,
  paths: BlobPaths,
  id: BlobId,
  pieces: PieceSet,
): Promise<number> {
  if (pieces.isFull || pieces.pieceCount === 1) return 0
  const layer = await loadPieceLayer(paths, id)
  if (layer === undefined) return 0
  const { sizeBytes } = id
  const before = pieces.heldCount
  await using handle = await open(paths.data, 'r')
  await eachInParallel(Array(pieces.pieceCount).keys(), HASHED_AT_ONCE, async pieceIndex => {
    if (pieces.has(pieceIndex)) return
    const offset = pieceIndex * pieceSizeOf(sizeBytes)
    const lengthBytes = pieceLengthOf(sizeBytes, pieceIndex)
    const end = new Uint8Array(Math.min(PROBE_BYTES, lengthBytes))
    await readFully(handle, end, offset + lengthBytes - end.length)
    if (end.every(byte => byte === 0)) return
    if (await isPieceThere(work, handle, layer, { offset, sizeBytes, pieceIndex })) {
      pieces.add(pieceIndex)
    }
  })
  return pieces.heldCount - before
}

async function hashAgain(work: PieceWork, paths: BlobPaths, id: BlobId): Promise<PieceSet> {
  const pieceCount = pieceCountOf(id.sizeBytes)
  const layer = pieceCount === 1 ? digestBytes(id.digest) : await loadPieceLayer(paths, id)
  await using handle = await open(paths.data, 'r')
  if (layer === undefined) return await hashWhole(work, handle, paths, id)

  const pieces = createPieceSet(pieceCount)
  const { sizeBytes } = id
  await eachInParallel(Array(pieceCount).keys(), HASHED_AT_ONCE, async pieceIndex => {
    const offset = pieceIndex * pieceSizeOf(sizeBytes)
    if (await isPieceThere(work, handle, layer, { offset, sizeBytes, pieceIndex })) {
      pieces.add(pieceIndex)
    }
  })
  return pieces
}

async function isPieceThere(
  work: PieceWork,
  handle: FileHandle,
  layer: Uint8Array,
  place: FilePlace,
): Promise<boolean> {
  const found = await work.hashPiece(handle, place)
  return found !== undefined && Buffer.from(found).equals(layerEntry(layer, place.pieceIndex))
}

/** Without a layer only a complete blob can prove itself; its layer is then written anew. */
export async function hashWhole(
  work: PieceWork,
  handle: FileHandle,
  paths: BlobPaths,
  id: BlobId,
): Promise<PieceSet> {
  const pieceCount = pieceCountOf(id.sizeBytes)
  const { digest, layer } = (await hashFile(work, handle, id.sizeBytes)) ?? {}
  if (digest !== id.digest) return createPieceSet(pieceCount)
  if (layer !== undefined) await savePieceLayer(paths, layer)
  return createFullPieceSet(pieceCount)
}
