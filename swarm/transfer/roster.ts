/** The sources of one download: who is there, who holds some of the blob, and how each is asked. */
import type { Origin } from '../origin/origin.ts'
import type { PeerPieces } from '../peers/holding.ts'
import type { BytesBySource, HeldBlob } from '../ports.ts'
import { type Ask, type Asking, askOrigin, askPeer } from './asking.ts'
import { crowdWaitMs } from './crowd.ts'
import {
  CROWD_LARGE_PEERS,
  ORIGIN_CONNECTIONS_MAX,
  ORIGIN_DELAY_MS,
  QUEUE_REQUESTS_MAX,
} from './policy.ts'
import type { SessionEvent } from './session-events.ts'
import type { PeerSource } from './sources.ts'

export interface Listed {
  readonly kind: keyof BytesBySource
  readonly name: string
  readonly ask: (action: Ask, signal: AbortSignal) => Promise<SessionEvent | undefined>
  isFellow: boolean
  verifiedBytes: number
}

interface Deps {
  readonly blob: HeldBlob
  /** Bytes per second that a source gave last time. */
  readonly rates: ReadonlyMap<string, number>
  asking(id: string): Asking
  dispatch(event: SessionEvent): void
  onListed(id: string, source: Listed): void
}

export class Roster {
  readonly #deps: Deps
  readonly #sources = new Map<string, Listed>()
  readonly #peers = new Map<string, PeerSource>()
  readonly #holders = new Map<string, PeerSource>()
  /** What had come astray from each peer when it was last looked at. */
  readonly #strays = new Map<string, number>()
  readonly #unwatch = new Map<string, () => void>()
  #shareCount = 1

  constructor(deps: Deps) {
    this.#deps = deps
  }

  get(id: string): Listed | undefined {
    return this.#sources.get(id)
  }

  entries(): Iterable<[string, Listed]> {
    return this.#sources
  }

  /** Peers that said they hold some of the blob. */
  holders(): readonly PeerSource[] {
    return [...this.#holders.values()]
  }

  addPeer(link: PeerSource): void {
    const id = `peer:${link.peerId}`
    const { blob, asking } = this.#deps
    this.#unwatch.get(id)?.()
    this.#peers.set(id, link)
    this.#strays.set(id, link.strayBytes)
    this.#list(id, {
      kind: 'peer',
      name: link.peerId,
      ask: (action, signal) => askPeer(asking(id), link, action, signal),
    })
    this.#deps.dispatch({
      kind: 'joined',
      source: id,
      sourceKind: 'peer',
      requestsMax: this.#requestsMaxOf(link),
      rate: this.#deps.rates.get(id),
      isLocal: link.scope === 'lan',
    })
    const onChange = (pieces: PeerPieces): void => this.#noteHolding(id, link, pieces)
    this.#unwatch.set(id, link.watch(blob.digest, blob.pieceCount, onChange))
  }

  dropPeer(link: PeerSource): void {
    const id = `peer:${link.peerId}`
    this.#unwatch.get(id)?.()
    this.#unwatch.delete(id)
    this.#peers.delete(id)
    this.#holders.delete(id)
    this.#deps.dispatch({ kind: 'left', source: id })
  }

  addOrigin(origin: Origin): void {
    const id = `origin:${origin.url}`
    const { asking } = this.#deps
    this.#list(id, {
      kind: 'origin',
      name: origin.url,
      ask: (action, signal) => askOrigin(asking(id), origin, action, signal),
    })
    this.#deps.dispatch({
      kind: 'joined',
      source: id,
      sourceKind: 'origin',
      requestsMax: ORIGIN_CONNECTIONS_MAX,
      rate: this.#deps.rates.get(id),
    })
  }

  /** How long what everybody needs is left to the peers. `draw`: in [0, 1), one for each download. */
  originDelayMs(draw: number): number {
    if (this.#peers.size - this.#holders.size < CROWD_LARGE_PEERS) return ORIGIN_DELAY_MS
    let fellowCount = 0
    for (const { isFellow } of this.#sources.values()) if (isFellow) fellowCount += 1
    return fellowCount === 0 ? ORIGIN_DELAY_MS : crowdWaitMs(fellowCount, draw)
  }

  /** Peers that asked this node for the same blob fetch it as well. */
  noteFellows(): void {
    for (const [id, link] of this.#peers) {
      const source = this.#sources.get(id)
      if (source === undefined || source.isFellow || !link.asksFor(this.#deps.blob.digest)) continue
      source.isFellow = true
      this.#deps.dispatch({ kind: 'wants', source: id })
    }
  }

  /** What peers sent in vain since the last time; with several downloads from one peer, each of them counts all of it. */
  noteStrays(): void {
    for (const [id, { strayBytes }] of this.#peers) {
      const bytes = strayBytes - (this.#strays.get(id) ?? 0)
      if (bytes <= 0) continue
      this.#strays.set(id, strayBytes)
      this.#deps.dispatch({ kind: 'stray', bytes })
    }
  }

  /** How many downloads run: they share what each peer accepts at once. */
  shareWith(downloadCount: number): void {
    if (this.#shareCount === downloadCount) return
    this.#shareCount = downloadCount
    for (const [id, link] of this.#peers) {
      const requestsMax = this.#requestsMaxOf(link)
      const again = { source: id, sourceKind: 'peer', requestsMax, rate: undefined } as const
      this.#deps.dispatch({ kind: 'joined', ...again })
    }
  }

  close(): void {
    for (const unwatch of this.#unwatch.values()) unwatch()
    this.#unwatch.clear()
  }

  #list(id: string, { kind, name, ask }: Pick<Listed, 'kind' | 'name' | 'ask'>): void {
    const verifiedBytes = this.#sources.get(id)?.verifiedBytes ?? 0
    const source = { kind, name, ask, isFellow: false, verifiedBytes }
    this.#sources.set(id, source)
    this.#deps.onListed(id, source)
  }

  #requestsMaxOf({ requestsMax }: PeerSource): number {
    return Math.max(1, Math.floor(Math.min(requestsMax, QUEUE_REQUESTS_MAX) / this.#shareCount))
  }

  #noteHolding(id: string, link: PeerSource, pieces: PeerPieces): void {
    if (pieces !== 'none') this.#holders.set(id, link)
    else this.#holders.delete(id)
    this.#deps.dispatch({ kind: 'holds', source: id, pieces })
  }
}
