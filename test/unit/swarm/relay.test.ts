import { expect } from 'chai'
import { silentLog } from '../../../src/core/log.ts'
import {
  decodeRelay,
  encodeRelay,
  type RelayMessage,
} from '../../../swarm/catalog-relay/messages.ts'
import type { CatalogMirror } from '../../../swarm/catalog-relay/ports.ts'
import { createRelay } from '../../../swarm/catalog-relay/relay.ts'
import {
  RELAY_GET_BURST,
  RELAY_PUSH_BURST,
  RELAY_SAY_BURST,
  RELAY_SERVE_BYTES_PER_PEER_MAX,
  RELAY_SERVE_BYTES_TOTAL_MAX,
  SERVE_STALL_TIMEOUT_MS,
} from '../../../swarm/limits.ts'
import { createManualClock, settle } from '../../support/manual-clock.ts'
import { createWireChannel, type WireChannel } from '../../support/swarm/wire-channel.ts'
import { waitFor } from '../../support/wait-for.ts'

describe('relay of the catalog', () => {
  const bytesOf = (text: string): Uint8Array => Buffer.from(text)
  const head = (timestamp: number): Uint8Array =>
    encodeRelay({ kind: 'head', root: 1, timestamp, content: 'ab'.repeat(32) })
  const get = (id: number, name = '1.root.json'): Uint8Array =>
    encodeRelay({ kind: 'get', id, maxBytes: 8_000_000, name })

  function setUp(file: CatalogMirror['file'] = () => undefined) {
    const heads: string[] = []
    const clock = createManualClock()
    const mirror: CatalogMirror = {
      head: () => undefined,
      file,
      fileByDigest: () => undefined,
      onHead: (peerId, claim) => void heads.push(`${peerId} ${claim?.timestamp ?? 'left'}`),
      onTimestamp: (peerId, bytes) => void heads.push(`${peerId} timestamp ${bytes.byteLength}`),
      onProof: () => {},
    }
    const relay = createRelay({ mirror, clock, log: silentLog })
    const join = (peerId: string): WireChannel => {
      const channel = createWireChannel(peerId)
      relay.accept(channel)
      return channel
    }
    return { relay, clock, heads, join }
  }
  const kinds = async ({ sent }: WireChannel): Promise<readonly string[]> => {
    await settle()
    return sent.map(frame => decodeRelay(frame.subarray(4))?.kind ?? 'unknown')
  }
  const answers = async (channel: WireChannel): Promise<readonly RelayMessage[]> => {
    await settle()
    return channel.sent.flatMap(frame => decodeRelay(frame.subarray(4)) ?? [])
  }

  it('tells each peer of a fork once, and never what that peer told', async () => {
    const { relay, join } = setUp()
    const [first, second] = [join('first'), join('second')]
    const [a, b] = [bytesOf('a'), bytesOf('b')]
    first.push(encodeRelay({ kind: 'proof', a, b }))
    for (let time = 0; time < 3; time += 1) {
      relay.announceProof(a, b)
      relay.sendProof('second', a, b)
      relay.announce(bytesOf('timestamp'))
    }
    expect(await kinds(first)).to.deep.equal(['head', 'head', 'timestamp', 'head', 'head'])
    expect((await kinds(second)).filter(kind => kind === 'proof')).to.have.length(1)
    relay.sendProof('nobody', a, b)
  })

  it('tells a peer that came back once more, for the first time may be lost', async () => {
    const { relay, join } = setUp()
    join('peer').close()
    const again = join('peer')
    relay.sendProof('peer', bytesOf('a'), bytesOf('b'))
    expect(await kinds(again)).to.deep.equal(['head', 'proof'])
  })

  it('says less than a peer accepts, whatever there is to say', async () => {
    const { relay, join } = setUp()
    const channel = join('peer')
    for (let index = 0; index < 500; index += 1) {
      relay.sendProof('peer', bytesOf(`a${index}`), bytesOf('b'))
    }
    expect((await kinds(channel)).length).to.be.within(RELAY_SAY_BURST, RELAY_SAY_BURST + 1)
    expect(RELAY_SAY_BURST).to.be.lessThan(RELAY_PUSH_BURST)
    const other = setUp()
    const back = other.join('sender')
    for (const frame of channel.sent) back.push(frame)
    expect(back.isClosed).to.equal(false)
  })

  it('hears no more from a peer that opens a new stream for every minute of pushes', async () => {
    const { relay, clock, heads, join } = setUp()
    for (let stream = 0; stream < 50; stream += 1) {
      const channel = join('flooder')
      for (let index = 0; index < 61; index += 1) channel.push(head(index + 1))
      expect(channel.isClosed).to.equal(true)
    }
    const heard = heads.filter(line => !line.endsWith('left'))
    expect(heard).to.have.length(RELAY_PUSH_BURST)
    const waiting = join('flooder')
    expect(relay.peers()).to.deep.equal([{ peerId: 'flooder', head: undefined, isLowered: true }])
    waiting.close()
    await clock.advance(120_000)
    join('flooder').push(head(7))
    expect(heads.at(-1)).to.equal('flooder 7')
  })

  const broken: Readonly<Record<string, Uint8Array>> = {
    'a name that no catalog file has': get(1, 'floors.json'),
    'a timestamp beyond its bound': Buffer.concat([
      Buffer.from([0, 0, 0x40, 2, 6]),
      Buffer.alloc(16_385),
    ]),
    'a frame beyond its bound': Buffer.from([0xff, 0xff, 0xff, 0xff]),
  }
  for (const [what, bytes] of Object.entries(broken)) {
    it(`cuts off, and lowers, a peer that sends ${what}`, () => {
      const { relay, join } = setUp()
      const channel = join('peer')
      channel.push(bytes)
      expect(channel.isClosed).to.equal(true)
      join('peer')
      expect(relay.peers()[0]?.isLowered).to.equal(true)
    })
  }

  it('cuts off a peer that sends a flood of what no version has, or of answers to nothing', () => {
    const { join } = setUp()
    const [unknown, stray] = [join('one'), join('two')]
    for (let index = 0; index < RELAY_PUSH_BURST + 1; index += 1) {
      unknown.push(Buffer.from([0, 0, 0, 1, 200]))
    }
    for (let id = 0; id < RELAY_GET_BURST + 1; id += 1) {
      stray.push(encodeRelay({ kind: 'reject', id, reason: 'limit' }))
    }
    expect([unknown.isClosed, stray.isClosed]).to.deep.equal([true, true])
  })

  it('slows a peer down that asks faster than any refresh, and answers every question', async () => {
    let found = 0
    const { clock, join } = setUp(() => {
      found += 1
      return undefined
    })
    const channel = join('peer')
    for (let id = 0; id < RELAY_GET_BURST; id += 1) {
      channel.push(get(id))
      if (id % 8 === 7) await settle()
    }
    expect(found).to.equal(RELAY_GET_BURST)
    for (let id = 0; id < 8; id += 1) channel.push(get(id))
    await settle()
    expect(found).to.equal(RELAY_GET_BURST)
    await clock.advance(1_000)
    expect(found).to.equal(RELAY_GET_BURST + 8)
    expect(channel.isClosed).to.equal(false)
  })

  it('cuts off a peer that floods with questions, also over two streams', async () => {
    let found = 0
    const { relay, join } = setUp(() => {
      found += 1
      return undefined
    })
    const [one, two] = [join('peer'), join('peer')]
    for (let id = 0; id < 10_000; id += 1) {
      one.push(get(id))
      two.push(get(id))
    }
    await settle()
    expect([one.isClosed, two.isClosed]).to.deep.equal([true, true])
    expect(found).to.be.at.most(RELAY_GET_BURST)
    expect(one.sent.length + two.sent.length).to.be.at.most(RELAY_GET_BURST + 4)
    join('peer')
    expect(relay.peers()[0]?.isLowered).to.equal(true)
  })

  it('ends a peer that asks and does not read, and holds a bounded part of the files until then', async () => {
    const big = Buffer.alloc(500_000)
    const { clock, join } = setUp(() => big)
    const stuck = join('stuck')
    await settle()
    stuck.stall()
    for (let id = 0; id < 8; id += 1) stuck.push(get(id))
    await settle()
    const reader = join('reader')
    reader.push(get(1))
    const parts = (await answers(reader)).filter(({ kind }) => kind === 'file')
    expect(parts).to.have.length(8)
    expect(stuck.isClosed).to.equal(false)
    await clock.advance(SERVE_STALL_TIMEOUT_MS)
    expect(stuck.isClosed).to.equal(true)
    expect(reader.isClosed).to.equal(false)
    expect(clock.sleeperCount).to.equal(0)
  })

  it('holds a bounded part of the files for all peers that do not read together', async () => {
    const { clock, join } = setUp(() => Buffer.alloc(500_000))
    const count = Math.ceil(RELAY_SERVE_BYTES_TOTAL_MAX / RELAY_SERVE_BYTES_PER_PEER_MAX) + 2
    const stuck = Array.from({ length: count }, (_, index) => join(`stuck${index}`))
    await settle()
    for (const channel of stuck) {
      channel.stall()
      for (let id = 0; id < 8; id += 1) channel.push(get(id))
    }
    const reader = join('reader')
    reader.push(get(1))
    expect(await kinds(reader)).to.deep.equal(['head'])
    await clock.advance(SERVE_STALL_TIMEOUT_MS)
    await waitFor('the file', 5_000, async () => (await kinds(reader)).length === 9)
  })

  it('gives no file beyond what its name can have', async () => {
    const { join } = setUp(() => Buffer.alloc(20_000))
    const channel = join('peer')
    channel.push(get(1, 'timestamp.json'))
    channel.push(get(2, '3.timestamp.json'))
    channel.push(get(3, '3.targets.json'))
    const [, first, second, third] = await answers(channel)
    for (const answer of [first, second]) expect(answer).to.include({ reason: 'limit' })
    expect(third).to.include({ kind: 'file', sizeBytes: 20_000 })
  })

  it('closes both streams of a peer, and says only then that it left', () => {
    const { relay, heads, join } = setUp()
    const [one, two] = [join('twice'), join('twice')]
    one.push(head(3))
    two.close()
    expect(relay.peers()).to.have.length(1)
    expect(heads).to.deep.equal(['twice 3'])
    const three = join('twice')
    relay.closeAll()
    expect([one.isClosed, three.isClosed]).to.deep.equal([true, true])
    expect(heads).to.deep.equal(['twice 3', 'twice left'])
  })

  it('remembers who gave a wrong catalog while that peer is away', async () => {
    const { relay, clock, join } = setUp()
    join('liar').close()
    relay.lower('liar')
    join('liar')
    expect(relay.peers()[0]?.isLowered).to.equal(true)
    await clock.advance(86_400_000)
    expect(relay.peers()[0]?.isLowered).to.equal(false)
  })
})
