/** Podman's stream of events, as a hint that some container changed; while it is open Podman's service stays up too. */
import type { PodmanApi } from './podman-api.ts'

export interface PodmanEvents {
  /** Opens the stream when somebody listens and it is not open; called with every read, so that it comes back by itself. */
  follow(): void
  /** Returns what ends it. The stream is closed when nobody listens any more. */
  listen(listener: () => void): () => void
}

/** Not the results of health checks, which come all the time. */
const FILTERS = { type: ['container'], event: ['start', 'died', 'remove', 'oom', 'rename'] }
const PATH = `/events?stream=true&filters=${encodeURIComponent(JSON.stringify(FILTERS))}`

export function createPodmanEvents(api: PodmanApi): PodmanEvents {
  const listeners = new Set<() => void>()
  let open: AbortController | undefined

  function tell(): void {
    for (const listener of listeners) listener()
  }

  /** Ends when Podman's service does, or when nobody listens any more; the next read opens the stream again. */
  async function drain(own: AbortController): Promise<void> {
    try {
      const parts = await api.stream({ method: 'GET', path: PATH, signal: own.signal })
      for await (const part of parts) if (part.length > 0) tell()
    } catch {
      // Only hints are lost; what is wrong with Podman is said by the read that comes with this.
    } finally {
      if (open === own) open = undefined
    }
  }

  return {
    follow() {
      if (open !== undefined || listeners.size === 0) return
      open = new AbortController()
      // Podman begins to answer with its first event, so this is not waited for.
      void drain(open)
    },
    listen(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        open?.abort()
        open = undefined
      }
    },
  }
}
