/**
 * Peers that break the blob protocol, or use it to do harm, against a real node that serves an honest peer meanwhile.
 * Goal: the honest peer keeps 90 % of what it gets, memory stays bounded, and the offender is named and thrown out.
 * Method: the upload of the node is limited well below what this machine can do, and the time for the same bytes is taken in
 * turns with and without the attack, so that a busy machine slows down both.
 */
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { type Digest, digestFromBytes, digestOf } from '../../src/core/digest.ts'
import { encodeMessage, type Message } from '../../swarm/wire.ts'
import { bytesOf } from '../support/bytes.ts'
import { type HonestGetter, startHonestGetter } from '../support/swarm/honest-getter.ts'
import { startNode, type TestNode, until } from '../support/swarm/nodes.ts'
import { type OriginServer, startOrigin } from '../support/swarm/origin-server.ts'
import { type RawBlobPeer, startRawBlobPeer } from '../support/swarm/raw-blob-peer.ts'

const MIB = 1024 * 1024
const PIECE = 256 * 1024
const UPLOAD = 4 * MIB
/** A second at the limit. */
const ROUND_BYTES = 4 * MIB
const ROUNDS_MIN = 3
/** Another program that takes the machine for some seconds spoils rounds, but not this many. */
const ROUNDS_MAX = 11
const GOODPUT_MIN = 0.9
/** Beside the attacker, who lives in the same process and keeps what it sends in memory. */
const MEMORY_BYTES_MAX = 96 * MIB

const bytes = bytesOf(8 * MIB, 77)

/** False when the attacker was thrown out. */
type Attack = (attacker: RawBlobPeer) => Promise<boolean>

interface Outcome {
  readonly peerId: string
  readonly goodput: number
  readonly memoryBytes: number
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function randomDigest(): Digest {
  return digestFromBytes(randomBytes(32))
}

describe('bad input to the blob protocol', function () {
  this.timeout(90_000)
  let node: TestNode
  let getter: HonestGetter
  let digest: Digest

  before(async () => {
    digest = digestOf(bytes)
    node = await startNode({ limits: { uploadBytesPerSecond: UPLOAD } })
    await node.hold(digest, bytes)
    const blob = { digest, sizeBytes: bytes.byteLength, pieceSizeBytes: PIECE }
    getter = await startHonestGetter(node.swarm.addresses(), blob)
    await getter.timeFor(UPLOAD)
  })

  after(async () => {
    await getter[Symbol.asyncDispose]()
    await node[Symbol.asyncDispose]()
  })

  const request = (id: number, offset: number, length: number): Message => ({
    kind: 'request',
    id,
    digest,
    offset,
    length,
  })
  const recordOf = (peerId: string) =>
    node.swarm.status().misbehaviour.find(each => each.peerId === peerId)

  /** Attacks once, as somebody new, for as long as it is let in while the honest peer gets its bytes. */
  async function attackOnce(attack: Attack) {
    await using attacker = await startRawBlobPeer()
    await attacker.dial(node.swarm.addresses())
    const before = process.memoryUsage()
    const cleanMs = await getter.timeFor(ROUND_BYTES)
    let memoryBytes = 0
    let isOver = false
    const attacking = (async () => {
      while (!isOver && (await attack(attacker))) {
        const { heapUsed, arrayBuffers } = process.memoryUsage()
        const more = heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers
        memoryBytes = Math.max(memoryBytes, more)
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    })()
    const attackedMs = await getter.timeFor(ROUND_BYTES)
    await until('it is named', () => recordOf(attacker.peerId)?.verdict !== undefined)
    await until('it is thrown out', () => recordOf(attacker.peerId)?.verdict !== 'none', 15_000)
    isOver = true
    await attacking
    return { peerId: attacker.peerId, cleanMs, attackedMs, memoryBytes }
  }

  /** Medians of some attacks, each by somebody new; of more where the machine is too busy to tell. */
  async function withstand(attack: Attack): Promise<Outcome> {
    const rounds: Awaited<ReturnType<typeof attackOnce>>[] = []
    let goodput = 0
    while (rounds.length < ROUNDS_MIN || (goodput <= GOODPUT_MIN && rounds.length < ROUNDS_MAX)) {
      rounds.push(await attackOnce(attack))
      const cleanMs = medianOf(rounds.map(round => round.cleanMs))
      goodput = cleanMs / medianOf(rounds.map(round => round.attackedMs))
    }
    const memoryBytes = Math.max(...rounds.map(round => round.memoryBytes))
    return { peerId: rounds[0]?.peerId ?? '', goodput, memoryBytes }
  }

  function expectWithstood(outcome: Outcome, offence: string): void {
    const named = node.lines.filter(
      ({ message, fields }) =>
        message === 'peer misbehaves' &&
        fields.peer === outcome.peerId &&
        fields.offence === offence,
    )
    expect(named.map(({ fields }) => fields.verdict)).to.include.oneOf(['cut off', 'ban'])
    expect(recordOf(outcome.peerId)?.offences).to.have.property(offence)
    expect(recordOf(outcome.peerId)?.verdict).to.be.oneOf(['cut off', 'ban'])
    expect(outcome.goodput).to.be.greaterThan(GOODPUT_MIN)
    expect(outcome.memoryBytes).to.be.lessThan(MEMORY_BYTES_MAX)
  }

  it('frames that are larger than any may be', async () => {
    const frame = Buffer.alloc(MIB)
    frame.writeUInt32BE(0xffff_ffff, 0)
    expectWithstood(await withstand(attacker => attacker.send(frame)), 'broke the protocol')
  })

  it('frames that are no message', async () => {
    const outcome = await withstand(attacker => attacker.send(Buffer.from('0000000304abcd', 'hex')))
    expectWithstood(outcome, 'broke the protocol')
  })

  it('requests for blobs that nobody has', async () => {
    let id = 0
    const unknown = (): Message => ({
      kind: 'request',
      id: id++,
      digest: randomDigest(),
      offset: 0,
      length: PIECE,
    })
    const outcome = await withstand(attacker =>
      attacker.say(...Array.from({ length: 100 }, unknown)),
    )
    expectWithstood(outcome, 'unknown blob')
  })

  it('ranges that are no pieces', async () => {
    let id = 0
    const outcome = await withstand(attacker => attacker.say(request(id++, 1000, PIECE)))
    expectWithstood(outcome, 'malformed request')
  })

  it('the same request twice at once', async () => {
    const outcome = await withstand(attacker =>
      attacker.say(request(1, 0, PIECE), request(1, 0, PIECE)),
    )
    expectWithstood(outcome, 'broke the protocol')
  })

  it('a million tiny requests', async () => {
    let id = 0
    const tiny = (): Message => request(id++, PIECE - 1, 1)
    const outcome = await withstand(attacker =>
      attacker.say(...Array.from({ length: 2_000 }, tiny)),
    )
    expectWithstood(outcome, 'flood')
  })

  for (const [what, message] of [
    ['CANCEL', (): Message => ({ kind: 'cancel', id: 7 })],
    [
      'WHO_HAS',
      (): Message => ({ kind: 'who-has', digests: Array.from({ length: 256 }, randomDigest) }),
    ],
    [
      'HAVE',
      (): Message => ({
        kind: 'have',
        digest,
        pieceCount: 16_384,
        holding: { kind: 'pieces', indexes: Array.from({ length: 10_000 }, (_, index) => index) },
      }),
    ],
  ] as const) {
    it(`a flood of ${what}`, async () => {
      // Made once: what it costs the attacker is not the node's to bear.
      const count = what === 'CANCEL' ? 10_000 : 20
      const batch = Buffer.concat(Array.from({ length: count }, () => encodeMessage(message())))
      expectWithstood(await withstand(attacker => attacker.send(batch)), 'flood')
    })
  }

  it('a peer that says nothing, and one that does not read', async () => {
    await using silent = await startRawBlobPeer({ saysHello: false })
    await using stuck = await startRawBlobPeer()
    await silent.dial(node.swarm.addresses())
    await stuck.dial(node.swarm.addresses())
    stuck.pause()
    await stuck.say(...Array.from({ length: 32 }, (_, id) => request(id, id * PIECE, PIECE)))
    const clean = await getter.timeFor(ROUND_BYTES)
    const offencesOf = (peer: RawBlobPeer) => recordOf(peer.peerId)?.offences
    await until('the silent peer is named', () => offencesOf(silent)?.silent === 1, 20_000)
    await until('its connection ends', () => !silent.isOpen)
    await until('the slow one is named', () => offencesOf(stuck)?.['slow reader'] === 1, 30_000)
    expect(clean / (await getter.timeFor(ROUND_BYTES))).to.be.greaterThan(GOODPUT_MIN / 2)
  })
})

describe('peers that have not what they say', function () {
  this.timeout(60_000)
  const release = digestOf(Buffer.from('release'))

  async function fetchBeside(
    origin: OriginServer,
    liar: RawBlobPeer,
  ): Promise<{ node: TestNode; offences: object | undefined }> {
    await using node = await startNode({ origins: [origin.url], bootstrap: liar.addresses })
    await until('the peer', () => node.swarm.status().peers.length === 1)
    const digest = origin.add(bytes)
    await node.swarm.fetch({ digest, sizeBytes: bytes.byteLength }, { release })
    expect(node.swarm.status().totals).to.deep.equal({ peer: 0, origin: bytes.byteLength })
    const record = node.swarm.status().misbehaviour.find(each => each.peerId === liar.peerId)
    return { node, offences: record?.offences }
  }

  const haveAll = (message: Message): Message | undefined =>
    message.kind === 'who-has'
      ? {
          kind: 'have',
          digest: message.digests[0] ?? release,
          pieceCount: bytes.byteLength / PIECE,
          holding: { kind: 'all' },
        }
      : undefined

  it('says that it has everything, and rejects every request', async () => {
    await using origin = await startOrigin()
    await using liar = await startRawBlobPeer({
      onMessage: message =>
        message.kind === 'request' || message.kind === 'layer'
          ? { kind: 'reject', id: message.id, reason: 'not-found', retryAfterMs: 0 }
          : haveAll(message),
    })
    const { offences } = await fetchBeside(origin, liar)
    expect(offences).to.have.property('broken promise').greaterThan(0)
  })

  it('says that it has everything, and answers nothing', async () => {
    await using origin = await startOrigin()
    await using liar = await startRawBlobPeer({ onMessage: haveAll })
    await fetchBeside(origin, liar)
  })

  it('gives a piece layer that does not fold to the address', async () => {
    await using origin = await startOrigin()
    await using liar = await startRawBlobPeer({
      onMessage(message) {
        if (message.kind !== 'layer') return haveAll(message)
        const layer = randomBytes((bytes.byteLength / PIECE) * 32)
        const head = Buffer.alloc(13)
        head.writeUInt32BE(9 + layer.byteLength, 0)
        head.writeUInt8(6, 4)
        head.writeUInt32BE(message.id, 5)
        return Buffer.concat([head, layer])
      },
    })
    origin.delayMs = 50
    const { offences } = await fetchBeside(origin, liar)
    expect(offences).to.have.property('wrong bytes', 1)
  })
})
