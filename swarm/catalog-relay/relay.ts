/** Every peer as a mirror of the catalog: whom to ask, and telling all of them what is new. */
import type { Clock } from '../../src/core/clock.ts'
import type { Log } from '../../src/core/log.ts'
import { SwarmError } from '../errors.ts'
import { RELAY_SERVE_BYTES_PER_PEER_MAX, RELAY_SERVE_BYTES_TOTAL_MAX } from '../limits.ts'
import type { Channel } from '../network.ts'
import { createFairQueue } from '../peers/fair-queue.ts'
import { RelayLink, type RelayLinkDeps } from './link.ts'
import { createNeighbours, type Neighbours } from './neighbour.ts'
import type { CatalogMirror, CatalogRelay } from './ports.ts'

export interface RelayHub extends CatalogRelay {
  accept(channel: Channel): void
  closeAll(): void
}

interface RelayDeps {
  readonly mirror: CatalogMirror
  readonly clock: Clock
  readonly log: Log
}

export function createRelay(deps: RelayDeps): RelayHub {
  return new LiveRelay(deps)
}

class LiveRelay implements RelayHub {
  /** The streams of each peer, the newest last: two when both sides opened one. */
  readonly #links = new Map<string, readonly RelayLink[]>()
  readonly #neighbours: Neighbours
  readonly #deps: RelayLinkDeps

  constructor(deps: RelayDeps) {
    const queue = createFairQueue({
      perPeerBytes: RELAY_SERVE_BYTES_PER_PEER_MAX,
      totalBytes: RELAY_SERVE_BYTES_TOTAL_MAX,
    })
    this.#deps = { ...deps, queue, onClosed: link => this.#forget(link) }
    this.#neighbours = createNeighbours(deps.clock, peerId => this.#links.has(peerId))
  }

  accept(channel: Channel): void {
    const { peerId } = channel
    const link = new RelayLink(this.#deps, channel, this.#neighbours.of(peerId))
    this.#links.set(peerId, [...(this.#links.get(peerId) ?? []), link])
    link.open()
  }

  closeAll(): void {
    for (const link of [...this.#links.values()].flat()) link.close()
  }

  peers(): ReturnType<CatalogRelay['peers']> {
    return [...this.#links.values()].map(links => {
      const [link] = links
      if (link === undefined) throw new Error('a peer without a stream is forgotten')
      const { peerId, head, isLowered } = link.neighbour
      return { peerId, head, isLowered }
    })
  }

  async get(
    ...[peerId, name, maxBytes, signal]: Parameters<CatalogRelay['get']>
  ): Promise<Uint8Array | undefined> {
    const link = this.#linkTo(peerId)
    if (link === undefined) throw new SwarmError('PEER_LEFT', `peer ${peerId} is not connected`)
    return await link.get(name, maxBytes, signal)
  }

  announce(timestamp: Uint8Array): void {
    for (const link of this.#newest()) {
      link.sayHead()
      link.tell({ kind: 'timestamp', bytes: timestamp })
    }
  }

  announceProof(a: Uint8Array, b: Uint8Array): void {
    for (const link of this.#newest()) link.tell({ kind: 'proof', a, b })
  }

  sendProof(peerId: string, a: Uint8Array, b: Uint8Array): void {
    this.#linkTo(peerId)?.tell({ kind: 'proof', a, b })
  }

  lower(peerId: string): void {
    this.#neighbours.of(peerId).lower()
  }

  #linkTo(peerId: string): RelayLink | undefined {
    return this.#links.get(peerId)?.at(-1)
  }

  #newest(): readonly RelayLink[] {
    return [...this.#links.values()].flatMap(links => links.slice(-1))
  }

  #forget(closed: RelayLink): void {
    const { neighbour } = closed
    const left = (this.#links.get(neighbour.peerId) ?? []).filter(link => link !== closed)
    if (left.length > 0) {
      this.#links.set(neighbour.peerId, left)
      return
    }
    this.#links.delete(neighbour.peerId)
    neighbour.leave()
    this.#deps.mirror.onHead(neighbour.peerId, undefined)
  }
}
