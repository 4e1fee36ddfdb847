/** A new version of a blob beside the old one in a real store: what the network still has to give. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createPieceLayerBuilder } from '../../src/core/blake3/index.ts'
import { systemClock } from '../../src/core/clock.ts'
import { type Digest, digestOf } from '../../src/core/digest.ts'
import type { Bitfield } from '../../swarm/bitfield.ts'
import { Reuse } from '../../swarm/reuse/reuse.ts'
import { bytesOf } from '../support/bytes.ts'
import { makeFolder, openTestStore } from '../support/store/open.ts'

const PIECE = 256 * 1024

/** Puts `old` into a store and fills `next` as a download does; returns how many pieces the network had to give. */
async function piecesFetched(
  old: Uint8Array,
  next: Uint8Array,
  similar: 'told' | 'not told' = 'told',
): Promise<number> {
  await using folder = await makeFolder()
  await using store = await openTestStore(join(folder.path, 'store'))
  const file = join(folder.path, 'old')
  await writeFile(file, old)
  const oldDigest = digestOf(old)
  await store.importFile({ digest: oldDigest, sizeBytes: old.length }, file)

  const digest = digestOf(next)
  await using writer = await store.openWriter({ digest, sizeBytes: next.length })
  const { layer = new Uint8Array() } = createPieceLayerBuilder(next.length).update(next).finish()
  await writer.setPieceLayer(layer)
  let withheld: Bitfield | undefined
  const reused = new Map<Digest, number>()
  const reuse = new Reuse(
    {
      store,
      clock: systemClock,
      onReused: (_index, bytes, from) => reused.set(from, (reused.get(from) ?? 0) + bytes),
      onWithheld: pieces => {
        withheld = pieces
      },
    },
    writer,
    similar === 'told' ? [oldDigest] : [],
  )
  await reuse.start(new AbortController().signal)
  let fetched = 0
  for (let index = nextWanted(); index !== undefined; index = nextWanted()) {
    const bytes = Uint8Array.from(next.subarray(index * PIECE, (index + 1) * PIECE))
    expect(await writer.writePiece(index, bytes)).to.equal('stored')
    fetched += 1
    reuse.noteFetched(index, bytes)
    bytes.fill(0)
    await reuse.idle()
  }
  await reuse.close()
  const blob = await writer.finish()
  expect(Buffer.compare(await readFile(blob.path), next)).to.equal(0)
  const bytes = [...reused.values()].reduce((sum, each) => sum + each, 0)
  expect(Math.ceil(bytes / PIECE) + fetched).to.be.within(
    writer.blob.pieceCount,
    writer.blob.pieceCount + 1,
  )
  return fetched

  function nextWanted(): number | undefined {
    for (let index = 0; index < writer.blob.pieceCount; index += 1) {
      if (!writer.blob.hasPiece(index) && withheld?.has(index) !== true) return index
    }
    return undefined
  }
}

describe('a new version of a blob', () => {
  const old = bytesOf(40 * PIECE + 1000, 1)

  it('needs nothing but the changed piece when nothing was moved, whoever had it', async () => {
    const next = Uint8Array.from(old)
    next.set([1, 2, 3], 17 * PIECE)
    expect(await piecesFetched(old, next, 'not told')).to.equal(1)
  })

  it('needs a piece or two for each change that moves everything behind it', async () => {
    const insert = (bytes: Uint8Array, at: number, count: number): Uint8Array =>
      Buffer.concat([bytes.subarray(0, at), bytesOf(count, at), bytes.subarray(at)])
    const once = insert(old, 10 * PIECE + 77, 1234)
    expect(await piecesFetched(old, once, 'not told')).to.be.at.most(2)
    const thrice = insert(insert(insert(old, 30 * PIECE, 5), 20 * PIECE, 700_001), 9, 512)
    expect(await piecesFetched(old, thrice)).to.be.at.most(10)
  })

  it('is found where a part was taken out', async () => {
    const next = Buffer.concat([old.subarray(0, 5 * PIECE + 1), old.subarray(9 * PIECE + 5)])
    expect(await piecesFetched(old, next)).to.be.at.most(2)
  })

  it('that begins anew is found from its first piece on, when its old version is known', async () => {
    const next = Buffer.concat([bytesOf(300_000, 9), old])
    expect(await piecesFetched(old, next)).to.be.at.most(3)
  })

  it('with nothing of the old one comes whole from the network', async () => {
    expect(await piecesFetched(old, bytesOf(40 * PIECE, 2))).to.equal(40)
  })
})
