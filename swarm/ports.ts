/** The seams of the swarm: where blobs are kept, and where bytes come from. */
import type { VerifiedBlob } from '../src/core/blob.ts'
import type { Digest } from '../src/core/digest.ts'
import type { PieceMemory } from './piece-memory.ts'
import type { CollectionBudget, CollectionReport } from './store/collect.ts'
import type { BlobRole } from './store/collection.ts'
import type { ScrubOptions } from './store/scrub.ts'
import type { Space } from './store/space.ts'

/** The address and the size of a blob, both from signed data. */
export interface BlobId {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** A blob of which the store holds at least one verified piece. A live view: it follows what the store learns. */
export interface HeldBlob extends BlobId {
  readonly pieceSizeBytes: number
  readonly pieceCount: number
  /** True where the piece is verified and on disk. */
  hasPiece(pieceIndex: number): boolean
  readonly heldPieceCount: number
  readonly isComplete: boolean
  /** When it was last written or read, milliseconds since the Unix epoch: what a clean-up deletes first. */
  readonly lastUsedMs: number
}

export type StoreUsage = Space

export interface CollectOptions {
  /** So much must go free, or nothing is touched. Left out: what is above the high watermark. */
  readonly roomBytes?: number
  /** What nothing leads to goes in any case when it was last used before then, milliseconds since the Unix epoch. */
  readonly unreachableBeforeMs: number
  /** Says what would go, and touches nothing. */
  readonly isDryRun: boolean
  readonly budget: CollectionBudget
}

export interface ScrubResult {
  readonly id: BlobId
  readonly checkedBytes: number
  /** They are no longer held; a fetch of the blob brings exactly these. */
  readonly damaged: readonly number[]
}

/** Verified bytes by address, on disk. Presence only grows, but for damage; a deletion is of a whole blob. */
export interface BlobStore extends AsyncDisposable {
  /** Where pieces on their way to `writePiece` should lie: they are then verified and written without a copy. */
  readonly memory: PieceMemory
  list(): readonly HeldBlob[]
  held(digest: Digest): HeldBlob | undefined
  /** The complete blob, once all of it survives a power cut, or `undefined`. */
  verified(digest: Digest): VerifiedBlob | undefined
  /**
   * Opens a blob to be filled; continues where an earlier run stopped. While one writer is open a second call joins
   * it: both see the same pieces, each is closed on its own.
   * Disk space for all of it is reserved first, beside everything that is reserved already.
   * @throws FileError `DISK_FULL` when the blob does not fit beside the minimum free space.
   * @throws StoreError `QUOTA_EXCEEDED` when it does not fit in the quota.
   * @throws StoreError `BLOB_SIZE_CONFLICT` when the store holds, or is filling, the same blob with another size.
   */
  openWriter(id: BlobId): Promise<BlobWriter>
  /**
   * Verified bytes `[offset, offset+length)`; the range must lie within held pieces. They are put into `into` when it is
   * given, which then is `length` bytes long and is what is returned.
   * @throws StoreError `PIECE_ABSENT`; `BLOB_DAMAGED` when the file is shorter than it was.
   */
  read(digest: Digest, offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>
  /** The verified piece layer of a blob with more than one piece, if known. */
  pieceLayer(digest: Digest): Promise<Uint8Array | undefined>
  /**
   * Keeps blobs from being collected until it is disposed of, whether they are here or only come. Take it first, then
   * look what is there. In memory only: it ends with the process.
   */
  lease(digests: Iterable<Digest>): Disposable
  /**
   * Leases blobs and reserves the disk space that they still need, together, until it is disposed of.
   * @throws StoreError `QUOTA_EXCEEDED`; FileError `DISK_FULL`
   */
  reserve(ids: readonly BlobId[]): Promise<Disposable>
  usage(): Promise<StoreUsage>
  /** Who is asked for room, once, before a download is refused. It frees all of it or nothing, and does not throw. */
  whenShort(makeRoom: (missingBytes: number) => Promise<void>): void
  /** Deletes whole blobs, see `planCollection`. What is leased or being filled stays, whatever its role. */
  collect(roleOf: (digest: Digest) => BlobRole, options: CollectOptions): Promise<CollectionReport>
  /**
   * Reads what is held of a blob again. The blob can be used meanwhile; pieces that are damaged are no longer held.
   * @returns `undefined` when the blob is not held, or is being filled
   */
  scrub(digest: Digest, options: ScrubOptions): Promise<ScrubResult | undefined>
  /** Copies a file into the store and verifies it. @throws StoreError `BLOB_MISMATCH`, FileError `DISK_FULL` */
  importFile(id: BlobId, path: string): Promise<VerifiedBlob>
  /** Deletes a blob. @throws StoreError `BLOB_IN_USE` while it is leased or being filled; it does not wait for that to end */
  remove(digest: Digest): Promise<void>
  /** A small value kept beside the blobs, for counters. Survives kill −9; a power cut may take the latest. */
  getMeta(key: string): Promise<string | undefined>
  /** @throws StoreError `META_TOO_LARGE` */
  setMeta(key: string, value: string): Promise<void>
}

/** After `sync` failed on the data file the writer refuses everything; open the blob again to continue. */
export interface BlobWriter extends AsyncDisposable {
  readonly blob: HeldBlob
  /** False until `setPieceLayer` succeeded, for blobs with more than one piece; one piece needs no layer. */
  readonly hasPieceLayer: boolean
  /** @throws StoreError `PIECE_LAYER_MISMATCH` when the layer does not fold to the address. */
  setPieceLayer(layer: Uint8Array): Promise<void>
  /**
   * Verifies a piece, then keeps it. `mismatch`: the bytes are not this piece and nothing was written. Pieces may come side
   * by side; one that comes twice at once is kept once, and `present` for the later one. Do not change `bytes` until it
   * settles; waits for a sync when `SYNC_BYTES_MAX` are not yet safe.
   * @throws FileError `DISK_FULL`; pieces stored before are kept.
   * @throws StoreError `PIECE_LAYER_MISSING`; `PIECE_WORKER_FAILED`, which a second try may not meet
   */
  writePiece(pieceIndex: number, bytes: Uint8Array): Promise<'stored' | 'present' | 'mismatch'>
  /** Resolves when every stored piece survives a power cut. Also runs by itself, see `SYNC_BYTES_MAX`. */
  sync(): Promise<void>
  /** Syncs and completes the blob. @throws StoreError `PIECE_ABSENT` when pieces are missing. */
  finish(): Promise<VerifiedBlob>
}

/** Bytes received and verified so far, by where they came from; piece layers and control messages not counted. */
export interface BytesBySource {
  readonly peer: number
  readonly origin: number
}
