/** Connections that have not yet said who they are: few, few of each host, and none for long. */
import type { Socket } from 'node:net'
import type { Clock } from '../../src/core/clock.ts'
import {
  BULK_ACCEPTS_PER_HOST_SECOND,
  BULK_ACCEPTS_PER_SECOND,
  BULK_HOSTS_MAX,
  BULK_PENDING_MAX,
  BULK_PENDING_PER_HOST_MAX,
  BULK_PENDING_TIMEOUT_MS,
} from '../limits.ts'
import { createTokenBucket, type TokenBucket } from '../token-bucket.ts'

export interface Pending {
  /**
   * When there are too many, the oldest of the same host, or of all, is closed: an honest one needs milliseconds. One that
   * comes too soon after others is closed itself, before its handshake costs anything.
   */
  add(socket: Socket): void
  /** The connection is no longer pending; it may be the TLS side of what was added. */
  settle(socket: Socket): void
  closeAll(): void
  readonly count: number
}

/** What may come at once, in milliseconds of the rates. */
const BURST_MS = 2_000

interface Entry {
  readonly socket: Socket
  readonly host: string
  readonly settled: AbortController
}

export function createPending(clock: Clock): Pending {
  /** By remote address and port, which the TLS side of a connection has as well. Oldest first. */
  const entries = new Map<string, Entry>()

  /** Hosts that came lately, the longest ago first. */
  const rates = new Map<string, TokenBucket>()
  const everybody = createTokenBucket(clock, BULK_ACCEPTS_PER_SECOND, BURST_MS)

  const comesTooSoon = (host: string): boolean => {
    const rate = rates.get(host) ?? createTokenBucket(clock, BULK_ACCEPTS_PER_HOST_SECOND, BURST_MS)
    rates.delete(host)
    rates.set(host, rate)
    const [longestAgo] = rates.keys()
    if (rates.size > BULK_HOSTS_MAX && longestAgo !== undefined) rates.delete(longestAgo)
    // Who is turned away takes nothing of what all have together.
    if (rate.debit(0) > 0 || everybody.debit(0) > 0) return true
    rate.debit(1)
    everybody.debit(1)
    return false
  }
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
      if (comesTooSoon(host)) {
        socket.destroy()
        return
      }
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
