/** Keeps the node in its network: dials bootstrap and remembered peers again and again, announces and looks up releases. */
import type { Clock } from '../src/core/clock.ts'
import type { Digest } from '../src/core/digest.ts'
import { messageOf } from '../src/core/errors.ts'
import type { Log } from '../src/core/log.ts'
import { DIALS_PER_LOOKUP_MAX, LOOKUP_TIMEOUT_MS } from './limits.ts'
import type { FoundPeer, Network } from './network.ts'
import type { RememberedPeers } from './remembered.ts'

const ROUND_MS = 500
const DIAL_TIMEOUT_MS = 8_000
const RETRY_FIRST_MS = 1_000
const BOOTSTRAP_RETRY_MAX_MS = 30_000
const REMEMBERED_RETRY_MAX_MS = 600_000
/** A remembered peer is only dialled while fewer than this are connected. */
const PEERS_ENOUGH = 8
/** The answer to "who holds this release" does not change faster than this. */
const LOOKUP_INTERVAL_MS = 15_000
const LOOKUPS_KEPT_MAX = 256
/** Well before the two hours after which a record ends. */
const ANNOUNCE_INTERVAL_MS = 30 * 60_000
/** Joins the arrivals of one moment into one announcement. */
const ANNOUNCE_DELAY_MS = 1_000
const ANNOUNCE_TIMEOUT_MS = 20_000

interface Deps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly network: Network
  readonly remembered: RememberedPeers
  isBanned(peerId: string): boolean
  connectedCount(): number
}

interface Target extends FoundPeer {
  readonly retryMaxMs: number
  readonly isBootstrap: boolean
  dueMs: number
  delayMs: number
  isDialling: boolean
}

export class Discovery {
  readonly #deps: Deps
  readonly #targets: readonly Target[]
  readonly #stop = new AbortController()
  readonly #lookedUpAtMs = new Map<Digest, number>()
  #releases: ReadonlySet<Digest> = new Set()
  #announceAtMs = Number.POSITIVE_INFINITY
  #isAnnouncing = false
  #running: Promise<void> | undefined

  constructor(deps: Deps, bootstrap: readonly string[]) {
    this.#deps = deps
    this.#targets = [
      ...bootstrap.flatMap(address => targetOf(deps, address)),
      ...deps.remembered.list().map(peer => newTarget(peer, REMEMBERED_RETRY_MAX_MS, false)),
    ]
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the swarm is stopping'))
    await this.#running
  }

  announce(releases: readonly Digest[]): void {
    const next = new Set(releases)
    for (const release of this.#releases) {
      if (!next.has(release)) this.#attempt('withdraw', this.#deps.network.withdraw(release))
    }
    this.#releases = next
    this.#announceSoon()
  }

  /** A new peer may be the one that has to know our announcements. */
  notePeerJoined(): void {
    this.#announceSoon()
  }

  /** Looks for holders of a release and connects to them; at most one lookup per release and interval. */
  seek(release: Digest): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const lastMs = this.#lookedUpAtMs.get(release)
    if (lastMs !== undefined && nowMs - lastMs < LOOKUP_INTERVAL_MS) return
    if (this.#lookedUpAtMs.size >= LOOKUPS_KEPT_MAX) this.#lookedUpAtMs.clear()
    this.#lookedUpAtMs.set(release, nowMs)
    this.#attempt('lookup', this.#lookUp(release))
  }

  async #lookUp(release: Digest): Promise<void> {
    const signal = this.#deadline(LOOKUP_TIMEOUT_MS)
    let dialled = 0
    for await (const peer of this.#deps.network.findHolders(release, signal)) {
      if (dialled >= DIALS_PER_LOOKUP_MAX) return
      if (!this.#mayDial(peer) || this.#deps.network.isConnected(peer.peerId)) continue
      dialled += 1
      this.#attempt('dial', this.#dial(peer))
    }
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
      for (const target of this.#targets) this.#keepConnected(target, nowMs)
      if (nowMs >= this.#announceAtMs && !this.#isAnnouncing) {
        this.#attempt('announce', this.#announceAll())
      }
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
    if (!target.isBootstrap && this.#deps.connectedCount() >= PEERS_ENOUGH) return
    target.isDialling = true
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

  #announceSoon(): void {
    const soonMs = this.#deps.clock.monotonicMs() + ANNOUNCE_DELAY_MS
    if (this.#releases.size > 0) this.#announceAtMs = Math.min(this.#announceAtMs, soonMs)
  }

  async #announceAll(): Promise<void> {
    this.#isAnnouncing = true
    this.#announceAtMs = this.#deps.clock.monotonicMs() + ANNOUNCE_INTERVAL_MS
    try {
      if (this.#deps.connectedCount() === 0) return
      for (const release of this.#releases) {
        await this.#deps.network.provide(release, this.#deadline(ANNOUNCE_TIMEOUT_MS))
      }
    } finally {
      this.#isAnnouncing = false
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

function targetOf({ network, log }: Deps, address: string): Target[] {
  const peerId = network.peerIdIn(address)
  if (peerId === network.peerId) return []
  if (peerId === undefined) {
    log.error('bootstrap address is not a multiaddr with /p2p/<peer id>', { address })
    return []
  }
  return [newTarget({ peerId, addresses: [address] }, BOOTSTRAP_RETRY_MAX_MS, true)]
}

function newTarget(peer: FoundPeer, retryMaxMs: number, isBootstrap: boolean): Target {
  return { ...peer, retryMaxMs, isBootstrap, dueMs: 0, delayMs: RETRY_FIRST_MS, isDialling: false }
}
