import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCatalog } from '../../../catalog/client.ts'
import { createCatalogSources } from '../../../src/catalog-sources.ts'
import { silentLog } from '../../../src/core/log.ts'
import { createGossip } from '../../../src/gossip.ts'
import { decodeRelay, encodeRelay } from '../../../swarm/catalog-relay/messages.ts'
import { createRelay } from '../../../swarm/catalog-relay/relay.ts'
import {
  createSignedOrigin,
  DAY_MS,
  type SignedOrigin,
  START_MS,
} from '../../support/catalog/signed-origin.ts'
import { createManualClock, settle } from '../../support/manual-clock.ts'
import { createWireChannel, type WireChannel } from '../../support/swarm/wire-channel.ts'
import { waitFor } from '../../support/wait-for.ts'

describe('gossip about the catalog', () => {
  let folder: string
  let origin: SignedOrigin

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-gossip-'))
    origin = createSignedOrigin()
    origin.publishSet(1)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** A node that has catalog 1, and its end of the wire. */
  async function setUp() {
    const clock = createManualClock(START_MS + DAY_MS)
    const root = origin.files.get('1.root.json') ?? new Uint8Array()
    const sources = createCatalogSources([], () => 0)
    const deps = { ...{ clock, log: silentLog, folder, root }, onRefused: () => {} }
    const catalog = await createCatalog({ ...deps, sources: () => [origin] })
    await catalog.refresh()
    const gossip = createGossip({ catalog, sources, clock, log: silentLog, random: () => 0.5 })
    const relay = createRelay({ mirror: gossip.mirror, clock, log: silentLog })
    sources.use(relay, () => catalog.head())
    let refreshes = 0
    gossip.onNews(async () => {
      refreshes += 1
    })
    const connect = (peerId: string): WireChannel => {
      const channel = createWireChannel(peerId)
      relay.accept(channel)
      return channel
    }
    return { clock, catalog, relay, gossip, connect, refreshes: () => refreshes }
  }
  const head = (timestamp: number, root = 1) =>
    encodeRelay({ kind: 'head', root, timestamp, content: 'ab'.repeat(32) })
  const timestampFile = (): Uint8Array => origin.files.get('timestamp.json') ?? new Uint8Array()
  const count = ({ sent }: WireChannel, kind: string): number =>
    sent.filter(frame => decodeRelay(frame.subarray(4))?.kind === kind).length

  it('takes many peers with something new for one piece of news, and waits before the next', async () => {
    const { clock, connect, refreshes } = await setUp()
    origin.publishSet(2)
    const bytes = timestampFile()
    const say = async (round: string): Promise<void> => {
      for (let index = 0; index < 20; index += 1) {
        connect(`${round}${index}`).push(encodeRelay({ kind: 'timestamp', bytes }))
      }
      await settle()
    }
    await say('first')
    await clock.advance(499)
    expect(refreshes()).to.equal(0)
    await clock.advance(1)
    expect(refreshes()).to.equal(1)
    await say('second')
    await clock.advance(9_999)
    expect(refreshes()).to.equal(1)
    await clock.advance(501)
    expect(refreshes()).to.equal(2)
    await clock.advance(60_000)
    expect(refreshes()).to.equal(2)
  })

  it('asks a peer once in two seconds, however often it claims, leaves and comes back', async () => {
    const { clock, connect } = await setUp()
    const channels: WireChannel[] = []
    for (let round = 0; round < 10; round += 1) {
      const channel = connect('restless')
      channels.push(channel)
      channel.push(head(round + 2))
      await settle()
      channel.close()
    }
    const asked = (): number => channels.reduce((sum, channel) => sum + count(channel, 'get'), 0)
    expect(asked()).to.equal(1)
    await clock.advance(2_000)
    channels.push(connect('restless'))
    channels.at(-1)?.push(head(99))
    await settle()
    expect(asked()).to.equal(2)
  })

  it('lowers a peer that claims and gives nothing, or something that is not signed', async () => {
    const { clock, relay, connect, refreshes } = await setUp()
    const [nothing, forger] = [connect('nothing'), connect('forger')]
    nothing.push(head(9))
    await settle()
    nothing.push(encodeRelay({ kind: 'reject', id: 1, reason: 'not-found' }))
    forger.push(encodeRelay({ kind: 'timestamp', bytes: Buffer.from('{"signed":{}}') }))
    await settle()
    const states = relay.peers().map(({ peerId, isLowered }) => `${peerId} ${isLowered}`)
    expect(states).to.deep.equal(['nothing true', 'forger true'])
    await clock.advance(60_000)
    expect(refreshes()).to.equal(0)
  })

  it('follows new keys that a peer speaks of, but not again when that peer was found wrong', async () => {
    const { clock, relay, connect, refreshes } = await setUp()
    const peer = connect('peer')
    const unsigned = Buffer.from('{"signed":{"version":9}}')
    peer.push(head(0, 2))
    peer.push(head(1, 2))
    peer.push(encodeRelay({ kind: 'timestamp', bytes: unsigned }))
    await settle()
    await clock.advance(1_000)
    expect(refreshes()).to.equal(1)
    relay.lower('peer')
    peer.push(encodeRelay({ kind: 'timestamp', bytes: unsigned }))
    await settle()
    await clock.advance(60_000)
    expect(refreshes()).to.equal(1)
  })

  it('proves a fork to whoever connects, once, and lets nobody be flooded by it', async () => {
    const { catalog, connect } = await setUp()
    const old = connect('old')
    origin.publishSet(1, { targets: {} })
    old.push(encodeRelay({ kind: 'timestamp', bytes: timestampFile() }))
    await waitFor('the proof', 5_000, async () => (count(old, 'proof') === 1 ? true : undefined))
    expect(catalog.forks()).to.have.length(1)
    const [chatty, quiet] = [connect('chatty'), connect('quiet')]
    for (let claim = 0; claim < 40; claim += 1) chatty.push(head(claim + 2))
    quiet.push(head(1))
    await settle()
    expect([old, chatty, quiet].map(channel => count(channel, 'proof'))).to.deep.equal([1, 1, 1])
  })

  it('tells of a new head once', async () => {
    const { catalog, gossip, connect } = await setUp()
    gossip.tell()
    const peer = connect('peer')
    origin.publishSet(2)
    await catalog.refresh()
    gossip.tell()
    gossip.tell()
    await settle()
    expect([count(peer, 'head'), count(peer, 'timestamp')]).to.deep.equal([2, 1])
  })
})
