/** What the store knows of one blob while it runs. */

import { pieceLengthOf, pieceSizeOf } from '../../src/core/blake3/index.ts'
import { mintVerifiedBlob, type VerifiedBlob } from '../../src/core/blob.ts'
import type { BlobId, HeldBlob } from '../ports.ts'
import type { PieceSet } from './bitfield.ts'
import type { BlobPaths } from './paths.ts'

export interface BlobRecord {
  readonly id: BlobId
  readonly paths: BlobPaths
  /** Verified and written; a reader may have them. */
  readonly pieces: PieceSet
  /** Every piece survives a power cut. */
  isDurable: boolean
  lastUsedMs: number
  /** The live view that is handed out. */
  readonly held: HeldBlob
  /** Minted once, when first asked for. */
  verified: VerifiedBlob | undefined
}

export function createRecord(
  id: BlobId,
  paths: BlobPaths,
  pieces: PieceSet,
  lastUsedMs: number,
): BlobRecord {
  const record: Omit<BlobRecord, 'held'> = {
    id,
    paths,
    pieces,
    isDurable: pieces.isFull,
    lastUsedMs,
    verified: undefined,
  }
  const held: HeldBlob = {
    ...id,
    pieceSizeBytes: pieceSizeOf(id.sizeBytes),
    pieceCount: pieces.pieceCount,
    hasPiece: pieceIndex => pieces.has(pieceIndex),
    get heldPieceCount() {
      return pieces.heldCount
    },
    get isComplete() {
      return pieces.isFull
    },
    get lastUsedMs() {
      return record.lastUsedMs
    },
  }
  return Object.assign(record, { held })
}

/** @returns `undefined` until every piece survives a power cut */
export function verifiedBlobOf(record: BlobRecord): VerifiedBlob | undefined {
  if (!record.isDurable) return undefined
  record.verified ??= mintVerifiedBlob(record.id.digest, record.id.sizeBytes, record.paths.data)
  return record.verified
}

/** How much the disk must still take for this blob. */
export function remainingBytesOf({ id, pieces, held }: BlobRecord): number {
  const lastPiece = pieces.pieceCount - 1
  const shortBy = held.pieceSizeBytes - pieceLengthOf(id.sizeBytes, lastPiece)
  const heldBytes = pieces.heldCount * held.pieceSizeBytes - (pieces.has(lastPiece) ? shortBy : 0)
  return id.sizeBytes - heldBytes
}
