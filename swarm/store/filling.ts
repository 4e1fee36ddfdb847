/** One blob being filled: pieces are verified, written, and made safe in batches. All writers of a blob share one. */
import type { FileHandle } from 'node:fs/promises'
import {
  foldPieceLayer,
  layerEntry,
  PieceError,
  type PieceVerifier,
  pieceLengthOf,
} from '../../src/core/blake3/index.ts'
import type { VerifiedBlob } from '../../src/core/blob.ts'
import type { Clock } from '../../src/core/clock.ts'
import { digestBytes } from '../../src/core/digest.ts'
import { asDiskFull } from '../../src/core/files.ts'
import type { Log } from '../../src/core/log.ts'
import { StoreError } from '../errors.ts'
import type { BlobWriter } from '../ports.ts'
import {
  loadPieceLayer,
  openDataFile,
  saveBitfield,
  savePieceLayer,
  writeFully,
} from './blob-files.ts'
import { createKeyedLock } from './keyed-lock.ts'
import { type BlobRecord, verifiedBlobOf } from './record.ts'
import { createSyncBatch } from './sync-batch.ts'

interface Deps {
  readonly verifier: PieceVerifier
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
  const writes = createKeyedLock()
  let layer = knownLayer
  const batch = createSyncBatch(
    {
      clock: deps.clock,
      log: deps.log,
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

  async function writePiece(pieceIndex: number, bytes: Uint8Array) {
    const lengthBytes = pieceLengthOf(id.sizeBytes, pieceIndex)
    if (pieces.has(pieceIndex)) return 'present'
    if (layer === undefined) throw layerMissing(record)
    if (bytes.length !== lengthBytes) return 'mismatch'
    const chainingValue = layerEntry(layer, pieceIndex)
    const expected = { sizeBytes: id.sizeBytes, pieceIndex, chainingValue }
    if (!(await deps.verifier.verify(bytes, expected))) return 'mismatch'
    await batch.makeRoom(lengthBytes)
    if (handle === undefined) throw new StoreError('STORE_CLOSED', `${id.digest} is not open`)
    await writeFully(handle, bytes, pieceIndex * record.held.pieceSizeBytes).catch(error => {
      throw asDiskFull(error, paths.data)
    })
    pieces.add(pieceIndex)
    record.lastUsedMs = deps.clock.nowMs()
    batch.add(pieceIndex, lengthBytes)
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
    writePiece: (pieceIndex, bytes) => writes.run('', () => writePiece(pieceIndex, bytes)),
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
