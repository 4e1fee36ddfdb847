/** What signed data says of one blob, and the proof that bytes on disk are that blob. */
import type { Digest, Sha256 } from './digest.ts'

/** The description of a blob in signed data. The size is known before the first byte is fetched. */
export interface BlobRef {
  readonly blake3: Digest
  readonly sha256: Sha256
  readonly size: number
  readonly mediaType: string
}

declare const minted: unique symbol

/**
 * A complete blob on disk whose bytes were verified against its address.
 * Only the blob store makes one (`mintVerifiedBlob`; the architecture test watches the import), so a function that
 * asks for this type can not be handed bytes that nobody checked.
 */
export interface VerifiedBlob {
  readonly [minted]: true
  readonly digest: Digest
  readonly sizeBytes: number
  /** Absolute path; the file is never changed after it was verified. Do not write to it. */
  readonly path: string
}

/** For the blob store alone, right after the last piece was verified or when a complete blob is opened again. */
export function mintVerifiedBlob(digest: Digest, sizeBytes: number, path: string): VerifiedBlob {
  return Object.freeze({ digest, sizeBytes, path }) as VerifiedBlob
}
