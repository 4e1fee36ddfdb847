/**
 * Shares the send buffers among peers: whoever has the fewest bytes on their way goes next, nobody has more than a fixed
 * share. A turn costs the logarithm of the number of peers that wait.
 */
import { createLineHeap, type Line } from './line-heap.ts'

export interface FairQueue {
  /** Resolves when `bytes` may be queued for the peer; the caller then calls `release`. Rejects with the signal. */
  acquire(peerId: string, bytes: number, signal: AbortSignal): Promise<void>
  release(peerId: string, bytes: number): void
  /** Granted and not yet released, over all peers. */
  readonly heldBytes: number
}

export function createFairQueue(bounds: { perPeerBytes: number; totalBytes: number }): FairQueue {
  const lines = new Map<string, Line>()
  /** Peers whose first waiter has room in their own share. */
  const ready = createLineHeap()
  let heldBytes = 0
  let turn = 0

  const lineOf = (peerId: string): Line => {
    const known = lines.get(peerId)
    if (known !== undefined) return known
    const line: Line = { held: 0, turn: 0, waiters: [], heapIndex: -1 }
    lines.set(peerId, line)
    return line
  }
  /** A peer with nothing on its way may always have one chunk of any size. */
  const settle = (peerId: string, line: Line): void => {
    const next = line.waiters[0]
    const isReady =
      next !== undefined && (line.held === 0 || line.held + next.bytes <= bounds.perPeerBytes)
    ready.place(line, isReady)
    if (next === undefined && line.held === 0) lines.delete(peerId)
  }
  /** The first in order waits for its room: nobody with less to ask for overtakes it for ever. */
  const serve = (): void => {
    for (;;) {
      const line = ready.first()
      const next = line?.waiters[0]
      if (line === undefined || next === undefined) return
      if (heldBytes > 0 && heldBytes + next.bytes > bounds.totalBytes) return
      line.waiters.shift()
      heldBytes += next.bytes
      line.held += next.bytes
      line.turn = ++turn
      settle(next.peerId, line)
      next.go()
    }
  }

  return {
    get heldBytes() {
      return heldBytes
    },
    acquire(peerId, bytes, signal) {
      signal.throwIfAborted()
      return new Promise((resolve, reject) => {
        const line = lineOf(peerId)
        const stop = (): void => {
          line.waiters.splice(line.waiters.indexOf(waiter), 1)
          settle(peerId, line)
          reject(signal.reason)
          serve()
        }
        const go = (): void => {
          signal.removeEventListener('abort', stop)
          resolve()
        }
        const waiter = { peerId, bytes, go }
        signal.addEventListener('abort', stop, { once: true })
        if (line.held === 0 && line.waiters.length === 0) line.turn = ++turn
        line.waiters.push(waiter)
        settle(peerId, line)
        serve()
      })
    },
    release(peerId, bytes) {
      const line = lineOf(peerId)
      heldBytes -= bytes
      line.held = Math.max(0, line.held - bytes)
      line.turn = ++turn
      settle(peerId, line)
      serve()
    },
  }
}
