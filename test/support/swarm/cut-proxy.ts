/** A TCP proxy on loopback whose connections a test can cut, or let stand without a byte moving. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface CutProxy extends AsyncDisposable {
  readonly port: number
  /** Bytes that came back through it, over all connections. */
  readonly forwardedBytes: number
  readonly connectionCount: number
  /** Ends every connection. */
  cut(): void
  /** From now on nothing moves, also on connections to come; nothing is closed. */
  freeze(): void
}

export async function startCutProxy(targetPort: () => number): Promise<CutProxy> {
  const sockets = new Set<Socket>()
  let forwardedBytes = 0
  let connectionCount = 0
  let isFrozen = false
  const server = createServer(near => {
    connectionCount += 1
    const far = connect(targetPort(), '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
      from.on('data', bytes => {
        if (isFrozen) return
        if (from === far) forwardedBytes += bytes.byteLength
        if (!to.write(bytes)) from.pause()
      })
      to.on('drain', () => from.resume())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  return {
    port: (server.address() as AddressInfo).port,
    get forwardedBytes() {
      return forwardedBytes
    },
    get connectionCount() {
      return connectionCount
    },
    cut,
    freeze() {
      isFrozen = true
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
