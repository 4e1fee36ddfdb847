/** The catalog relay between real swarms on loopback, with peers that lie, flood, or are of another network. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Catalog, createCatalog } from '../../catalog/index.ts'
import { type CatalogSources, createCatalogSources } from '../../src/catalog-sources.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { encodeRelay, type RelayMessage } from '../../swarm/catalog-relay/messages.ts'
import type { CatalogMirror } from '../../swarm/index.ts'
import { RELAY_GET_BURST } from '../../swarm/limits.ts'
import { createSignedOrigin, DAY_MS, START_MS } from '../support/catalog/signed-origin.ts'
import { startNode, type TestNode, until } from '../support/swarm/nodes.ts'
import { type RawPeer, startRawPeer } from '../support/swarm/raw-peer.ts'

type Files = ReadonlyMap<string, Uint8Array>

describe('the catalog relay among liars', function () {
  this.timeout(90_000)
  const clock: Clock = { ...systemClock, nowMs: () => START_MS + DAY_MS }
  const content = 'ab'.repeat(32)
  let stack: AsyncDisposableStack
  beforeEach(() => {
    stack = new AsyncDisposableStack()
  })
  afterEach(() => stack.disposeAsync())

  /** Serves `files` and claims `timestamp`, whatever is in them. */
  function mirrorOf(files: Files, timestamp: number, asked: string[] = []): CatalogMirror {
    return {
      head: () => ({ root: 1, timestamp, content }),
      file: name => {
        asked.push(name)
        return files.get(name)
      },
      fileByDigest: () => undefined,
      onHead: () => {},
      onTimestamp: () => {},
      onProof: () => {},
    }
  }
  async function swarmOf(catalog: CatalogMirror, other?: TestNode): Promise<TestNode> {
    const bootstrap = other?.swarm.addresses() ?? []
    return stack.use(await startNode({ catalog, bootstrap }))
  }
  async function raw(
    to: TestNode,
    answer: (message: RelayMessage) => Uint8Array | RelayMessage | undefined,
    timestamp = 7,
  ): Promise<RawPeer> {
    // Once: whoever comes back within a flood would be cut off for its head.
    const heads: RelayMessage[] = [{ kind: 'head', root: 1, timestamp, content }]
    const peer = await startRawPeer({
      answer: message => (message.kind === 'head' ? heads.pop() : answer(message)),
    })
    stack.use(peer)
    await peer.dial(to.swarm.addresses())
    return peer
  }
  const peerOf = (node: TestNode, peerId: string) =>
    node.swarm.relay?.peers().find(peer => peer.peerId === peerId)
  const untilHeads = (node: TestNode, count: number) =>
    until(`${count} heads`, () => {
      const heads = node.swarm.relay?.peers().filter(({ head }) => head !== undefined) ?? []
      return heads.length >= count
    })

  /** A node with nothing but the embedded root, and no origin. */
  async function newcomer(root: Uint8Array) {
    const folder = await mkdtemp(join(tmpdir(), 'archy-newcomer-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const sources: CatalogSources = createCatalogSources([], Math.random)
    const catalog: Catalog = await createCatalog({
      sources: () => sources.sources(),
      onRefused: (source, error) => sources.onRefused(source, error),
      ...{ folder, root, clock, log: silentLog },
    })
    const node = await swarmOf(mirrorOf(new Map(), 0))
    if (node.swarm.relay !== undefined) sources.use(node.swarm.relay, () => catalog.head())
    return { node, catalog }
  }

  it('brings the one honest catalog among seven that are old, expired, changed, garbage, too large or slow', async () => {
    const origin = createSignedOrigin()
    const root = origin.files.get('1.root.json') ?? new Uint8Array()
    origin.publishSet(1)
    const old = new Map(origin.files)
    origin.publishSet(2, { expiresMs: { timestamp: START_MS } })
    const expired = new Map(origin.files)
    origin.publishSet(3)
    const honest = new Map(origin.files)
    const tampered = new Map(honest)
    const [name] = [...tampered.keys()].filter(key => key.endsWith('.targets.json')).slice(-1)
    const changed = Buffer.from(tampered.get(name ?? '') ?? [])
    changed.writeUInt8((changed[changed.length >> 1] ?? 0) ^ 1, changed.length >> 1)
    tampered.set(name ?? '', changed)

    const { node, catalog } = await newcomer(root)
    const good = await swarmOf(mirrorOf(honest, 3), node)
    const liars = [
      await swarmOf(mirrorOf(tampered, 9), node),
      await swarmOf(mirrorOf(expired, 8), node),
      await swarmOf(mirrorOf(old, 2 ** 48 - 1), node),
      await swarmOf(mirrorOf(new Map([['timestamp.json', Buffer.alloc(9_000, 7)]]), 7), node),
    ].map(({ swarm }) => swarm.peerId)
    const garbage = await raw(node, () => Buffer.from([0, 0, 0, 3, 4, 1, 1]))
    const tooLarge = await raw(node, message =>
      message.kind === 'get'
        ? {
            kind: 'file',
            id: message.id,
            sizeBytes: 1_000_000,
            offset: 0,
            bytes: Buffer.alloc(60_000),
          }
        : undefined,
    )
    const silent = await raw(node, () => undefined)
    liars.push(garbage.peerId, tooLarge.peerId, silent.peerId)
    await untilHeads(node, 8)

    await catalog.refresh()
    await catalog.refresh()
    expect(catalog.status()).to.include({ timestamp: 3, freshness: 'fresh' })
    expect(catalog.status().source).to.equal(good.swarm.peerId)
    for (const peerId of liars.filter(id => peerOf(node, id) !== undefined)) {
      expect(peerOf(node, peerId)?.isLowered, peerId).to.equal(true)
    }
    expect(peerOf(node, good.swarm.peerId)?.isLowered).to.equal(false)
  })

  const floods: Readonly<Record<string, (index: number) => RelayMessage>> = {
    heads: index => ({ kind: 'head', root: 1, timestamp: index + 1, content }),
    timestamps: index => ({ kind: 'timestamp', bytes: Buffer.from(`timestamp ${index}`) }),
    questions: id => ({ kind: 'get', id, maxBytes: 100, name: '1.root.json' }),
  }
  for (const [what, message] of Object.entries(floods)) {
    it(`cuts off a peer that floods with ${what}, and lowers it when it comes back`, async () => {
      const asked: string[] = []
      const node = await swarmOf(mirrorOf(new Map(), 0, asked))
      const flooder = await raw(node, () => undefined)
      await untilHeads(node, 1)
      const frames = Array.from({ length: 500 }, (_, index) => encodeRelay(message(index)))
      const [channel] = flooder.channels
      await flood(channel, Buffer.concat(frames), 40)
      await until('the end of the stream', () => peerOf(node, flooder.peerId) === undefined)
      const refusal = node.lines.find(line => line.message === 'catalog peer breaks the protocol')
      expect(refusal?.fields).to.include({ peer: flooder.peerId })
      await flooder.hangUp(node.swarm.peerId)
      await flooder.dial(node.swarm.addresses())
      await until('its return', () => peerOf(node, flooder.peerId) !== undefined)
      expect(peerOf(node, flooder.peerId)?.isLowered).to.equal(true)
      expect(asked.length).to.be.at.most(RELAY_GET_BURST)
    })
  }

  it('gives nothing to a node of another network', async () => {
    const asked: string[] = []
    const node = await swarmOf(mirrorOf(new Map(), 3, asked))
    const bootstrap = node.swarm.addresses()
    const catalog = mirrorOf(new Map(), 3)
    const other = stack.use(await startNode({ catalog, bootstrap, networkName: 'elsewhere' }))
    await until('the refusal', () =>
      other.lines.some(line => line.message === 'peer does not relay the catalog'),
    )
    expect(other.swarm.relay?.peers()).to.be.empty
    expect(node.swarm.relay?.peers()).to.be.empty
    expect(asked).to.be.empty
  })
})

/** Until it is cut off, or everything was sent. */
async function flood(
  channel: RawPeer['channels'][number] | undefined,
  bytes: Uint8Array,
  times: number,
): Promise<void> {
  try {
    for (let time = 0; time < times; time += 1) await channel?.send(bytes)
  } catch {
    /* Cut off: what the test waits for. */
  }
}
