/** Who is let into the bulk channel of a node, and what strangers cost there. */
import { randomBytes } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { expect } from 'chai'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { type BulkGuest, type BulkHub, createBulkHub } from '../../swarm/bulk/hub.ts'
import {
  BULK_PENDING_PER_HOST_MAX,
  BULK_PENDING_TIMEOUT_MS,
  BULK_TOKEN_LIFETIME_MS,
} from '../../swarm/limits.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { openIdle, presentToken } from '../support/swarm/bulk-client.ts'
import { until } from '../support/swarm/nodes.ts'

class Guest implements BulkGuest {
  readonly sockets: TLSSocket[] = []
  rest = Buffer.alloc(0)

  welcome(socket: TLSSocket, rest: Uint8Array): void {
    this.rest = Buffer.from(rest)
    this.sockets.push(socket)
    socket.resume()
    socket.write('welcome')
  }
}

async function startHub(stack: AsyncDisposableStack, clock: Clock = systemClock): Promise<BulkHub> {
  const hub = createBulkHub(
    { clock, log: silentLog, secret: randomBytes },
    ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.2/tcp/0'],
    0,
  )
  await hub.start()
  stack.defer(() => hub.stop())
  return hub
}

function offerFrom(hub: BulkHub, guest: BulkGuest) {
  const offer = hub.offer(guest)
  if (offer === undefined) throw new Error('the hub does not listen')
  return offer
}

describe('the listener of the bulk channel', () => {
  const stack: { current: AsyncDisposableStack } = { current: new AsyncDisposableStack() }
  beforeEach(() => {
    stack.current = new AsyncDisposableStack()
  })
  afterEach(async () => await stack.current.disposeAsync())

  async function expectRefused(port: number, bytes: Uint8Array): Promise<void> {
    const client = stack.current.use(await presentToken(port, bytes))
    await until('it is closed', () => client.isClosed)
    expect(client.received).to.deep.equal([])
  }

  it('leads a token to the peer that it was given to, with what came behind it', async () => {
    const hub = await startHub(stack.current)
    const [alice, bob] = [new Guest(), new Guest()]
    const [forAlice, forBob] = [offerFrom(hub, alice), offerFrom(hub, bob)]
    const words = Buffer.concat([forBob.token, Buffer.from('and more')])
    const client = stack.current.use(await presentToken(forBob.port, words))
    await until('it is welcome', () => client.received.length > 0)
    expect([alice.sockets.length, bob.sockets.length]).to.deep.equal([0, 1])
    expect(bob.rest.toString()).to.equal('and more')
    expect(client.fingerprint).to.equal(Buffer.from(forAlice.fingerprint).toString('hex'))
    expect(client.socket.getProtocol()).to.equal('TLSv1.3')
  })

  it('closes without an answer on a token that is wrong, of another node, or revoked', async () => {
    const hub = await startHub(stack.current)
    const other = await startHub(stack.current)
    const guest = new Guest()
    const { port, token } = offerFrom(hub, guest)
    await expectRefused(port, randomBytes(32))
    await expectRefused(port, offerFrom(other, new Guest()).token)
    hub.revoke(guest)
    await expectRefused(port, token)
    expect(guest.sockets).to.deep.equal([])
  })

  it('closes without an answer on a token that has expired', async () => {
    const clock = createManualClock()
    const hub = await startHub(stack.current, clock)
    const guest = new Guest()
    const { port, token } = offerFrom(hub, guest)
    await clock.advance(BULK_TOKEN_LIFETIME_MS - 1)
    const client = stack.current.use(await presentToken(port, token))
    await until('it is welcome', () => client.received.length > 0)
    await clock.advance(1)
    await expectRefused(port, token)
    expect(guest.sockets).to.have.length(1)
  })

  it('closes on garbage, inside TLS and instead of it', async () => {
    const hub = await startHub(stack.current)
    const { port } = offerFrom(hub, new Guest())
    await expectRefused(port, randomBytes(64 * 1024))
    using garbage = openIdle(port, 3, Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    await until('it is closed', () => garbage.openCount() === 0)
  })

  it('keeps few that say nothing, none for long, and lets an honest peer in beside them', async () => {
    const clock = createManualClock()
    const hub = await startHub(stack.current, clock)
    const guest = new Guest()
    const { port, token } = offerFrom(hub, guest)
    using silent = openIdle(port, 18)
    await until('most are closed', () => silent.openCount() <= BULK_PENDING_PER_HOST_MAX)
    const client = stack.current.use(await presentToken(port, token))
    await until('the honest one is welcome', () => client.received.length > 0)
    expect(silent.openCount()).to.be.greaterThan(0)
    await clock.advance(BULK_PENDING_TIMEOUT_MS)
    await until('all that say nothing are closed', () => silent.openCount() === 0)
    expect(client.isClosed).to.equal(false)
  })

  it('turns a flood away before its handshakes cost anything', async () => {
    const clock = createManualClock()
    const hub = await startHub(stack.current, clock)
    const { port, token } = offerFrom(hub, new Guest())
    using flood = openIdle(port, 200)
    await until('it is turned away', () => flood.openCount() <= BULK_PENDING_PER_HOST_MAX)
    const late = stack.current.use(await presentToken(port, token))
    await until('it is too fast for a while', () => late.isClosed)
    await clock.advance(1_000)
    const client = stack.current.use(await presentToken(port, token))
    await until('and then welcome again', () => client.received.length > 0)
  })
})
