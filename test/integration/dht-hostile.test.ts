/** What a peer can do to the DHT of a node: real hosts on loopback, of which one keeps to no rule. */
import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import type { Libp2p } from 'libp2p'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { PROVIDER_RECORDS_PER_PEER_MAX } from '../../swarm/discovery/limits.ts'
import type { BuiltNode } from '../../swarm/libp2p/node.ts'
import { encodeKad, KAD, providerIdsIn } from '../support/swarm/kad-messages.ts'
import { until } from '../support/swarm/nodes.ts'
import { askKad, LAN_KAD, startStranger, startSubject } from '../support/swarm/stranger.ts'

const RECORDS = 20_000
const MIB = 1024 * 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Without garbage. */
function heapUsed(): number {
  collect()
  return process.memoryUsage().heapUsed
}

function keyOf(index: number): CID {
  const digest = createHash('sha256').update(String(index)).digest()
  return CID.createV1(0x55, create(0x12, digest))
}

describe('the DHT of a node', function () {
  this.timeout(60_000)
  let subject: BuiltNode
  const strangers: Libp2p[] = []

  beforeEach(async () => {
    subject = await startSubject()
  })
  afterEach(async () => {
    for (const stranger of strangers.splice(0)) await stranger.stop()
    await subject.node.stop()
  })

  async function connect(): Promise<Libp2p> {
    const stranger = await startStranger({ listen: ['/ip4/127.0.0.1/tcp/0'] })
    strangers.push(stranger)
    await stranger.dial(subject.node.getMultiaddrs())
    return stranger
  }
  const openStream = (stranger: Libp2p): Promise<Stream> =>
    stranger.dialProtocol(subject.node.getMultiaddrs(), LAN_KAD)
  const recordOf = (stranger: Libp2p, index: number): Buffer =>
    encodeKad({
      type: KAD.addProvider,
      key: keyOf(index).multihash.bytes,
      providers: [
        {
          id: stranger.peerId.toMultihash().bytes,
          addresses: stranger.getMultiaddrs().map(address => address.bytes),
        },
      ],
    })
  async function provide(stranger: Libp2p, indexes: Iterable<number>): Promise<void> {
    const stream = await openStream(stranger)
    for (const index of indexes) {
      if (!stream.send(recordOf(stranger, index))) {
        await new Promise(resolve => stream.addEventListener('drain', resolve, { once: true }))
      }
    }
    await stream.close()
  }
  const providersOf = async (asker: Libp2p, index: number): Promise<readonly string[]> => {
    const question = encodeKad({ type: KAD.getProviders, key: keyOf(index).multihash.bytes })
    const answer = await askKad(await openStream(asker), question)
    expect(answer, 'an answer').to.not.equal(undefined)
    return providerIdsIn(answer ?? new Uint8Array(0))
  }
  const idOf = (peer: Libp2p): string =>
    Buffer.from(peer.peerId.toMultihash().bytes).toString('hex')

  it('keeps a bounded number of records of a peer that sends 20,000, and those of others', async () => {
    const honest = await connect()
    await provide(honest, [RECORDS + 1])
    const flooder = await connect()
    const beforeBytes = heapUsed()
    await provide(flooder, Array(RECORDS).keys())
    const { providers } = subject.records
    const name = flooder.peerId.toString()
    await until('the last record', async () =>
      (await providersOf(honest, RECORDS - 1)).includes(idOf(flooder)),
    )
    expect(providers.countOf(name)).to.equal(PROVIDER_RECORDS_PER_PEER_MAX)
    expect(await providersOf(flooder, RECORDS + 1)).to.deep.equal([idOf(honest)])
    expect(heapUsed() - beforeBytes).to.be.lessThan(24 * MIB)
  })

  it('answers although one of the providers is gone', async () => {
    const [first, second] = [await connect(), await connect()]
    for (const provider of [first, second]) await provide(provider, [1])
    await until('both records', async () => (await providersOf(first, 1)).length === 2)
    await subject.node.peerStore.delete(first.peerId)
    expect(await providersOf(second, 1)).to.deep.equal([idOf(second)])
  })

  it('stores no value for anybody', async () => {
    const stranger = await connect()
    for (const key of ['/pk/x', '/ipns/x', 'no/slash', '/a/b/c/d']) {
      const bytes = Buffer.from(key)
      const record = Buffer.concat([
        Buffer.from([0x0a, bytes.byteLength]),
        bytes,
        Buffer.from([0x12, 1, 1]),
      ])
      const frame = encodeKad({ type: KAD.putValue, key: bytes, record })
      expect(await askKad(await openStream(stranger), frame), key).to.equal(undefined)
    }
    const kept = [...subject.records._all({})].map(({ key }) => key.toString())
    expect(kept.filter(key => !key.startsWith('/peers/'))).to.deep.equal([])
  })

  it('keeps no peer with hundreds of addresses', async () => {
    const stranger = await connect()
    const many = Array.from({ length: 2_000 }, (_, port) =>
      Buffer.from([4, 10, 0, 0, 1, 6, port >> 8, port & 255]),
    )
    const id = stranger.peerId.toMultihash().bytes
    const providers = [{ id, addresses: many }]
    const frame = encodeKad({ type: KAD.addProvider, key: keyOf(2).multihash.bytes, providers })
    expect(await askKad(await openStream(stranger), frame)).to.equal(undefined)
    const kept = await subject.node.peerStore.get(stranger.peerId)
    expect(kept.addresses.length).to.be.lessThan(10)
  })
})
