/** Shares the send buffers among peers: whoever has the fewest bytes waiting goes next, nobody has more than a fixed share. */

interface Waiter {
  readonly peerId: string
  readonly bytes: number
  readonly go: () => void
}

export interface FairQueue {
  /** Resolves when `bytes` may be queued for the peer; the caller then calls `release`. Rejects with the signal. */
  acquire(peerId: string, bytes: number, signal: AbortSignal): Promise<void>
  release(peerId: string, bytes: number): void
}

export function createFairQueue(bounds: { perPeerBytes: number; totalBytes: number }): FairQueue {
  const outstanding = new Map<string, number>()
  const waiters: Waiter[] = []
  let totalBytes = 0

  const held = (peerId: string): number => outstanding.get(peerId) ?? 0
  /** A peer with nothing outstanding may always have one chunk of any size when the total allows it. */
  const fits = ({ peerId, bytes }: Waiter): boolean =>
    (totalBytes === 0 || totalBytes + bytes <= bounds.totalBytes) &&
    (held(peerId) === 0 || held(peerId) + bytes <= bounds.perPeerBytes)

  function serveWaiters(): void {
    for (;;) {
      const next = waiters.filter(fits).sort((a, b) => held(a.peerId) - held(b.peerId))[0]
      if (next === undefined) return
      waiters.splice(waiters.indexOf(next), 1)
      totalBytes += next.bytes
      outstanding.set(next.peerId, held(next.peerId) + next.bytes)
      next.go()
    }
  }

  return {
    acquire(peerId, bytes, signal) {
      signal.throwIfAborted()
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          waiters.splice(waiters.indexOf(waiter), 1)
          reject(signal.reason)
        }
        const waiter: Waiter = {
          peerId,
          bytes,
          go: () => {
            signal.removeEventListener('abort', stop)
            resolve()
          },
        }
        signal.addEventListener('abort', stop, { once: true })
        waiters.push(waiter)
        serveWaiters()
      })
    },
    release(peerId, bytes) {
      totalBytes -= bytes
      const left = held(peerId) - bytes
      if (left > 0) outstanding.set(peerId, left)
      else outstanding.delete(peerId)
      serveWaiters()
    },
  }
}
