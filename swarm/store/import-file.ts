/** Copies a file into the store: hashed first, so that a wrong file changes nothing, and again piece by piece. */
import { open } from 'node:fs/promises'
import { createPieceLayerBuilder } from '../../src/core/blake3/index.ts'
import type { VerifiedBlob } from '../../src/core/blob.ts'
import { StoreError } from '../errors.ts'
import type { BlobId, BlobStore } from '../ports.ts'
import { piecesOf } from './recover.ts'

/** @throws StoreError `BLOB_MISMATCH`, `QUOTA_EXCEEDED`; FileError `DISK_FULL` */
export async function importFile(
  store: Pick<BlobStore, 'openWriter'>,
  id: BlobId,
  path: string,
): Promise<VerifiedBlob> {
  const mismatch = () => new StoreError('BLOB_MISMATCH', `${path} is not ${id.digest}`)
  await using source = await open(path, 'r')
  if ((await source.stat()).size !== id.sizeBytes) throw mismatch()
  const builder = createPieceLayerBuilder(id.sizeBytes)
  for await (const { bytes } of piecesOf(source, id.sizeBytes)) builder.update(bytes)
  const { digest, layer } = builder.finish()
  if (digest !== id.digest) throw mismatch()

  await using writer = await store.openWriter(id)
  if (layer !== undefined) await writer.setPieceLayer(layer)
  for await (const { pieceIndex, bytes } of piecesOf(source, id.sizeBytes)) {
    if ((await writer.writePiece(pieceIndex, bytes)) === 'mismatch') throw mismatch()
  }
  return await writer.finish()
}
