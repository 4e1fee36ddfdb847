/** The seams of the swarm: where blobs are kept, and where bytes come from. */
import type { VerifiedBlob } from '../src/core/blob.ts'
import type { Digest } from '../src/core/digest.ts'

/** The address and the size of a blob, both from signed data. */
export interface BlobId {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** A blob of which the store holds at least one verified piece. */
export interface HeldBlob extends BlobId {
  readonly pieceSizeBytes: number
  readonly pieceCount: number
  /** True where the piece is verified and on disk. */
  hasPiece(pieceIndex: number): boolean
  readonly heldPieceCount: number
  readonly isComplete: boolean
}

/** Verified bytes by address, on disk. Presence only grows; a deletion is of a whole blob. */
export interface BlobStore extends AsyncDisposable {
  list(): readonly HeldBlob[]
  held(digest: Digest): HeldBlob | undefined
  /** The complete blob, or `undefined`. */
  verified(digest: Digest): VerifiedBlob | undefined
  /**
   * Opens a blob to be filled; continues where an earlier run stopped. One writer per blob at a time: a second
   * call while one is open joins it.
   * @throws StoreError `DISK_FULL` when the blob does not fit beside the minimum free space.
   */
  openWriter(id: BlobId): Promise<BlobWriter>
  /**
   * Verified bytes `[offset, offset+length)`; the range must lie within held pieces.
   * @throws StoreError `PIECE_ABSENT`
   */
  read(digest: Digest, offset: number, length: number): Promise<Uint8Array>
  /** The piece layer of a blob with more than one piece, if known. */
  pieceLayer(digest: Digest): Promise<Uint8Array | undefined>
  /** Copies a file into the store and verifies it on the way. @throws StoreError `BLOB_MISMATCH` */
  importFile(id: BlobId, path: string): Promise<VerifiedBlob>
  /** Deletes a blob. The caller makes sure that nobody uses it. */
  remove(digest: Digest): Promise<void>
}

export interface BlobWriter extends AsyncDisposable {
  readonly blob: HeldBlob
  /** False until `setPieceLayer` succeeded, for blobs with more than one piece; one piece needs no layer. */
  readonly hasPieceLayer: boolean
  /** @throws StoreError `PIECE_LAYER_MISMATCH` when the layer does not fold to the address. */
  setPieceLayer(layer: Uint8Array): Promise<void>
  /**
   * Verifies a piece, then keeps it. `mismatch`: the bytes are not this piece and nothing was written.
   * @throws StoreError `DISK_FULL`
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
