/** Copies a file into the store: hashed first, so that a wrong file changes nothing, and again piece by piece. */
import { open } from 'node:fs/promises'
import { pieceCountOf, pieceLengthOf, pieceSizeOf } from '../../src/core/blake3/index.ts'
import type { VerifiedBlob } from '../../src/core/blob.ts'
import { eachInParallel } from '../../src/core/parallel.ts'
import { StoreError } from '../errors.ts'
import type { BlobId, BlobStore } from '../ports.ts'
import { readFully } from './blob-files.ts'
import { hashFile } from './piece-work/hash-file.ts'
import type { PieceWork } from './piece-work/piece-work.ts'

/** One is read while others are hashed and written. */
const COPIED_AT_ONCE = 3

/** @throws StoreError `BLOB_MISMATCH`, `QUOTA_EXCEEDED`; FileError `DISK_FULL` */
export async function importFile(
  { store, work }: { readonly store: Pick<BlobStore, 'openWriter'>; readonly work: PieceWork },
  id: BlobId,
  path: string,
): Promise<VerifiedBlob> {
  const mismatch = () => new StoreError('BLOB_MISMATCH', `${path} is not ${id.digest}`)
  await using source = await open(path, 'r')
  if ((await source.stat()).size !== id.sizeBytes) throw mismatch()
  const found = await hashFile(work, source, id.sizeBytes)
  if (found?.digest !== id.digest) throw mismatch()

  await using writer = await store.openWriter(id)
  if (found.layer !== undefined) await writer.setPieceLayer(found.layer)
  await eachInParallel(Array(pieceCountOf(id.sizeBytes)).keys(), COPIED_AT_ONCE, async index => {
    const bytes = work.memory.take(pieceLengthOf(id.sizeBytes, index))
    try {
      const count = await readFully(source, bytes, index * pieceSizeOf(id.sizeBytes))
      const isRight =
        count === bytes.length && (await writer.writePiece(index, bytes)) !== 'mismatch'
      if (!isRight) throw mismatch()
    } finally {
      work.memory.give(bytes)
    }
  })
  return await writer.finish()
}
