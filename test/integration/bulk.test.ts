/** Real nodes on loopback: when the bulk channel is used, when it is not, and that every request gets an answer. */
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect } from 'chai'
import { createPieceLayerBuilder } from '../../src/core/blake3/index.ts'
import { type Digest, digestOf } from '../../src/core/digest.ts'
import { createBulkCertificate } from '../../swarm/bulk/certificate.ts'
import { REQUESTS_PER_PEER_MAX } from '../../swarm/limits.ts'
import type { Message } from '../../swarm/wire.ts'
import { bytesOf } from '../support/bytes.ts'
import { type BlobPeer, startBlobPeer } from '../support/swarm/blob-peer.ts'
import { openIdle, presentToken } from '../support/swarm/bulk-client.ts'
import { startNode, type TestNode, until, untilPeers } from '../support/swarm/nodes.ts'

const MIB = 1024 * 1024
const PIECE_BYTES = 256 * 1024
const release = digestOf(Buffer.from('release'))

function blobOf(sizeBytes: number, seed: number) {
  const bytes = bytesOf(sizeBytes, seed)
  const builder = createPieceLayerBuilder(sizeBytes)
  builder.update(bytes)
  return { bytes, digest: builder.finish().digest, sizeBytes }
}

type Blob = ReturnType<typeof blobOf>

async function expectFetched(node: TestNode, { bytes, digest, sizeBytes }: Blob): Promise<void> {
  const blob = await node.swarm.fetch({ digest, sizeBytes }, { release })
  expect(Buffer.compare(await readFile(blob.path), bytes)).to.equal(0)
}

function bulkBytes(node: TestNode): number {
  return node.swarm.status().peers.reduce((sum, peer) => sum + peer.receivedBulkBytes, 0)
}

async function offerOf(peer: BlobPeer): Promise<Message & { kind: 'bulk' }> {
  const isOffer = (message: Message) => message.kind === 'bulk'
  await until('an offer', () => peer.messages.some(isOffer))
  return peer.messages.find(isOffer) as Message & { kind: 'bulk' }
}

function request(id: number, digest: Digest, offset: number, length: number): Message {
  return { kind: 'request', id, digest, offset, length }
}

describe('the bulk channel of a node', () => {
  it('carries nearly all of a fetch', async () => {
    const blob = blobOf(16 * MIB, 1)
    await using seed = await startNode()
    await seed.hold(blob.digest, blob.bytes)
    await using node = await startNode({ bootstrap: seed.swarm.addresses() })
    await untilPeers(node, 1)
    await expectFetched(node, blob)
    expect(bulkBytes(node)).to.be.greaterThan(blob.sizeBytes / 2)
  })

  for (const [who, seedBulk, nodeBulk] of [
    ['the one that serves', undefined, { port: 0 }],
    ['the one that fetches', { port: 0 }, undefined],
  ] as const) {
    it(`is not used when it is switched off at ${who}`, async () => {
      const blob = blobOf(2 * MIB, 2)
      await using seed = await startNode({ bulk: seedBulk })
      await seed.hold(blob.digest, blob.bytes)
      await using node = await startNode({ bootstrap: seed.swarm.addresses(), bulk: nodeBulk })
      await untilPeers(node, 1)
      await expectFetched(node, blob)
      expect(bulkBytes(node)).to.equal(0)
    })
  }

  it('takes another port when the one it should have is in use', async () => {
    await using taken = await listening(createServer())
    await using node = await startNode({ bulk: { port: taken.port } })
    await using peer = await startBlobPeer(node.swarm.addresses())
    const { port } = await offerOf(peer)
    expect(port).not.to.equal(taken.port)
    expect(node.lines.map(line => line.message)).to.include('bulk channel cannot listen')
    await using client = await presentToken(port, new Uint8Array(0))
    expect(client.isClosed).to.equal(false)
  })

  it('says its token to nobody whose certificate is another one', async () => {
    const { cert, key } = createBulkCertificate()
    let heard = 0
    let connections = 0
    const impostor = createTlsServer({ cert, key }, socket => {
      socket.on('error', () => socket.destroy())
      socket.on('data', bytes => {
        heard += bytes.byteLength
      })
    })
    impostor.on('connection', () => {
      connections += 1
    })
    await using server = await listening(impostor)
    await using node = await startNode()
    await using peer = await startBlobPeer(node.swarm.addresses())
    const { fingerprint, token } = createOffer()
    const offer = { kind: 'bulk', port: server.port, isWanted: true, lifetimeMs: 60_000 } as const
    await peer.send({ ...offer, fingerprint, token })
    await until('it was dialled', () => connections > 0)
    await until('it was refused', () =>
      node.lines.some(line => line.message === 'bulk channel not opened'),
    )
    expect(heard).to.equal(0)
  })

  it('revokes the token of a peer that leaves', async () => {
    await using node = await startNode()
    await using peer = await startBlobPeer(node.swarm.addresses())
    const { port, token } = await offerOf(peer)
    await using before = await presentToken(port, token)
    await until('it is let in', () => before.received.length > 0)
    peer.hangUp()
    await until('it is cut off', () => before.isClosed)
    await using after = await presentToken(port, token)
    await until('it is not let in', () => after.isClosed)
    expect(after.received).to.deep.equal([])
  })

  it('serves honest peers as fast while strangers hold connections open', async () => {
    const blob = blobOf(8 * MIB, 3)
    const limits = { uploadBytesPerSecond: 4 * MIB }
    const timed = async (attack: (port: number) => Disposable): Promise<number> => {
      await using seed = await startNode({ limits })
      await seed.hold(blob.digest, blob.bytes)
      await using scout = await startBlobPeer(seed.swarm.addresses())
      using _attack = attack((await offerOf(scout)).port)
      await using node = await startNode({ bootstrap: seed.swarm.addresses() })
      await untilPeers(node, 1)
      const startMs = performance.now()
      await expectFetched(node, blob)
      return performance.now() - startMs
    }
    const calmMs = await timed(() => ({ [Symbol.dispose]() {} }))
    const rssBefore = process.memoryUsage.rss()
    const attackedMs = await timed(port => openIdle(port, 300))
    expect(attackedMs).to.be.lessThan(calmMs / 0.9)
    expect(process.memoryUsage.rss() - rssBefore).to.be.lessThan(100 * MIB)
  })

  it('answers every request with all of the data or one rejection', async () => {
    const blob = blobOf(8 * MIB, 4)
    await using seed = await startNode({ limits: { uploadBytesPerSecond: 16 * MIB } })
    await seed.hold(blob.digest, blob.bytes)
    await using peer = await startBlobPeer(seed.swarm.addresses())
    const unknown = digestOf(Buffer.from('nothing of this'))
    await peer.send(
      request(1, blob.digest, 0, PIECE_BYTES),
      request(2, unknown, 0, PIECE_BYTES),
      request(3, blob.digest, blob.sizeBytes, 1),
      request(4, blob.digest, 0, 0),
      { kind: 'layer', id: 5, digest: unknown },
      { kind: 'layer', id: 6, digest: blob.digest },
      ...Array.from({ length: REQUESTS_PER_PEER_MAX + 6 }, (_, index) =>
        request(100 + index, blob.digest, (index % 32) * PIECE_BYTES, PIECE_BYTES),
      ),
      { kind: 'cancel', id: 110 },
    )
    const ids = [
      1,
      2,
      3,
      4,
      5,
      6,
      ...Array.from({ length: REQUESTS_PER_PEER_MAX + 6 }, (_, i) => 100 + i),
    ]
    const isAnswered = (id: number): boolean => {
      const { bytes, rejects } = peer.answers.get(id) ?? { bytes: 0, rejects: [] }
      const wanted = id === 6 ? 32 * 32 : PIECE_BYTES
      return rejects.length === 1 || (rejects.length === 0 && bytes === wanted)
    }
    await until('an answer to each', () => ids.every(isAnswered))
    await seed.swarm.stop()
    await until('the end', () => peer.isClosed)
    expect(ids.filter(id => !isAnswered(id))).to.deep.equal([])
    const reasons = [2, 3, 4, 5].map(id => peer.answers.get(id)?.rejects[0]?.reason)
    expect(reasons).to.deep.equal(['not-found', 'malformed', 'malformed', 'not-found'])
    const last = peer.answers.get(100 + REQUESTS_PER_PEER_MAX + 5)?.rejects[0]
    expect(last?.reason).to.equal('limit')
    expect(last?.retryAfterMs).to.be.greaterThan(0)
  })
})

function createOffer() {
  return { fingerprint: createBulkCertificate().fingerprint, token: new Uint8Array(32).fill(7) }
}

async function listening(server: Server) {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise(resolve => server.close(resolve))
    },
  }
}
