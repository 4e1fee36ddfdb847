/** Accepts bulk channels: a TLS handshake, then a token. Who says nothing, or the wrong thing, is closed without an answer. */
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import type { Clock } from '../../src/core/clock.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { TOKEN_BYTES } from '../wire.ts'
import { type BulkCertificate, TLS_OPTIONS } from './certificate.ts'
import { createPending, type Pending } from './pending.ts'

interface Deps {
  readonly clock: Clock
  readonly log: Log
  readonly certificate: BulkCertificate
  /** Takes a connection with its token and what came behind it. False: the token is not valid. */
  admit(token: Uint8Array, socket: TLSSocket, rest: Uint8Array): boolean
}

export interface BulkListener {
  readonly port: number
  close(): Promise<void>
}

/**
 * Listens on every host at one port; when that is taken, or 0, on a port that the system chooses.
 * `undefined` when none of the hosts can be listened on; the log says why.
 */
export async function openBulkListener(
  deps: Deps,
  hosts: readonly string[],
  port: number,
): Promise<BulkListener | undefined> {
  const pending = createPending(deps.clock)
  const servers: Server[] = []
  let chosen = port
  for (const host of hosts) {
    const server = createBulkServer(deps, pending)
    const isFirst = servers.length === 0
    const listening =
      (await listen(deps.log, server, host, chosen)) ||
      (isFirst && chosen !== 0 && (await listen(deps.log, server, host, 0)))
    if (!listening) continue
    servers.push(server)
    chosen = (server.address() as AddressInfo).port
  }
  if (servers.length === 0) return undefined
  return {
    port: chosen,
    async close() {
      const closed = servers.map(server => new Promise(resolve => server.close(resolve)))
      pending.closeAll()
      await Promise.all(closed)
    },
  }
}

async function listen(log: Log, server: Server, host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const fail = (error: Error): void => {
    log.warn('bulk channel cannot listen', { host, port, reason: error.message })
    resolve(false)
  }
  server.once('error', fail)
  server.listen({ host, port, ipv6Only: true }, () => resolve(true))
  const listening = await promise
  server.off('error', fail)
  return listening
}

function createBulkServer(deps: Deps, pending: Pending): Server {
  const { cert, key } = deps.certificate
  const server = createServer({
    cert,
    key,
    ...TLS_OPTIONS,
    honorCipherOrder: true,
    noDelay: true,
  })
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy())
    pending.add(socket)
  })
  server.on('tlsClientError', (error, socket) => {
    deps.log.debug('bulk handshake failed', { reason: messageOf(error) })
    socket.destroy()
  })
  server.on('secureConnection', socket => readToken(deps, pending, socket))
  return server
}

function readToken(deps: Deps, pending: Pending, socket: TLSSocket): void {
  let got: Buffer = Buffer.alloc(0)
  const take = (bytes: Buffer): void => {
    got = got.byteLength === 0 ? bytes : Buffer.concat([got, bytes])
    if (got.byteLength < TOKEN_BYTES) return
    socket.off('data', take)
    socket.pause()
    const isAdmitted = deps.admit(got.subarray(0, TOKEN_BYTES), socket, got.subarray(TOKEN_BYTES))
    if (!isAdmitted) {
      deps.log.debug('bulk token refused', { host: socket.remoteAddress })
      socket.destroy()
      return
    }
    pending.settle(socket)
  }
  socket.on('error', () => socket.destroy())
  socket.on('data', take)
}
