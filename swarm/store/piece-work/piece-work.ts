/**
 * Work on pieces of blobs: verified and written, or hashed where they stand in a file. Large blobs go to worker threads
 * without a copy; small ones are done at once in this thread, so that a short command starts no thread.
 */

import type { FileHandle } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { type ExpectedPiece, pieceLengthOf, pieceSizeOf } from '../../../src/core/blake3/index.ts'
import type { Clock } from '../../../src/core/clock.ts'
import type { Log } from '../../../src/core/log.ts'
import { createPieceMemory, type PieceMemory } from '../../piece-memory.ts'
import { hashInline, writeInline } from './inline.ts'
import type { JobResult } from './job.ts'
import { PiecePool } from './pool.ts'

/** A whole blob of less is hashed in 5 ms, in parts of 0.2 ms: less than starting a thread costs. */
export const WORKER_BLOB_BYTES_MIN = 8 * 1024 * 1024

/** Bytes in a file, seen as a piece of a blob. */
export interface FilePlace {
  /** Where in the file; need not be where the blob has the piece. */
  readonly offset: number
  readonly sizeBytes: number
  readonly pieceIndex: number
}

export interface PieceWork extends AsyncDisposable {
  /** Where pieces should be put before they come here. */
  readonly memory: PieceMemory
  /**
   * Writes the piece to its place in the file when it is the expected one; otherwise nothing is written and the result
   * is false. Nobody may change `bytes` or close the file until it settles.
   * @throws StoreError `PIECE_WORKER_FAILED`; what the file system throws
   */
  writeVerified(handle: FileHandle, bytes: Uint8Array, expected: ExpectedPiece): Promise<boolean>
  /**
   * The chaining value that the bytes at a place in a file would have as a piece; `undefined` when the file ends before.
   * Does not hold the event loop; run a few at a time. Nobody may close the file until it settles.
   * @throws StoreError `PIECE_WORKER_FAILED`; what the file system throws
   */
  hashPiece(handle: FileHandle, place: FilePlace): Promise<Uint8Array | undefined>
}

interface Deps {
  readonly clock: Clock
  readonly log: Log
}

/**
 * @param workerCountMax one hashes and writes 1 GB/s, more than the other core of two decrypts, and a second one costs 12 MB;
 *   more than two only take cores from the rest
 */
export function openPieceWork(
  deps: Deps,
  workerCountMax = Math.max(1, Math.min(2, availableParallelism() - 1)),
): PieceWork {
  const memory = createPieceMemory(workerCountMax)
  const pool = new PiecePool({ ...deps, memory }, workerCountMax)

  async function inShared<Result>(
    lengthBytes: number,
    act: (bytes: Uint8Array) => Promise<Result>,
  ): Promise<Result> {
    const bytes = memory.take(lengthBytes)
    try {
      return await act(bytes)
    } finally {
      memory.give(bytes)
    }
  }

  return {
    memory,
    async writeVerified(handle, bytes, expected) {
      if (expected.sizeBytes < WORKER_BLOB_BYTES_MIN) return writeInline(handle, bytes, expected)
      if (memory.isShared(bytes)) return await writeInPool(pool, handle, bytes, expected)
      return await inShared(bytes.length, async copy => {
        if (!memory.isShared(copy)) return await writeInline(handle, bytes, expected)
        copy.set(bytes)
        return await writeInPool(pool, handle, copy, expected)
      })
    },
    async hashPiece(handle, place) {
      const { sizeBytes, pieceIndex } = place
      return await inShared(pieceLengthOf(sizeBytes, pieceIndex), async bytes =>
        sizeBytes < WORKER_BLOB_BYTES_MIN || !memory.isShared(bytes)
          ? await hashInline(handle, bytes, place)
          : await hashInPool(pool, handle, bytes, place),
      )
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  }
}

async function writeInPool(
  pool: PiecePool,
  { fd }: FileHandle,
  bytes: Uint8Array,
  { sizeBytes, pieceIndex, chainingValue }: ExpectedPiece,
): Promise<boolean> {
  const result = await pool.run({
    kind: 'write',
    fd,
    fileOffset: pieceIndex * pieceSizeOf(sizeBytes),
    byteOffset: bytes.byteOffset,
    lengthBytes: bytes.length,
    sizeBytes,
    pieceIndex,
    // Sending a part of a buffer would send all of it: the whole piece layer.
    chainingValue: Uint8Array.from(chainingValue),
  })
  return throwFailure(result).kind === 'written'
}

async function hashInPool(
  pool: PiecePool,
  { fd }: FileHandle,
  bytes: Uint8Array,
  { offset, sizeBytes, pieceIndex }: FilePlace,
): Promise<Uint8Array | undefined> {
  const result = await pool.run({
    kind: 'hash',
    fd,
    fileOffset: offset,
    byteOffset: bytes.byteOffset,
    lengthBytes: bytes.length,
    sizeBytes,
    pieceIndex,
  })
  const done = throwFailure(result)
  return done.kind === 'hashed' ? done.chainingValue : undefined
}

/** What failed in the thread fails here, with the code that the file system gave. */
function throwFailure(result: JobResult): Exclude<JobResult, { kind: 'failed' }> {
  if (result.kind !== 'failed') return result
  throw Object.assign(new Error(result.message), { code: result.code })
}
