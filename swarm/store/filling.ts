/** One blob being filled: pieces are verified, written, and made safe in batches. All writers of a blob share one. */
import type { FileHandle } from 'node:fs/promises'
import {
  type ExpectedPiece,
  foldPieceLayer,
  layerEntry,
  PieceError,
  pieceLengthOf,
} from '../../src/core/blake3/index.ts'
import type { VerifiedBlob } from '../../src/core/blob.ts'
import type { Clock } from '../../src/core/clock.ts'
import { digestBytes } from '../../src/core/digest.ts'
import { asDiskFull } from '../../src/core/files.ts'
import type { Log } from '../../src/core/log.ts'
import { StoreError } from '../errors.ts'
import type { BlobWriter } from '../ports.ts'
import { loadPieceLayer, openDataFile, saveBitfield, savePieceLayer } from './blob-files.ts'
import type { PieceWork } from './piece-work/piece-work.ts'
import { createPieceWrites } from './piece-writes.ts'
import { type BlobRecord, verifiedBlobOf } from './record.ts'
import { createSyncBatch, type SyncBatch } from './sync-batch.ts'

interface Deps {
  readonly work: PieceWork
  readonly clock: Clock
  readonly log: Log
}

/** Closing it syncs. */
export type Filling = Omit<BlobWriter, 'blob'>

/** @throws FileError `DISK_FULL` */
export async function openFilling(deps: Deps, record: BlobRecord): Promise<Filling> {
  const { id, paths, pieces } = record
  const layer = pieces.pieceCount === 1 ? digestBytes(id.digest) : await loadPieceLayer(paths, id)
  if (pieces.isFull) return createFilling(deps, record, layer, undefined)
  const handle = await openDataFile(paths, id.sizeBytes)
  try {
    // A missing bitfield of many pieces then always means damage, never an early stop that asks for long hashing.
    if (pieces.pieceCount > 1) await saveBitfield(paths, id, pieces)
    return createFilling(deps, record, layer, handle)
  } catch (error) {
    await handle.close()
    throw error
  }
}

function createFilling(
  deps: Deps,
  record: BlobRecord,
  knownLayer: Uint8Array | undefined,
  handle: FileHandle | undefined,
): Filling {
  const { id, paths, pieces } = record
  const writes = createPieceWrites()
  let layer = knownLayer
  const batch = createBatch(deps, record, handle)

  async function writePiece(pieceIndex: number, bytes: Uint8Array) {
    const lengthBytes = pieceLengthOf(id.sizeBytes, pieceIndex)
    return await writes.run(
      pieceIndex,
      () => pieces.has(pieceIndex),
      async () => {
        if (layer === undefined) throw layerMissing(record)
        if (bytes.length !== lengthBytes) return 'mismatch'
        const chainingValue = layerEntry(layer, pieceIndex)
        return await store({ sizeBytes: id.sizeBytes, pieceIndex, chainingValue }, bytes)
      },
    )
  }

  async function store(expected: ExpectedPiece, bytes: Uint8Array) {
    const { pieceIndex } = expected
    await batch.makeRoom(bytes.length)
    let isWritten = false
    try {
      if (handle === undefined) throw new StoreError('STORE_CLOSED', `${id.digest} is not open`)
      isWritten = await deps.work.writeVerified(handle, bytes, expected)
    } catch (error) {
      throw asDiskFull(error, paths.data)
    } finally {
      if (!isWritten) batch.giveRoom(bytes.length)
    }
    if (!isWritten) return 'mismatch'
    pieces.add(pieceIndex)
    record.lastUsedMs = deps.clock.nowMs()
    batch.add(pieceIndex, bytes.length)
    return 'stored'
  }

  return {
    get hasPieceLayer() {
      return layer !== undefined
    },
    async setPieceLayer(candidate) {
      if (layer !== undefined) return
      const verified = checkLayer(candidate, record)
      await savePieceLayer(paths, verified)
      layer = verified
    },
    writePiece,
    sync: () => batch.sync(),
    async finish(): Promise<VerifiedBlob> {
      await writes.idle()
      await batch.sync()
      const verified = verifiedBlobOf(record)
      if (verified !== undefined) return verified
      const missing = pieces.pieceCount - pieces.heldCount
      throw new StoreError('PIECE_ABSENT', `${id.digest} lacks ${missing} of its pieces`)
    },
    async [Symbol.asyncDispose]() {
      await writes.idle()
      try {
        await batch[Symbol.asyncDispose]()
      } finally {
        await handle?.close()
      }
    },
  }
}

function createBatch(
  { clock, log }: Deps,
  record: BlobRecord,
  handle: FileHandle | undefined,
): SyncBatch {
  const { id, paths, pieces } = record
  return createSyncBatch(
    {
      clock,
      log,
      syncData: async () => {
        await handle?.datasync().catch(error => {
          throw asDiskFull(error, paths.data)
        })
      },
      async saveSafe(safe) {
        await saveBitfield(paths, id, safe)
        record.isDurable = safe.isFull
      },
      onLost(pieceIndexes) {
        for (const pieceIndex of pieceIndexes) pieces.delete(pieceIndex)
      },
    },
    pieces.copy(),
  )
}

/** A copy of the layer, so that nobody can change it after it was verified. */
function checkLayer(candidate: Uint8Array, { id }: BlobRecord): Uint8Array {
  const copy = Uint8Array.from(candidate)
  const mismatch = (options?: ErrorOptions) =>
    new StoreError('PIECE_LAYER_MISMATCH', `not the piece layer of ${id.digest}`, options)
  try {
    if (foldPieceLayer(copy, id.sizeBytes) === id.digest) return copy
  } catch (error) {
    if (error instanceof PieceError) throw mismatch({ cause: error })
    throw error
  }
  throw mismatch()
}

function layerMissing({ id }: BlobRecord): StoreError {
  return new StoreError(
    'PIECE_LAYER_MISSING',
    `pieces of ${id.digest} cannot be verified before its piece layer is set`,
  )
}
