/** What the node asks of a piece worker, and what it answers. Files go by their number, which all threads share. */

export interface Place {
  readonly sizeBytes: number
  readonly pieceIndex: number
}

/** Bytes of the shared memory. */
interface Span {
  readonly byteOffset: number
  readonly lengthBytes: number
}

interface Common extends Place, Span {
  readonly id: number
  readonly fd: number
  /** Where in the file. */
  readonly fileOffset: number
}

/** Hash the bytes, and write them when they are the expected piece. */
interface WriteJob extends Common {
  readonly kind: 'write'
  readonly chainingValue: Uint8Array
}

/** Read the bytes and hash them. */
interface HashJob extends Common {
  readonly kind: 'hash'
}

export type Job = WriteJob | HashJob

export type JobResult =
  | { readonly kind: 'written' }
  /** Not the expected piece; nothing was written. */
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'hashed'; readonly chainingValue: Uint8Array }
  /** The file ends before the piece does. */
  | { readonly kind: 'short' }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string }

export interface JobAnswer {
  readonly id: number
  readonly result: JobResult
}

/** What a worker is started with. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory
  readonly kernelOffset: number
}
