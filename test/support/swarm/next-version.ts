/** Fills a new version of a blob beside the old one in a real store, and counts what the network would have to give. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createPieceLayerBuilder, pieceSizeOf } from '../../../src/core/blake3/index.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { digestOf } from '../../../src/core/digest.ts'
import type { Bitfield } from '../../../swarm/bitfield.ts'
import type { BlobWriter } from '../../../swarm/ports.ts'
import { Reuse } from '../../../swarm/reuse/reuse.ts'
import { makeFolder, openTestStore } from '../store/open.ts'

export interface FilledVersion {
  readonly pieceCount: number
  /** Of these the network would have been asked. */
  readonly fetchedCount: number
  readonly fetchedBytes: number
  readonly reusedBytes: number
}

/**
 * @param isTold the download is told that `old` is an earlier version, as it is for releases of one app
 * @throws when the result is not `next`
 */
export async function fillNextVersion(
  old: Uint8Array,
  next: Uint8Array,
  isTold = true,
): Promise<FilledVersion> {
  await using folder = await makeFolder()
  await using store = await openTestStore(join(folder.path, 'store'))
  const file = join(folder.path, 'old')
  await writeFile(file, old)
  const oldDigest = digestOf(old)
  await store.importFile({ digest: oldDigest, sizeBytes: old.length }, file)

  await using writer = await store.openWriter({ digest: digestOf(next), sizeBytes: next.length })
  const { layer } = createPieceLayerBuilder(next.length).update(next).finish()
  if (layer !== undefined) await writer.setPieceLayer(layer)
  let withheld: Bitfield | undefined
  let reusedBytes = 0
  const reuse = new Reuse(
    {
      store,
      clock: systemClock,
      onReused: (_index, bytes) => {
        reusedBytes += bytes
      },
      onWithheld: pieces => {
        withheld = pieces
      },
    },
    writer,
    isTold ? [oldDigest] : [],
  )
  await reuse.start(new AbortController().signal)
  const pieceSizeBytes = pieceSizeOf(next.length)
  let fetchedCount = 0
  let fetchedBytes = 0
  for (let index = wanted(writer, withheld); index >= 0; index = wanted(writer, withheld)) {
    const at = index * pieceSizeBytes
    const bytes = Uint8Array.from(next.subarray(at, at + pieceSizeBytes))
    await writer.writePiece(index, bytes)
    fetchedCount += 1
    fetchedBytes += bytes.length
    reuse.noteFetched(index, bytes)
    // As the piece memory does: the buffer belongs to somebody else now.
    bytes.fill(0)
    await reuse.idle()
  }
  await reuse.close()
  await writer.finish()
  return { pieceCount: writer.blob.pieceCount, fetchedCount, fetchedBytes, reusedBytes }
}

function wanted({ blob }: BlobWriter, withheld: Bitfield | undefined): number {
  for (let index = 0; index < blob.pieceCount; index += 1) {
    if (!blob.hasPiece(index) && withheld?.has(index) !== true) return index
  }
  return -1
}
