/** What peers say of the catalog, and what this node says: heads on connect and on change, and proofs of forks. */
import type { Catalog } from '../catalog/index.ts'
import type { CatalogHead, CatalogMirror } from '../swarm/index.ts'
import type { CatalogSources } from './catalog-sources.ts'
import type { Clock } from './core/clock.ts'
import { messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'

export interface Gossip {
  /** What the swarm gives to peers and hears from them. */
  readonly mirror: CatalogMirror
  /** Called when a peer has something newer; at most once in a while, however many say so. */
  onNews(refresh: () => Promise<void>): void
  /** Tells the peers when the head, or the list of proven forks, changed since it last told them. */
  tell(): void
  close(): Promise<void>
}

interface Deps {
  readonly catalog: Catalog
  readonly sources: Pick<CatalogSources, 'peer' | 'relay' | 'onRefused'>
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

/** Longer than it takes a head to reach all neighbours, so that they do not all ask the origin in one moment. */
const NEWS_DELAY_MS = 1_000
/** A liar that claims a new head again and again costs one refresh in this time. */
const NEWS_INTERVAL_MS = 10_000
/** A whole timestamp. */
const TIMESTAMP_BYTES_MAX = 16_384
/** One question to one peer in this time, whatever it claims. */
const LOOK_INTERVAL_MS = 2_000
const PEERS_REMEMBERED_MAX = 1024

export function createGossip(deps: Deps): Gossip {
  return new LiveGossip(deps)
}

class LiveGossip implements Gossip {
  readonly mirror: CatalogMirror
  readonly #deps: Deps
  readonly #closing = new AbortController()
  readonly #lookedAtMs = new Map<string, number>()
  readonly #work = new Set<Promise<void>>()
  #refresh: () => Promise<void> = async () => {}
  #isNewsWaiting = false
  #lastNewsMs = Number.NEGATIVE_INFINITY
  #toldContent: string | undefined
  #toldProofCount = 0

  constructor(deps: Deps) {
    const { catalog } = deps
    this.#deps = deps
    this.#toldProofCount = catalog.forks().length
    this.mirror = {
      head: () => catalog.head(),
      file: name => catalog.file(name),
      fileByDigest: digest => catalog.fileByDigest(digest),
      onHead: (peerId, head) => this.#hear(peerId, head),
      onTimestamp: (peerId, bytes) =>
        this.#start('timestamp', async () => void (await this.#judge(peerId, bytes))),
      onProof: (peerId, a, b) =>
        this.#start('proof', async () => {
          if (!(await catalog.noteProof(a, b))) return
          this.#deps.log.error('a peer proved a fork of the catalog', { peer: peerId })
          this.tell()
        }),
    }
  }

  onNews(refresh: () => Promise<void>): void {
    this.#refresh = refresh
  }

  tell(): void {
    const { catalog, sources } = this.#deps
    const head = catalog.head()
    const bytes = catalog.file('timestamp.json')
    if (head !== undefined && bytes !== undefined && head.content !== this.#toldContent) {
      this.#toldContent = head.content
      sources.relay()?.announce(bytes)
    }
    const proofs = catalog.forks()
    for (const { files } of proofs.slice(this.#toldProofCount)) {
      sources.relay()?.announceProof(...files)
    }
    this.#toldProofCount = proofs.length
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the node is stopping'))
    await Promise.all(this.#work)
  }

  #hear(peerId: string, head: CatalogHead | undefined): void {
    const { catalog } = this.#deps
    const isNews = catalog.noteClaim(peerId, head)
    if (head === undefined) return
    this.#tellOfForks(peerId)
    if (isNews) this.#start('head', () => this.#look(peerId, head))
  }

  /** Who comes later hears of the forks too, once. */
  #tellOfForks(peerId: string): void {
    const { catalog, sources } = this.#deps
    if (!catalog.status().flags.some(({ code }) => code === 'FORK')) return
    for (const { files } of catalog.forks()) sources.relay()?.sendProof(peerId, ...files)
  }

  /** A claim is nothing; the whole timestamp is signed. */
  async #look(peerId: string, claim: CatalogHead): Promise<void> {
    const { catalog, sources } = this.#deps
    if (!this.#mayLook(peerId)) return
    const { signal } = this.#closing
    const peer = sources.peer(peerId)
    let bytes: Uint8Array | undefined
    try {
      bytes = await peer.get('timestamp.json', TIMESTAMP_BYTES_MAX, signal)
    } catch (error) {
      if (!signal.aborted) sources.onRefused(peer, error)
      throw error
    }
    if (bytes === undefined || (await this.#judge(peerId, bytes)) !== 'known') return
    const head = catalog.head()
    const isFalse = claim.timestamp >= (head?.timestamp ?? 0) && claim.content !== head?.content
    if (isFalse) sources.relay()?.lower(peerId)
  }

  /** Also for a peer that left and came back. */
  #mayLook(peerId: string): boolean {
    const nowMs = this.#deps.clock.monotonicMs()
    const lastMs = this.#lookedAtMs.get(peerId) ?? Number.NEGATIVE_INFINITY
    if (nowMs - lastMs < LOOK_INTERVAL_MS) return false
    this.#lookedAtMs.delete(peerId)
    this.#lookedAtMs.set(peerId, nowMs)
    const [oldest] = this.#lookedAtMs.keys()
    if (this.#lookedAtMs.size > PEERS_REMEMBERED_MAX && oldest !== undefined) {
      this.#lookedAtMs.delete(oldest)
    }
    return true
  }

  async #judge(peerId: string, bytes: Uint8Array): ReturnType<Catalog['noteHead']> {
    const { catalog, log, sources } = this.#deps
    const outcome = await catalog.noteHead(bytes)
    if (outcome === 'forked') {
      log.error('a peer has another catalog of the same origin', { peer: peerId })
      this.tell()
    }
    // Refused may mean that the keys were replaced: the refresh follows the roots, and finds out.
    const isRotation = outcome === 'refused' && this.#claimsNewRoot(peerId)
    if (outcome === 'newer' || isRotation) this.#news()
    else if (outcome === 'refused') sources.relay()?.lower(peerId)
    return outcome
  }

  #news(): void {
    if (this.#isNewsWaiting) return
    this.#isNewsWaiting = true
    const { clock, random } = this.#deps
    const sinceMs = clock.monotonicMs() - this.#lastNewsMs
    const restMs = Math.max(0, NEWS_INTERVAL_MS - sinceMs)
    this.#start('news', async () => {
      await clock.sleep(restMs + random() * NEWS_DELAY_MS, this.#closing.signal)
      this.#isNewsWaiting = false
      this.#lastNewsMs = clock.monotonicMs()
      await this.#refresh()
    })
  }

  /** A peer that was found wrong lately is not believed even this. */
  #claimsNewRoot(peerId: string): boolean {
    const { catalog, sources } = this.#deps
    const peers = sources.relay()?.peers() ?? []
    const peer = peers.find(other => other.peerId === peerId)
    return peer?.isLowered === false && (peer.head?.root ?? 0) > (catalog.head()?.root ?? 0)
  }

  /** A hint that leads nowhere is no failure of ours. */
  #start(what: string, work: () => Promise<void>): void {
    if (this.#closing.signal.aborted) return
    const running = work()
      .catch((error: unknown) => {
        if (this.#closing.signal.aborted) return
        this.#deps.log.debug('gossip led nowhere', { what, reason: messageOf(error) })
      })
      .finally(() => this.#work.delete(running))
    this.#work.add(running)
  }
}
