/**
 * A line before a server that carries no more than a number of bytes a second to all clients together, however many
 * connections they open. It runs in the process of the benchmark, which has nothing else to do meanwhile.
 */
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

/** What may pass at once after a pause; small against any time that is measured here. */
const BURST_MS = 50
/** Larger chunks are cut, so that connections take turns. */
const CHUNK_BYTES = 16 * 1024

export interface CappedLine extends AsyncDisposable {
  readonly port: number
  /** Carried to clients so far, with the overhead of TLS and HTTP. */
  readonly sentBytes: number
}

export async function openCappedLine(
  targetPort: number,
  bytesPerSecond: number,
): Promise<CappedLine> {
  const sockets = new Set<Socket>()
  let sentBytes = 0
  let paidAtMs = performance.now()
  const pay = async (bytes: number): Promise<void> => {
    sentBytes += bytes
    const nowMs = performance.now()
    paidAtMs = Math.max(paidAtMs, nowMs - BURST_MS) + (bytes * 1000) / bytesPerSecond
    if (paidAtMs > nowMs) await new Promise(resolve => setTimeout(resolve, paidAtMs - nowMs))
  }
  const server = createServer(client => {
    const remote = createConnection({ host: '127.0.0.1', port: targetPort })
    for (const [socket, other] of [
      [client, remote],
      [remote, client],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.once('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.pipe(remote)
    carry(remote, client, pay).catch(() => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get sentBytes() {
      return sentBytes
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** One chunk at a time: it is paid for, then given on, then the next one is read. */
async function carry(
  from: Socket,
  to: Socket,
  pay: (bytes: number) => Promise<void>,
): Promise<void> {
  for await (const received of from as AsyncIterable<Buffer>) {
    for (let at = 0; at < received.length; at += CHUNK_BYTES) {
      const chunk = received.subarray(at, at + CHUNK_BYTES)
      await pay(chunk.length)
      if (!to.writable) return
      if (!to.write(chunk)) await once(to, 'drain')
    }
  }
  to.end()
}
