/** The connections to one origin for its Range requests: a few, kept open, each with one request at a time. */
import { type RangeAsk, RangeConnection, type Timeouts } from './range-connection.ts'

export interface RangePool {
  /** As `RangeConnection.ask`, as soon as a connection is free. */
  ask(ask: RangeAsk, signal: AbortSignal): Promise<void>
  close(): void
}

export function createRangePool(
  url: URL,
  options: { readonly connectionsMax: number; readonly timeouts: Timeouts },
): RangePool {
  const connections = new Set<RangeConnection>()
  const waiting: (() => void)[] = []
  let busyCount = 0

  const open = (): RangeConnection => {
    const connection = new RangeConnection(url, options.timeouts, gone => connections.delete(gone))
    connections.add(connection)
    return connection
  }
  const place = async (signal: AbortSignal): Promise<void> => {
    if (busyCount < options.connectionsMax) {
      busyCount += 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = (): void => {
      const index = waiting.indexOf(resolve)
      if (index < 0) return
      waiting.splice(index, 1)
      reject(signal.reason)
    }
    waiting.push(resolve)
    signal.addEventListener('abort', stop, { once: true })
    await promise
    signal.removeEventListener('abort', stop)
  }
  const run = async (ask: RangeAsk, signal: AbortSignal): Promise<void> => {
    const idle = [...connections].find(({ isIdle }) => isIdle)
    let receivedAny = false
    const checkHead: RangeAsk['checkHead'] = head => {
      receivedAny = true
      ask.checkHead(head)
    }
    try {
      await (idle ?? open()).ask({ ...ask, checkHead }, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (idle === undefined || receivedAny) throw error
      // The server closed it while nobody asked, which we could not know yet.
      await open().ask(ask, signal)
    }
  }

  return {
    async ask(ask, signal) {
      signal.throwIfAborted()
      await place(signal)
      try {
        await run(ask, signal)
      } finally {
        const next = waiting.shift()
        // The place goes to the next in line, or is free.
        if (next === undefined) busyCount -= 1
        else next()
      }
    },
    close() {
      for (const connection of [...connections]) connection.close()
    },
  }
}
