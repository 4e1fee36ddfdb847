/** Connections that have not yet said who they are: few, few of each host, and none for long. */
import type { Socket } from 'node:net'
import type { Clock } from '../../src/core/clock.ts'
import { BULK_PENDING_MAX, BULK_PENDING_PER_HOST_MAX, BULK_PENDING_TIMEOUT_MS } from '../limits.ts'

export interface Pending {
  /** When there are too many, the oldest of the same host, or of all, is closed: an honest one needs milliseconds. */
  add(socket: Socket): void
  /** The connection is no longer pending; it may be the TLS side of what was added. */
  settle(socket: Socket): void
  closeAll(): void
  readonly count: number
}

interface Entry {
  readonly socket: Socket
  readonly host: string
  readonly settled: AbortController
}

export function createPending(clock: Clock): Pending {
  /** By remote address and port, which the TLS side of a connection has as well. Oldest first. */
  const entries = new Map<string, Entry>()

  const settle = (key: string): Entry | undefined => {
    const entry = entries.get(key)
    entries.delete(key)
    entry?.settled.abort(new Error('it said who it is'))
    return entry
  }
  const close = (key: string): void => {
    settle(key)?.socket.destroy()
  }
  const makeRoom = (host: string): void => {
    const sameHost = [...entries].filter(([, entry]) => entry.host === host)
    const [oldestOfHost] = sameHost
    if (oldestOfHost !== undefined && sameHost.length >= BULK_PENDING_PER_HOST_MAX) {
      close(oldestOfHost[0])
    }
    const oldest = entries.keys().next().value
    if (oldest !== undefined && entries.size >= BULK_PENDING_MAX) close(oldest)
  }
  return {
    get count() {
      return entries.size
    },
    add(socket) {
      const host = socket.remoteAddress ?? ''
      makeRoom(host)
      const key = keyOf(socket)
      const entry: Entry = { socket, host, settled: new AbortController() }
      entries.set(key, entry)
      socket.once('close', () => {
        if (entries.get(key) === entry) settle(key)
      })
      clock.sleep(BULK_PENDING_TIMEOUT_MS, entry.settled.signal).then(
        () => close(key),
        () => {
          // It said who it is, or has gone.
        },
      )
    },
    settle: socket => void settle(keyOf(socket)),
    closeAll() {
      for (const key of [...entries.keys()]) close(key)
    },
  }
}

function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}
