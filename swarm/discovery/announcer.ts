/**
 * Announces the releases of this node: a new one soon, all of them again at intervals and one after the other, and to a peer that
 * joins in one go. What it costs does not grow with the number of peers that come and go.
 */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import type { Network, TableScope } from '../network.ts'
import { createTokenBucket, type TokenBucket } from '../token-bucket.ts'
import {
  ANNOUNCE_BURST,
  ANNOUNCE_INTERVAL_MS,
  ANNOUNCE_PAUSE_MS,
  ANNOUNCE_PER_SECOND,
  ANNOUNCE_TIMEOUT_MS,
  ANNOUNCE_TOLD_MAX,
} from './limits.ts'

/** A peer that joins is told of everything at most this often, also when it comes and goes. */
const TELL_INTERVAL_MS = 60_000
const TOLD_PEERS_MAX = 512

interface Deps {
  readonly clock: Clock
  readonly log: Log
  readonly network: Pick<Network, 'provide' | 'provideTo' | 'withdraw'>
  /** In [0, 1). */
  readonly random: () => number
}

export class Announcer {
  readonly #deps: Deps
  /** When each release is due; below 0: now, and the lowest first. */
  readonly #dueMs = new Map<Digest, number>()
  readonly #toldMs = new Map<string, number>()
  /** Peers that keep records, the one that came last at the end. */
  readonly #keepers = new Map<string, { readonly peerId: string; readonly table: TableScope }>()
  readonly #pace: TokenBucket
  #setCount = 0
  #tables: readonly TableScope[] = []
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #wake: (() => void) | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    const burstMs = ((ANNOUNCE_BURST - 1) / ANNOUNCE_PER_SECOND) * 1000
    this.#pace = createTokenBucket(deps.clock, ANNOUNCE_PER_SECOND, burstMs)
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the swarm is stopping'))
    this.#wake?.()
    await this.#running
  }

  /** Replaces what is announced, and where. A table that is new hears of everything. */
  set(releases: readonly Digest[], tables: readonly TableScope[]): void {
    const before = this.#tables
    const closed = before.filter(table => !tables.includes(table))
    const isWider = tables.some(table => !before.includes(table))
    const next = new Set(tables.length === 0 ? [] : releases)
    for (const release of this.#dueMs.keys()) {
      const isOver = !next.has(release)
      if (isOver) this.#dueMs.delete(release)
      const left = isOver ? before : closed
      if (left.length > 0) this.#attempt('withdraw', this.#deps.network.withdraw(release, left))
    }
    const fresh = [...next].filter(release => isWider || !this.#dueMs.has(release))
    // What came last goes first: an app that was just installed does not wait for a thousand others.
    this.#setCount += 1
    for (const release of fresh) this.#dueMs.set(release, -this.#setCount)
    this.#tables = tables
    if (fresh.length > ANNOUNCE_BURST) this.#tellKeepers(fresh)
    this.#wake?.()
  }

  /** A peer that keeps records may be one of those that have to know. */
  tell(peerId: string, table: TableScope): void {
    const place = `${table} ${peerId}`
    renew(this.#keepers, place, { peerId, table })
    const nowMs = this.#deps.clock.monotonicMs()
    const lastMs = this.#toldMs.get(place)
    if (!this.#tables.includes(table) || this.#dueMs.size === 0) return
    if (lastMs !== undefined && nowMs - lastMs < TELL_INTERVAL_MS) return
    renew(this.#toldMs, place, nowMs)
    const releases = [...this.#dueMs.keys()]
    const { network } = this.#deps
    this.#attempt('tell', network.provideTo({ peerId, table }, releases, this.#deadline()))
  }

  /** Many at once: their walks take long, and some that keep records are connected. */
  #tellKeepers(releases: readonly Digest[]): void {
    for (const wanted of this.#tables) {
      const keepers = [...this.#keepers.values()].filter(({ table }) => table === wanted)
      for (const keeper of keepers.slice(-ANNOUNCE_TOLD_MAX)) {
        this.#attempt('tell', this.#deps.network.provideTo(keeper, releases, this.#deadline()))
      }
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps
    while (!this.#stop.signal.aborted) {
      const next = this.#next()
      const waitMs = next === undefined ? ANNOUNCE_INTERVAL_MS : next.dueMs - clock.monotonicMs()
      if (next === undefined || waitMs > 0) {
        await this.#rest(waitMs)
        continue
      }
      const paceMs = this.#pace.debit(0)
      if (paceMs > 0) {
        await this.#rest(paceMs)
        continue
      }
      this.#pace.debit(1)
      this.#dueMs.set(next.release, clock.monotonicMs() + this.#intervalMs())
      await this.#provide(next.release)
      await this.#rest(ANNOUNCE_PAUSE_MS)
    }
  }

  #next(): { release: Digest; dueMs: number } | undefined {
    let next: { release: Digest; dueMs: number } | undefined
    for (const [release, dueMs] of this.#dueMs) {
      if (next === undefined || dueMs < next.dueMs) next = { release, dueMs }
    }
    return next
  }

  /** By chance, so that releases that came together do not stay together, nor nodes that started together. */
  #intervalMs(): number {
    return ANNOUNCE_INTERVAL_MS * (0.75 + this.#deps.random() / 2)
  }

  async #provide(release: Digest): Promise<void> {
    try {
      await this.#deps.network.provide(release, this.#tables, this.#deadline())
    } catch (error) {
      this.#note('announce', error)
    }
  }

  async #rest(ms: number): Promise<void> {
    const awake = new AbortController()
    const wake = (): void => awake.abort()
    this.#wake = wake
    const signal = AbortSignal.any([this.#stop.signal, awake.signal])
    await this.#deps.clock.sleep(ms, signal).catch(() => {
      /* Woken, or stopped: the loop looks again. */
    })
  }

  #deadline(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(ANNOUNCE_TIMEOUT_MS)])
  }

  #attempt(what: string, work: Promise<void>): void {
    work.catch((error: unknown) => this.#note(what, error))
  }

  #note(what: string, error: unknown): void {
    if (this.#stop.signal.aborted) return
    this.#deps.log.debug('discovery step failed', { what, reason: messageOf(error) })
  }
}

/** Puts it last; the one that was not renewed for longest is dropped. */
function renew<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= TOLD_PEERS_MAX) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
