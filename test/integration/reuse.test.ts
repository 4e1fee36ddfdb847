/** A new version of a blob beside the old one in a real store: what the network still has to give. */
import { expect } from 'chai'
import { bytesOf } from '../support/bytes.ts'
import { fillNextVersion } from '../support/swarm/next-version.ts'

const PIECE = 256 * 1024

describe('a new version of a blob', () => {
  const old = bytesOf(40 * PIECE + 1000, 1)
  const insert = (bytes: Uint8Array, at: number, count: number): Uint8Array =>
    Buffer.concat([bytes.subarray(0, at), bytesOf(count, at), bytes.subarray(at)])

  it('needs nothing but the changed piece when nothing was moved, whoever had it', async () => {
    const next = Uint8Array.from(old)
    next.set([1, 2, 3], 17 * PIECE)
    const { fetchedCount, reusedBytes } = await fillNextVersion(old, next, false)
    expect(fetchedCount).to.equal(1)
    expect(reusedBytes).to.equal(old.length - PIECE)
  })

  it('needs a piece or two for each change that moves everything behind it', async () => {
    const once = insert(old, 10 * PIECE + 77, 1234)
    expect((await fillNextVersion(old, once, false)).fetchedCount).to.be.at.most(2)
    const thrice = insert(insert(insert(old, 30 * PIECE, 5), 20 * PIECE, 700_001), 9, 512)
    expect((await fillNextVersion(old, thrice)).fetchedCount).to.be.at.most(10)
  })

  it('is found where a part was taken out', async () => {
    const next = Buffer.concat([old.subarray(0, 5 * PIECE + 1), old.subarray(9 * PIECE + 5)])
    expect((await fillNextVersion(old, next)).fetchedCount).to.be.at.most(2)
  })

  it('that begins anew is found from its first piece on, when its old version is known', async () => {
    const next = Buffer.concat([bytesOf(300_000, 9), old])
    expect((await fillNextVersion(old, next)).fetchedCount).to.be.at.most(3)
  })

  it('with nothing of the old one comes whole from the network', async () => {
    expect((await fillNextVersion(old, bytesOf(40 * PIECE, 2))).fetchedCount).to.equal(40)
  })
})
