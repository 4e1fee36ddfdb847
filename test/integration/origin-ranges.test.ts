import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { systemClock } from '../../src/core/clock.ts'
import { digestOf } from '../../src/core/digest.ts'
import type { RangeIntake } from '../../swarm/origin/intake.ts'
import { createOrigin, type Origin } from '../../swarm/origin/origin.ts'
import { createTokenBucket } from '../../swarm/token-bucket.ts'

const BODY = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251))
const DIGEST = digestOf(Buffer.from('a blob of the test'))
const NO_SIGNAL = new AbortController().signal

interface Server extends AsyncDisposable {
  readonly url: string
  readonly connections: number
  readonly requests: number
}

/** A web server of Node.js that answers as `listener` says. */
async function serve(listener: RequestListener): Promise<Server> {
  let [connections, requests] = [0, 0]
  const server = createHttpServer((request, response) => {
    requests += 1
    listener(request, response)
  })
  server.on('connection', () => {
    connections += 1
  })
  return await opened(server, {
    get connections() {
      return connections
    },
    get requests() {
      return requests
    },
  })
}

/** A server that answers every connection with `act`, below HTTP. */
async function serveRaw(act: (socket: Socket, count: number) => void): Promise<Server> {
  let connections = 0
  const server = createServer(socket => {
    connections += 1
    socket.on('error', () => socket.destroy())
    act(socket, connections)
  })
  return await opened(server, {
    get connections() {
      return connections
    },
    requests: 0,
  })
}

async function opened(
  server: ReturnType<typeof createServer>,
  counts: Pick<Server, 'connections' | 'requests'>,
): Promise<Server> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    get connections() {
      return counts.connections
    },
    get requests() {
      return counts.requests
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Answers Range requests as a static web server does. */
const honest: RequestListener = (request, response) => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
  if (from === undefined || to === undefined) {
    response.writeHead(200, { 'content-length': BODY.length }).end(BODY)
    return
  }
  const part = BODY.subarray(Number(from), Number(to) + 1)
  response
    .writeHead(206, {
      'content-length': part.length,
      'content-range': `bytes ${from}-${to}/${BODY.length}`,
    })
    .end(part)
}

const headOf = (from: number, length: number): string =>
  `HTTP/1.1 206 Partial Content\r\nContent-Length: ${length}\r\nContent-Range: bytes ${from}-${from + length - 1}/${BODY.length}\r\n\r\n`

async function fetchRange(
  origin: Origin,
  offset: number,
  length: number,
  signal = NO_SIGNAL,
  wait?: () => Promise<void>,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let at = 0
  const intake: RangeIntake = {
    room: () => bytes.subarray(at),
    advance(count) {
      at += count
      return wait?.()
    },
  }
  const range = { digest: DIGEST, sizeBytes: BODY.length, offset, length }
  await origin.fetchRange(range, intake, signal)
  return bytes
}

async function failure(work: Promise<unknown>): Promise<{ code?: string; message: string }> {
  try {
    await work
  } catch (error) {
    return error as { code?: string; message: string }
  }
  throw new Error('nothing was thrown')
}

const open = (url: string, bytesPerSecond?: number): Origin & AsyncDisposable => {
  const origin = createOrigin({ limits: [createTokenBucket(systemClock, bytesPerSecond)] }, url)
  return { ...origin, [Symbol.asyncDispose]: () => origin.close() }
}

describe('ranges of an origin', () => {
  it('come whole, in any length, one after the other over one connection', async () => {
    await using server = await serve(honest)
    await using origin = open(server.url)
    for (const [offset, length] of [
      [0, 1],
      [1, 65_536],
      [70_001, 2_500_000],
      [BODY.length - 1, 1],
    ] as const) {
      const bytes = await fetchRange(origin, offset, length)
      expect(bytes.equals(BODY.subarray(offset, offset + length))).to.equal(true)
    }
    expect(server.requests).to.equal(4)
    expect(server.connections).to.equal(1)
  })

  it('come side by side, over no more than eight connections', async () => {
    await using server = await serve(honest)
    await using origin = open(server.url)
    const parts = await Promise.all(
      Array.from({ length: 20 }, (_, index) => fetchRange(origin, index * 100_000, 100_000)),
    )
    expect(Buffer.concat(parts).equals(BODY.subarray(0, 2_000_000))).to.equal(true)
    expect(server.connections).to.be.within(2, 8)
  })

  it('come over a new connection when the server closed the one that was idle', async () => {
    await using server = await serveRaw((socket, count) => {
      socket.once('data', () => {
        socket.write(headOf(0, 10))
        socket.write(BODY.subarray(0, 10))
        // Reads the next request and then closes: what a server does whose time for an idle connection was over.
        if (count === 1) socket.once('data', () => socket.destroy())
      })
    })
    await using origin = open(server.url)
    await fetchRange(origin, 0, 10)
    const bytes = await fetchRange(origin, 0, 10)
    expect(bytes.equals(BODY.subarray(0, 10))).to.equal(true)
    expect(server.connections).to.equal(2)
  })

  it('come in chunks of HTTP too, when a server cannot do otherwise', async () => {
    await using server = await serve((request, response) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${BODY.length}` })
      const part = BODY.subarray(Number(from), Number(to) + 1)
      response.write(part.subarray(0, 1000))
      response.end(part.subarray(1000))
    })
    await using origin = open(server.url)
    const bytes = await fetchRange(origin, 5, 200_000)
    expect(bytes.equals(BODY.subarray(5, 200_005))).to.equal(true)
    // From then on nobody tries the short way at this server.
    await fetchRange(origin, 0, 1000)
    expect(server.requests).to.equal(3)
  })

  it('are not read faster than whoever asked takes them', async () => {
    await using server = await serve(honest)
    await using origin = open(server.url)
    const gate = Promise.withResolvers<void>()
    let calls = 0
    const work = fetchRange(origin, 0, 2_900_000, NO_SIGNAL, () => {
      calls += 1
      return gate.promise
    })
    await new Promise(resolve => setTimeout(resolve, 200))
    // One reading, and at most what the system had handed over before reading was stopped.
    expect(calls).to.be.within(1, 2)
    gate.resolve()
    const bytes = await work
    expect(bytes.equals(BODY.subarray(0, 2_900_000))).to.equal(true)
  })

  it('end where the server said they end, and what follows is not taken for the next answer', async () => {
    await using server = await serveRaw(socket => {
      socket.on('data', () => socket.write(`${headOf(0, 100)}${'x'.repeat(200)}`))
    })
    await using origin = open(server.url)
    expect((await fetchRange(origin, 0, 100)).toString()).to.equal('x'.repeat(100))
    expect((await fetchRange(origin, 0, 100)).toString()).to.equal('x'.repeat(100))
    expect(server.connections).to.equal(2)
  })

  it('keep the limit of the origin', async () => {
    await using server = await serve(honest)
    await using origin = open(server.url, 1_000_000)
    const startMs = performance.now()
    await fetchRange(origin, 0, 700_000)
    // The limit lets a tenth of a second through at once.
    expect(performance.now() - startMs).to.be.greaterThan(500)
  })

  it('end at once when they are no longer wanted', async () => {
    await using server = await serveRaw(socket => {
      socket.write(headOf(0, 1000))
      socket.write(BODY.subarray(0, 10))
    })
    await using origin = open(server.url)
    const giveUp = new AbortController()
    setTimeout(() => giveUp.abort(new Error('no longer wanted')), 50)
    const error = await failure(fetchRange(origin, 0, 1000, giveUp.signal))
    expect(error.message).to.equal('no longer wanted')
  })

  it('leave what the one who asked threw as it is', async () => {
    await using server = await serve(honest)
    await using origin = open(server.url)
    const error = await failure(
      fetchRange(origin, 0, 1_000_000, NO_SIGNAL, () => Promise.reject(new Error('disk is full'))),
    )
    expect(error.message).to.equal('disk is full')
  })

  for (const [what, code, answer] of [
    ['a missing blob', 'ORIGIN_ABSENT', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'],
    ['a server in trouble', 'ORIGIN_REFUSED', 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'],
    ['the whole file', 'ORIGIN_REFUSED', 'HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n'],
    ['another range', 'ORIGIN_REFUSED', headOf(10, 100)],
    ['a range of another length', 'ORIGIN_REFUSED', headOf(0, 99)],
    ['nothing of HTTP', 'ORIGIN_UNREACHABLE', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a head without end', 'ORIGIN_UNREACHABLE', `HTTP/1.1 206 x\r\nA: ${'b'.repeat(70_000)}`],
  ] as const) {
    it(`end with ${code} for ${what}`, async () => {
      await using server = await serveRaw(socket => {
        socket.once('data', () => socket.end(answer))
      })
      await using origin = open(server.url)
      const error = await failure(fetchRange(origin, 0, 100))
      expect(error.code).to.equal(code)
      expect(error.message).to.contain(server.url)
    })
  }

  it('end with ORIGIN_UNREACHABLE when the connection breaks in the middle', async () => {
    await using server = await serveRaw(socket => {
      socket.once('data', () => socket.end(`${headOf(0, 100)}abc`))
    })
    await using origin = open(server.url)
    const error = await failure(fetchRange(origin, 0, 100))
    expect(error.code).to.equal('ORIGIN_UNREACHABLE')
  })
})
