/** What one peer may ask and gets: requests that are no pieces, turns in a crowd, and peers that take bytes slowly. */
import { expect } from 'chai'
import { digestOf } from '../../../../src/core/digest.ts'
import { SERVE_BYTES_TOTAL_MAX } from '../../../../swarm/limits.ts'
import { createManualClock, settle } from '../../../support/manual-clock.ts'
import { createServingNode, type ServedPeer } from '../../../support/swarm/serving-peers.ts'
import { createVirtualClock } from '../../../support/virtual-clock.ts'

const PIECE = 256 * 1024
const MIB = 1024 * 1024

type Node = ReturnType<typeof createServingNode>

function ask(node: Node, peer: ServedPeer, id: number, offset: number, length: number): void {
  const { digest } = node.blob
  peer.server.handleRequest({ kind: 'request', id, digest, offset, length }, peer.carrier)
}

describe('PeerServer, asked for something else than a piece', () => {
  for (const [what, offset, length] of [
    ['a part in the middle of a piece', 1000, 1000],
    ['the beginning of a piece', 0, PIECE - 1],
    ['two pieces', 0, 2 * PIECE],
    ['the end of one and all of the next', PIECE - 1, PIECE + 1],
    ['nothing', 0, 0],
    ['beyond the end', 4 * MIB, PIECE],
    ['far beyond the end', 2 ** 48 - 1, 1],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const node = createServingNode({ clock: createManualClock() })
      const peer = node.connect('peer')
      ask(node, peer, 1, offset, length)
      await settle()
      expect(peer.rejections).to.deep.equal([
        { kind: 'reject', id: 1, reason: 'malformed', retryAfterMs: 0 },
      ])
      expect(peer.receivedBytes).to.equal(0)
      expect(node.offences).to.deep.equal([['peer', 'malformed request']])
    })
  }

  it('gives a whole piece, and the rest of one', async () => {
    const node = createServingNode({ clock: createManualClock() })
    const peer = node.connect('peer')
    ask(node, peer, 1, 0, PIECE)
    ask(node, peer, 2, 2 * PIECE - 5, 5)
    await settle()
    expect(peer.receivedBytes).to.equal(PIECE + 5)
  })

  it('says the same of a blob that it has not, may not give, or has not all of', async () => {
    const node = createServingNode({ clock: createManualClock(), heldPieces: [0] })
    const peer = node.connect('peer')
    const unknown = digestOf(Buffer.from('unknown'))
    const range = { offset: 0, length: PIECE }
    peer.server.handleRequest({ kind: 'request', id: 1, digest: unknown, ...range }, peer.carrier)
    ask(node, peer, 2, PIECE, PIECE)
    expect(peer.rejections.map(({ id, reason }) => [id, reason])).to.deep.equal([
      [1, 'not-found'],
      [2, 'not-found'],
    ])
    expect(node.offences.map(([, offence]) => offence)).to.deep.equal([
      'unknown blob',
      'unknown blob',
    ])
  })
})

describe('PeerServer in a crowd', () => {
  it('gives turns: everybody gets bytes, a bounded number at a time, the others hear when to come', async () => {
    const clock = createVirtualClock()
    const node = createServingNode({ clock, uploadBytesPerSecond: MIB, sizeBytes: 64 * MIB })
    const pieceBytes = node.blob.pieceSizeBytes
    const peers = Array.from({ length: 24 }, (_, n) => node.connect(`peer ${n}`))
    const retries = new Set<number>()
    const stop = new AbortController()
    let id = 0
    const keepAsking = async (peer: ServedPeer, index: number): Promise<void> => {
      for (let piece = index; !stop.signal.aborted; piece += 1) {
        const before = { bytes: peer.receivedBytes, rejected: peer.rejections.length }
        ask(node, peer, id++, (piece % node.blob.pieceCount) * pieceBytes, pieceBytes)
        while (
          peer.receivedBytes - before.bytes < pieceBytes &&
          peer.rejections.length === before.rejected
        ) {
          await clock.sleep(50, stop.signal)
        }
        const rejected = peer.rejections[before.rejected]
        if (rejected !== undefined) {
          expect(rejected.reason).to.equal('limit')
          retries.add(rejected.retryAfterMs)
          await clock.sleep(rejected.retryAfterMs, stop.signal)
        }
      }
    }
    const asking = peers.map((peer, index) => keepAsking(peer, index).catch(() => {}))
    let usedMax = 0
    for (let second = 1; second <= 90; second += 1) {
      await clock.runUntil(second * 1000)
      node.serving.refresh()
      usedMax = Math.max(usedMax, node.serving.status().slots.used)
    }
    stop.abort(new Error('enough'))
    await Promise.all(asking)
    const total = peers.reduce((sum, peer) => sum + peer.receivedBytes, 0)
    expect(usedMax).to.equal(4)
    expect(total / (90 * MIB)).to.be.within(0.95, 1.02)
    expect(Math.min(...peers.map(peer => peer.receivedBytes))).to.be.greaterThan(pieceBytes)
    expect(retries.size).to.be.greaterThan(10)
  }).timeout(20_000)

  it('lets a peer of the house go without a turn when it is exempt', async () => {
    const clock = createManualClock()
    const node = createServingNode({ clock, limitLan: false })
    for (let n = 0; n < 100; n += 1) ask(node, node.connect(`${n}`, { scope: 'lan' }), 1, 0, PIECE)
    expect(node.serving.status().slots).to.deep.include({ used: 0, waiting: 0 })
    for (let n = 0; n < 100; n += 1) ask(node, node.connect(`${n}`), 1, 0, PIECE)
    expect(node.serving.status().slots).to.deep.include({ used: 64, waiting: 36 })
  })
})

describe('PeerServer and a peer that takes bytes slowly', () => {
  it('cuts it off, and says nothing of it to the others', async () => {
    const clock = createVirtualClock()
    const node = createServingNode({ clock, sizeBytes: 16 * MIB })
    const slow = node.connect('slow', { take: bytes => clock.sleep((bytes * 1000) / 8_000) })
    const fast = node.connect('fast', { take: bytes => clock.sleep((bytes * 1000) / 40_000) })
    for (let n = 0; n < 4; n += 1) {
      ask(node, slow, n, n * PIECE, PIECE)
      ask(node, fast, n, n * PIECE, PIECE)
    }
    await clock.runUntil(12_000)
    expect([slow.isClosed, fast.isClosed]).to.deep.equal([true, false])
    expect(node.offences).to.deep.equal([['slow', 'slow reader']])
    await clock.runUntil(60_000)
    expect(fast.receivedBytes).to.equal(4 * PIECE)
  })

  it('leaves room for others, however many of them there are', async () => {
    const clock = createVirtualClock()
    const node = createServingNode({ clock, sizeBytes: 16 * MIB })
    for (let n = 0; n < 300; n += 1) {
      const stuck = node.connect(`stuck ${n}`, { take: () => new Promise(() => {}) })
      ask(node, stuck, 1, 0, PIECE)
    }
    await clock.runUntil(100)
    expect(node.queue.heldBytes).to.be.lessThan(SERVE_BYTES_TOTAL_MAX / 2)
    const honest = node.connect('honest')
    ask(node, honest, 1, 0, PIECE)
    await clock.runUntil(30_000)
    expect(honest.receivedBytes + honest.rejections.length).to.be.greaterThan(0)
  })
})
