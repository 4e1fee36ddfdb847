/** Keeps the node in its network: dials bootstrap and remembered peers again and again, and looks for holders of releases. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import type { FoundPeer, Network, TableScope } from '../network.ts'
import type { RememberedPeers } from '../remembered.ts'
import { Announcer } from './announcer.ts'
import type { Exchange } from './exchange.ts'
import { FoundPeers, type HowFound } from './found.ts'
import { DIALS_PER_LOOKUP_MAX, LOOKUP_TIMEOUT_MS } from './limits.ts'
import { RETRY_FIRST_MS, type Target, Targets } from './targets.ts'

const ROUND_MS = 500
const DIAL_TIMEOUT_MS = 8_000
/** The answer to "who holds this release" does not change faster than this. */
const LOOKUP_INTERVAL_MS = 15_000
/** Unless a peer of the DHT comes: it may know what nobody knew before. */
const LOOKUP_AGAIN_MS = 500
const LOOKUPS_KEPT_MAX = 256
/** A peer that mDNS shows again and again, and that cannot be reached, is dialled no more often than this. */
const NEIGHBOUR_RETRY_MS = 60_000
const NEIGHBOURS_KEPT_MAX = 256

interface Deps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly network: Network
  readonly remembered: RememberedPeers
  readonly exchange: Pick<Exchange, 'seek'>
  isBanned(peerId: string): boolean
  /** This node listens on loopback only, as in tests. */
  readonly isOnLoopback: boolean
  connectedCount(): number
}

interface Lookup {
  readonly atMs: number
  lastMs: number
  dialsLeft: number
}

export class Discovery {
  readonly #deps: Deps
  readonly #targets: Targets
  readonly #stop = new AbortController()
  readonly #lookups = new Map<Digest, Lookup>()
  readonly #neighboursDialledMs = new Map<string, number>()
  readonly #found = new FoundPeers()
  readonly #announcer: Announcer
  #running: Promise<void> | undefined

  constructor(deps: Deps, bootstrap: readonly string[]) {
    this.#deps = deps
    this.#announcer = new Announcer(deps)
    this.#targets = new Targets(deps, bootstrap, deps.remembered.list())
  }

  start(): void {
    this.#running = this.#run()
    this.#announcer.start()
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the swarm is stopping'))
    await Promise.all([this.#running, this.#announcer.stop()])
  }

  /** Replaces the set of releases that this node announces as a holder, and the tables that hear of it. */
  announce(releases: readonly Digest[], tables: readonly TableScope[]): void {
    this.#announcer.set(releases, tables)
  }

  /** Replaces the peers that the catalog names. */
  setBootstrap(addresses: readonly string[]): void {
    this.#targets.setListed(addresses)
  }

  /** A connected peer keeps records of this table: it hears what this node holds, and may know what it is looking for. */
  noteTable(peerId: string, table: TableScope): void {
    this.#announcer.tell(peerId, table)
    const nowMs = this.#deps.clock.monotonicMs()
    for (const [release, lookup] of this.#lookups) {
      if (nowMs - lookup.atMs >= LOOKUP_INTERVAL_MS) continue
      if (nowMs - lookup.lastMs < LOOKUP_AGAIN_MS) continue
      lookup.lastMs = nowMs
      this.#attempt('lookup', this.#lookUp(release))
    }
  }

  /** A new peer is asked about what this node is looking for. */
  notePeerJoined(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    for (const [release, { atMs }] of this.#lookups) {
      if (nowMs - atMs < LOOKUP_INTERVAL_MS) this.#deps.exchange.seek(release)
    }
  }

  howFound(peerId: string, openedByUs: boolean): HowFound {
    return this.#found.how(peerId, openedByUs)
  }

  /** A node of this network on the same link. */
  noteNeighbour(peer: FoundPeer): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const lastMs = this.#neighboursDialledMs.get(peer.peerId)
    if (lastMs !== undefined && nowMs - lastMs < NEIGHBOUR_RETRY_MS) return
    if (this.#neighboursDialledMs.size >= NEIGHBOURS_KEPT_MAX) this.#neighboursDialledMs.clear()
    this.#neighboursDialledMs.set(peer.peerId, nowMs)
    this.#meet(peer, 'mdns')
  }

  /** Looks for holders of a release and connects to them; at most one lookup per release and interval. */
  seek(release: Digest): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const last = this.#lookups.get(release)
    if (last !== undefined && nowMs - last.atMs < LOOKUP_INTERVAL_MS) return
    if (this.#lookups.size >= LOOKUPS_KEPT_MAX) this.#lookups.clear()
    this.#lookups.set(release, { atMs: nowMs, lastMs: nowMs, dialsLeft: DIALS_PER_LOOKUP_MAX })
    this.#deps.exchange.seek(release)
    this.#attempt('lookup', this.#lookUp(release))
  }

  /** A candidate, from the DHT or from a peer. All candidates of one lookup share its bound on dials. */
  noteCandidate(peer: FoundPeer, release: Digest, how: 'dht' | 'exchange'): void {
    const lookup = this.#lookups.get(release)
    if (lookup === undefined || lookup.dialsLeft === 0) return
    if (this.#meet(peer, how)) lookup.dialsLeft -= 1
  }

  async #lookUp(release: Digest): Promise<void> {
    const signal = this.#deadline(LOOKUP_TIMEOUT_MS)
    for await (const peer of this.#deps.network.findHolders(release, signal)) {
      this.noteCandidate(peer, release, 'dht')
    }
  }

  /** False when there is nothing to dial. */
  #meet(peer: FoundPeer, how: HowFound): boolean {
    const { network } = this.#deps
    if (peer.peerId === network.peerId || !this.#mayDial(peer)) return false
    if (network.isConnected(peer.peerId)) return false
    this.#found.note(peer.peerId, how)
    this.#deps.log.debug('peer found', { peer: peer.peerId, how })
    this.#attempt('dial', this.#dial(peer))
    return true
  }

  #mayDial({ peerId, addresses }: FoundPeer): boolean {
    return addresses.length > 0 && !this.#deps.isBanned(peerId)
  }

  #dial(peer: FoundPeer): Promise<void> {
    return this.#deps.network.dial(peer.addresses, this.#deadline(DIAL_TIMEOUT_MS))
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const nowMs = this.#deps.clock.monotonicMs()
      for (const target of this.#targets.all()) this.#keepConnected(target, nowMs)
      await this.#deps.clock.sleep(ROUND_MS, signal).catch(() => {
        /* Stopped: the loop ends by its condition. */
      })
    }
  }

  #keepConnected(target: Target, nowMs: number): void {
    if (target.isDialling || nowMs < target.dueMs || !this.#mayDial(target)) return
    if (this.#deps.network.isConnected(target.peerId)) {
      target.delayMs = RETRY_FIRST_MS
      return
    }
    if (!this.#targets.isWanted(target, this.#deps.connectedCount())) return
    target.isDialling = true
    this.#found.note(target.peerId, target.how)
    this.#attempt('dial', this.#redial(target))
  }

  async #redial(target: Target): Promise<void> {
    try {
      await this.#dial(target)
    } finally {
      const jitter = 0.75 + this.#deps.random() / 2
      target.dueMs = this.#deps.clock.monotonicMs() + target.delayMs * jitter
      target.delayMs = Math.min(target.delayMs * 2, target.retryMaxMs)
      target.isDialling = false
    }
  }

  #deadline(timeoutMs: number): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)])
  }

  /** Every one of these is a hint that may fail; the next round tries again. */
  #attempt(what: string, work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (this.#stop.signal.aborted) return
      this.#deps.log.debug('discovery step failed', { what, reason: messageOf(error) })
    })
  }
}
