import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { systemClock } from '../../../../src/core/clock.ts'
import { type LineProxy, openProxy } from '../../../support/lab/proxy.ts'
import type { Line } from '../../../support/lab/shaper.ts'

/** A server that sends back what it gets, and a proxy before it. */
async function openEcho(line: Line = {}) {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy: LineProxy = await openProxy(
    { clock: systemClock, random: () => 0.5 },
    { target: { host: '127.0.0.1', port }, line },
  )
  return {
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      server.close()
    },
  }
}

async function open(proxy: LineProxy): Promise<Socket> {
  const socket = connect(proxy.port, proxy.host)
  await once(socket, 'connect')
  return socket
}

/** Sends bytes, ends, and returns what came back and when. */
async function roundTrip(proxy: LineProxy, bytes: Buffer): Promise<{ back: Buffer; ms: number }> {
  const startMs = performance.now()
  const socket = await open(proxy)
  socket.end(bytes)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return { back: Buffer.concat(chunks), ms: performance.now() - startMs }
}

describe('the delay proxy', () => {
  it('gives on every byte unchanged, also more than it may hold', async () => {
    await using echo = await openEcho()
    const bytes = Buffer.alloc(6 * 1024 * 1024, 'archy')
    const { back } = await roundTrip(echo.proxy, bytes)
    expect(back.equals(bytes)).to.equal(true)
    expect(echo.proxy.bytes).to.deep.equal({ toTarget: bytes.length, toClient: bytes.length })
  })

  it('delays each direction', async () => {
    await using echo = await openEcho({ delayMs: 30, jitterMs: 10 })
    expect((await roundTrip(echo.proxy, Buffer.from('x'))).ms).to.be.greaterThan(68)
  })

  it('holds the rate', async () => {
    await using echo = await openEcho({ rateBytesPerSecond: 200_000 })
    expect((await roundTrip(echo.proxy, Buffer.alloc(20_000))).ms).to.be.greaterThan(98)
  })

  it('gives nothing on while stalled, and everything after', async () => {
    await using echo = await openEcho()
    const socket = await open(echo.proxy)
    echo.proxy.stall()
    socket.write('late')
    // That nothing comes can only be watched for a while.
    const early = await Promise.race([once(socket, 'data'), systemClock.sleep(40)])
    expect(early).to.equal(undefined)
    const back = once(socket, 'data')
    echo.proxy.resume()
    expect(String((await back)[0])).to.equal('late')
    socket.destroy()
  })

  it('resets open connections when dropped, and takes new ones', async () => {
    await using echo = await openEcho()
    const socket = await open(echo.proxy)
    const broken = once(socket, 'error')
    socket.write('x')
    await once(socket, 'data')
    const rejected = broken.then(([error]) => (error as NodeJS.ErrnoException).code)
    echo.proxy.drop()
    expect(await rejected).to.equal('ECONNRESET')
    expect((await roundTrip(echo.proxy, Buffer.from('again'))).back.toString()).to.equal('again')
  })

  it('refuses new connections while cut', async () => {
    await using echo = await openEcho()
    echo.proxy.cut()
    const socket = connect(echo.proxy.port, echo.proxy.host)
    const [error] = await once(socket, 'error')
    expect((error as NodeJS.ErrnoException).code).to.equal('ECONNRESET')
    echo.proxy.resume()
    expect((await roundTrip(echo.proxy, Buffer.from('back'))).back.toString()).to.equal('back')
  })

  it('breaks the client when the target is not there', async () => {
    await using echo = await openEcho()
    const target = { host: '127.0.0.1', port: 1 }
    await using broken = await openProxy({ clock: systemClock, random: Math.random }, { target })
    expect(echo.proxy.port).not.to.equal(broken.port)
    const socket = connect(broken.port, broken.host)
    const [error] = await once(socket, 'error')
    expect((error as NodeJS.ErrnoException).code).to.equal('ECONNRESET')
  })
})
