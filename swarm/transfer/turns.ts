/** Lets a bounded number of fetches run at once: the smallest first, and small ones beside the large. */
import { FETCHES_AT_ONCE_MAX } from '../limits.ts'

/** Manifests, configurations and small layers: they have turns of their own, because much waits for them. */
const SMALL_BYTES_MAX = 1024 * 1024

interface Waiter {
  readonly sizeBytes: number
  go(): void
}

export interface Turns {
  /** Resolves when the fetch may run, with what ends its turn; ending it twice is harmless. Rejects with the signal. */
  take(sizeBytes: number, signal: AbortSignal): Promise<() => void>
}

export function createTurns(countMax = FETCHES_AT_ONCE_MAX): Turns {
  const small = createLane(countMax)
  const large = createLane(countMax)
  return {
    take: (sizeBytes, signal) =>
      (sizeBytes <= SMALL_BYTES_MAX ? small : large).take(sizeBytes, signal),
  }
}

function createLane(countMax: number): Turns {
  const waiting: Waiter[] = []
  let runningCount = 0

  function begin(): () => void {
    runningCount += 1
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      runningCount -= 1
      letNext()
    }
  }
  function letNext(): void {
    if (runningCount >= countMax) return
    const next = waiting.reduce<Waiter | undefined>(
      (least, waiter) => (least && least.sizeBytes <= waiter.sizeBytes ? least : waiter),
      undefined,
    )
    next?.go()
  }

  return {
    async take(sizeBytes, signal) {
      signal.throwIfAborted()
      if (runningCount < countMax && waiting.length === 0) return begin()
      return await new Promise((resolve, reject) => {
        const leave = (): void => {
          waiting.splice(waiting.indexOf(waiter), 1)
          signal.removeEventListener('abort', stop)
        }
        const stop = (): void => {
          leave()
          reject(signal.reason)
        }
        const waiter: Waiter = {
          sizeBytes,
          go() {
            leave()
            resolve(begin())
          },
        }
        signal.addEventListener('abort', stop, { once: true })
        waiting.push(waiter)
      })
    },
  }
}
