/** A hand-made client of a bulk channel, which presents what a test wants. */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

/** A TLS connection on which `bytes` were sent. What it gets is kept. */
export interface BulkClient extends AsyncDisposable {
  readonly socket: TLSSocket
  readonly received: readonly Buffer[]
  readonly isClosed: boolean
  /** SHA-256 of the certificate that it was shown, in hex. */
  readonly fingerprint: string
}

export async function presentToken(port: number, bytes: Uint8Array): Promise<BulkClient> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  const received: Buffer[] = []
  let isClosed = false
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('data', part => received.push(part))
  await new Promise(resolve => {
    socket.once('secureConnect', resolve).once('close', resolve)
  })
  const fingerprint = isClosed ? '' : socket.getPeerCertificate().fingerprint256
  if (!isClosed && bytes.byteLength > 0) socket.write(bytes)
  return {
    socket,
    received,
    get isClosed() {
      return isClosed
    },
    fingerprint: fingerprint.replaceAll(':', '').toLowerCase(),
    async [Symbol.asyncDispose]() {
      socket.destroy()
    },
  }
}

/** TCP connections that say nothing, or `words`; how many of them are still open. */
export function openIdle(port: number, count: number, words?: Uint8Array) {
  const sockets: Socket[] = Array.from({ length: count }, () => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.on('error', () => socket.destroy())
    socket.on('data', () => {
      // Read, so that the end is noticed.
    })
    socket.on('end', () => socket.destroy())
    if (words !== undefined) socket.write(words)
    return socket
  })
  return {
    openCount: () => sockets.filter(socket => !socket.destroyed && !socket.closed).length,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
