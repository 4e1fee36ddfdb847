/** What the store knows of one blob while it runs. There are thousands: everything that can be derived is derived. */
import { pieceLayerLengthOf, pieceLengthOf, pieceSizeOf } from '../../src/core/blake3/index.ts'
import { mintVerifiedBlob, type VerifiedBlob } from '../../src/core/blob.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { BlobId, HeldBlob } from '../ports.ts'
import type { PieceSet } from './bitfield.ts'
import { footprintBytes } from './footprint.ts'
import { type BlobPaths, blobPathsOf } from './paths.ts'

/** The record is also the live view of its blob that is handed out. */
export class BlobRecord implements HeldBlob {
  readonly id: BlobId
  /** Verified and written; a reader may have them. */
  readonly pieces: PieceSet
  /** Every piece survives a power cut. */
  isDurable: boolean
  lastUsedMs: number
  /** Minted once, when first asked for. */
  verified: VerifiedBlob | undefined
  readonly #blobsFolder: string

  constructor(blobsFolder: string, id: BlobId, pieces: PieceSet, lastUsedMs: number) {
    this.#blobsFolder = blobsFolder
    this.id = id
    this.pieces = pieces
    this.isDurable = pieces.isFull
    this.lastUsedMs = lastUsedMs
  }

  get held(): HeldBlob {
    return this
  }
  get paths(): BlobPaths {
    return blobPathsOf(this.#blobsFolder, this.id.digest)
  }
  get digest(): Digest {
    return this.id.digest
  }
  get sizeBytes(): number {
    return this.id.sizeBytes
  }
  get pieceSizeBytes(): number {
    return pieceSizeOf(this.id.sizeBytes)
  }
  get pieceCount(): number {
    return this.pieces.pieceCount
  }
  get heldPieceCount(): number {
    return this.pieces.heldCount
  }
  get isComplete(): boolean {
    return this.pieces.isFull
  }
  hasPiece(pieceIndex: number): boolean {
    return this.pieces.has(pieceIndex)
  }
}

/** @returns `undefined` until every piece survives a power cut */
export function verifiedBlobOf(record: BlobRecord): VerifiedBlob | undefined {
  if (!record.isDurable) return undefined
  record.verified ??= mintVerifiedBlob(record.id.digest, record.id.sizeBytes, record.paths.data)
  return record.verified
}

export function heldBytesOf({ id, pieces, pieceSizeBytes }: BlobRecord): number {
  if (pieces.isFull) return id.sizeBytes
  const lastPiece = pieces.pieceCount - 1
  const shortBy = pieceSizeBytes - pieceLengthOf(id.sizeBytes, lastPiece)
  return pieces.heldCount * pieceSizeBytes - (pieces.has(lastPiece) ? shortBy : 0)
}

/** What the blob takes of the disk now. */
export function occupiedBytesOf(record: BlobRecord): number {
  return footprintBytes(heldBytesOf(record), pieceLayerLengthOf(record.id.sizeBytes))
}

/** True when every byte of the range lies in a held piece. */
export function holdsRange(
  { id, pieces, pieceSizeBytes }: BlobRecord,
  offset: number,
  length: number,
): boolean {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) return false
  if (offset < 0 || length < 0 || offset + length > id.sizeBytes) return false
  const first = Math.floor(offset / pieceSizeBytes)
  const last = Math.floor(Math.max(offset, offset + length - 1) / pieceSizeBytes)
  for (let pieceIndex = first; pieceIndex <= last; pieceIndex++) {
    if (length > 0 && !pieces.has(pieceIndex)) return false
  }
  return true
}
