/** Real nodes among peers that are dead, slow, false or fall silent: no fetch waits for any of them, and each is explained. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { digestOf } from '../../src/core/digest.ts'
import { bytesOf } from '../support/bytes.ts'
import { silentStore } from '../support/swarm/faulty-store.ts'
import { lyingStore } from '../support/swarm/liar.ts'
import { type NodeSettings, startNode, type TestNode, untilPeers } from '../support/swarm/nodes.ts'
import { startOrigin } from '../support/swarm/origin-server.ts'

const MIB = 1024 * 1024
const PIECE = 256 * 1024
const release = digestOf(Buffer.from('release'))
const bytes = bytesOf(8 * MIB, 41)

/** Below the time after which a silent peer is given up: whoever waits for that is too late. */
const SOON_MS = 3_900

interface Scene {
  readonly peers: readonly NodeSettings[]
  readonly hasOrigin: boolean
}

/** Fetches the blob beside these peers, all of which hold it. */
async function fetchBeside(
  { peers, hasOrigin }: Scene,
  check: (node: TestNode, tookMs: number, peers: readonly TestNode[]) => void,
): Promise<void> {
  await using origin = await startOrigin()
  const digest = origin.add(bytes)
  await using stack = new AsyncDisposableStack()
  const started: TestNode[] = []
  for (const settings of peers) {
    const peer = stack.use(await startNode(settings))
    await peer.hold(digest, bytes)
    started.push(peer)
  }
  const bootstrap = started.flatMap(peer => peer.swarm.addresses())
  await using node = await startNode({ origins: hasOrigin ? [origin.url] : [], bootstrap })
  await untilPeers(node, peers.length)
  const startMs = performance.now()
  await node.swarm.fetch({ digest, sizeBytes: bytes.byteLength }, { release })
  check(node, performance.now() - startMs, started)
}

function explained(node: TestNode) {
  const explanation = node.swarm.explain(digestOf(bytes))
  if (explanation === undefined) throw new Error('nothing is remembered of the fetch')
  return explanation
}

describe('a fetch beside bad sources', () => {
  it('does not wait for peers that say they have everything and never answer', async () => {
    const wrapStore = (store: TestNode['store']) => silentStore(store)
    await fetchBeside({ peers: Array(3).fill({ wrapStore }), hasOrigin: true }, (node, tookMs) => {
      expect(tookMs).to.be.lessThan(SOON_MS)
      expect(node.swarm.status().totals).to.deep.equal({ peer: 0, origin: bytes.byteLength })
      // The piece layer, at most: who was asked for it first may answer last.
      expect(explained(node).duplicateBytes).to.be.at.most((bytes.byteLength / PIECE) * 32)
    })
  })

  it('does not wait for peers of 10 KB/s', async () => {
    const limits = { uploadBytesPerSecond: 10_000 }
    await fetchBeside({ peers: Array(3).fill({ limits }), hasOrigin: true }, (node, tookMs) => {
      expect(tookMs).to.be.lessThan(SOON_MS)
      expect(node.swarm.status().totals.origin).to.be.greaterThan(0.9 * bytes.byteLength)
    })
  })

  it('takes one piece of a liar, names it, and has the rest from the others', async () => {
    const limits = { uploadBytesPerSecond: 4 * MIB }
    const honest = [{ limits }, { limits }, { limits }]
    const scene = { peers: [...honest, { limits, wrapStore: lyingStore }], hasOrigin: false }
    await fetchBeside(scene, (node, _tookMs, peers) => {
      const liar = peers.at(-1)?.swarm.peerId
      expect(node.swarm.status().bans.map(ban => ban.peerId)).to.deep.equal([liar])
      const story = explained(node).sources.find(({ name }) => name === liar)
      expect(story?.troubles).to.deep.equal({ wrong: 1 })
      expect(story?.receivedBytes).to.be.at.most(PIECE)
    })
  })

  it('has the last pieces of a peer that falls silent from another one', async () => {
    const limits = { uploadBytesPerSecond: 4 * MIB }
    const wrapStore = (store: TestNode['store']) => silentStore(store, 24)
    const scene = { peers: [{ limits }, { limits, wrapStore }], hasOrigin: false }
    await fetchBeside(scene, (node, tookMs, peers) => {
      expect(tookMs).to.be.lessThan(SOON_MS)
      const silent = peers[1]?.swarm.peerId
      const { sources, duplicateBytes } = explained(node)
      const given = sources.find(({ name }) => name === silent)?.verifiedBytes
      expect(given).to.be.within(PIECE, bytes.byteLength / 2)
      expect(duplicateBytes).to.be.at.most(PIECE)
    })
  })

  it('can still explain a fetch after a restart', async () => {
    await using origin = await startOrigin()
    const digest = origin.add(bytes)
    const folder = await mkdtemp(join(tmpdir(), 'archy-swarm-'))
    {
      await using node = await startNode({ origins: [origin.url], folder, keepFolder: true })
      await node.swarm.fetch({ digest, sizeBytes: bytes.byteLength }, { release })
    }
    await using again = await startNode({ folder })
    const { outcome, sources, milestones } = explained(again)
    expect(outcome).to.equal('done')
    expect(sources).to.have.length(1)
    expect(sources[0]).to.include({ kind: 'origin', name: origin.url, pieces: '0-31' })
    expect(milestones.layer?.source).to.equal('origin')
  })
})
