/** Every peer as a mirror of the catalog: whom to ask, and telling all of them what is new. */
import { SwarmError } from '../errors.ts'
import { RELAY_LOWERED_MS, RELAY_LOWERED_MS_MAX } from '../limits.ts'
import type { Channel } from '../network.ts'
import { RelayLink, type RelayLinkDeps } from './link.ts'
import type { CatalogRelay } from './ports.ts'

/** Peers whose bad answers are remembered; the oldest is forgotten. */
const LOWERED_COUNT_MAX = 1024

export interface RelayHub extends CatalogRelay {
  accept(channel: Channel): void
  closeAll(): void
}

export function createRelay(deps: RelayLinkDeps): RelayHub {
  const links = new Map<string, RelayLink>()
  const lowered = new Map<string, { readonly count: number; readonly untilMs: number }>()
  const isLowered = (peerId: string): boolean =>
    (lowered.get(peerId)?.untilMs ?? 0) > deps.clock.monotonicMs()
  const linkTo = (peerId: string): RelayLink => {
    const link = links.get(peerId)
    if (link !== undefined) return link
    throw new SwarmError('PEER_LEFT', `peer ${peerId} is not connected`)
  }
  return {
    accept(channel) {
      const link = new RelayLink(deps, channel, closed => {
        if (links.get(closed.peerId) !== closed) return
        links.delete(closed.peerId)
        deps.mirror.onHead(closed.peerId, undefined)
      })
      // When both sides opened a stream either one serves; requests go over the newest.
      links.set(link.peerId, link)
      link.open()
    },
    closeAll() {
      for (const link of [...links.values()]) link.close()
    },
    peers() {
      const all = [...links.values()].map(({ peerId, head }) => ({ peerId, head }))
      return [
        ...all.filter(({ peerId }) => !isLowered(peerId)),
        ...all.filter(({ peerId }) => isLowered(peerId)),
      ]
    },
    get: async (peerId, name, maxBytes, signal) => linkTo(peerId).get(name, maxBytes, signal),
    announce(timestamp) {
      for (const link of links.values()) {
        link.sayHead()
        link.post({ kind: 'timestamp', bytes: timestamp })
      }
    },
    announceProof(a, b) {
      for (const link of links.values()) link.post({ kind: 'proof', a, b })
    },
    lower(peerId) {
      const count = (lowered.get(peerId)?.count ?? 0) + 1
      const lastsMs = Math.min(RELAY_LOWERED_MS * 2 ** (count - 1), RELAY_LOWERED_MS_MAX)
      lowered.delete(peerId)
      lowered.set(peerId, { count, untilMs: deps.clock.monotonicMs() + lastsMs })
      const [oldest] = lowered.keys()
      if (lowered.size > LOWERED_COUNT_MAX && oldest !== undefined) lowered.delete(oldest)
    },
  }
}
