/** What a node still knows of its peers after days: the real peer store, with the wall clock moved on. */
import { mock } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import type { Libp2p } from 'libp2p'
import { PROVIDER_VALID_MS } from '../../swarm/discovery/limits.ts'
import type { BuiltNode } from '../../swarm/libp2p/node.ts'
import { encodeKad, KAD, providerIdsIn } from '../support/swarm/kad-messages.ts'
import { until } from '../support/swarm/nodes.ts'
import { askKad, LAN_KAD, startStranger, startSubject } from '../support/swarm/stranger.ts'

const HOUR_MS = 3_600_000
const ADDRESS = multiaddr('/ip4/9.9.9.9/tcp/4001')
/** A multihash of 32 bytes. */
const KEY = Buffer.concat([Buffer.from([0x12, 0x20]), Buffer.alloc(32, 7)])

describe('the addresses of a provider', function () {
  this.timeout(30_000)
  let subject: BuiltNode
  let provider: Libp2p

  beforeEach(async () => {
    subject = await startSubject()
    provider = await startStranger({ listen: ['/ip4/127.0.0.1/tcp/0'] })
    await provider.dial(subject.node.getMultiaddrs())
  })
  afterEach(async () => {
    mock.timers.reset()
    await provider.stop()
    await subject.node.stop()
  })
  /** Only the date: sockets and their timers go on as they are. */
  const moveClock = (ms: number): void => {
    const now = Date.now() + ms
    mock.timers.reset()
    mock.timers.enable({ apis: ['Date'], now })
  }
  const announce = async (): Promise<void> => {
    const stream = await provider.dialProtocol(subject.node.getMultiaddrs(), LAN_KAD)
    const id = provider.peerId.toMultihash().bytes
    const providers = [{ id, addresses: provider.getMultiaddrs().map(({ bytes }) => bytes) }]
    stream.send(encodeKad({ type: KAD.addProvider, key: KEY, providers }))
    await stream.close()
  }
  const holders = async (): Promise<number> => {
    const stream = await provider.dialProtocol(subject.node.getMultiaddrs(), LAN_KAD)
    const answer = await askKad(stream, encodeKad({ type: KAD.getProviders, key: KEY }))
    return providerIdsIn(answer ?? new Uint8Array(0)).length
  }

  it('are told for as long as its record holds, and no longer', async () => {
    await announce()
    await until('the record', async () => (await holders()) === 1)
    moveClock(2 * HOUR_MS)
    expect(await holders(), 'after two hours').to.equal(1)
    moveClock(PROVIDER_VALID_MS - 3 * HOUR_MS)
    expect(await holders(), 'an hour before the end').to.equal(1)
    moveClock(2 * HOUR_MS)
    expect(await holders(), 'an hour after the end').to.equal(0)
  })

  it('are told after weeks in which it announced itself again and again', async () => {
    for (let day = 0; day < 21; day += 1) {
      await announce()
      moveClock(24 * HOUR_MS - HOUR_MS)
      await announce()
      moveClock(HOUR_MS)
    }
    await until('the record', async () => (await holders()) === 1)
  })

  it('are kept of a peer that was only heard of, until its place is needed', async () => {
    const { peerStore } = subject.node
    await peerStore.merge(provider.peerId, { multiaddrs: [ADDRESS] })
    moveClock(200 * HOUR_MS)
    const { addresses } = await peerStore.get(provider.peerId)
    expect(addresses.map(each => each.multiaddr.toString())).to.include(ADDRESS.toString())
  })
})
