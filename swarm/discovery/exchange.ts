/**
 * Peer exchange: nodes that hold or fetch a release tell each other who else does. Answers are hints with a bound on each side, and
 * addresses inside a home are told only to peers that are inside it themselves.
 */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { shuffled } from '../../src/core/shuffled.ts'
import type { FoundPeer } from '../network.ts'
import { mayDialHeard, type Scope } from '../scope.ts'
import { createTokenBucket, type TokenBucket } from '../token-bucket.ts'
import {
  EXCHANGE_ADDRESSES_MAX,
  EXCHANGE_ANSWERS_BURST,
  EXCHANGE_ANSWERS_PER_SECOND,
  EXCHANGE_INTERVAL_MS,
  EXCHANGE_LINKS_MAX,
  EXCHANGE_PEERS_MAX,
} from './limits.ts'

/** What this needs of a connected peer. */
export interface ExchangeLink {
  readonly peerId: string
  readonly scope: Scope
  /** It said that it holds some of the blob, or asked who does. */
  sharesIn(digest: Digest): boolean
  /** Asks who holds a release, itself included. */
  askPeers(release: Digest): void
  tellPeers(release: Digest, peers: readonly FoundPeer[]): void
}

interface Deps {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** This node listens on loopback only, as in tests. */
  readonly isOnLoopback: boolean
  links(): readonly ExchangeLink[]
  /** Where a peer can be dialled, with `/p2p/<id>`. */
  addressesOf(peerId: string): Promise<readonly string[]>
  mayServe(digest: Digest): boolean
  onFound(peer: FoundPeer, release: Digest): void
}

interface LinkState {
  readonly answers: TokenBucket
  /** When each release was asked for; gone when the answer came. */
  readonly asked: Map<Digest, { atMs: number; isOpen: boolean }>
}

/** Releases that one peer is asked about, remembered for the interval. */
const ASKED_MAX = 256

export class Exchange {
  readonly #deps: Deps
  readonly #states = new WeakMap<ExchangeLink, LinkState>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Asks some connected peers who else has a release, each at most once in an interval. */
  seek(release: Digest): void {
    const { clock, random } = this.#deps
    const nowMs = clock.monotonicMs()
    const links = this.#deps.links().filter(link => {
      const last = this.#stateOf(link).asked.get(release)
      return last === undefined || nowMs - last.atMs >= EXCHANGE_INTERVAL_MS
    })
    for (const link of shuffled(links, random).slice(0, EXCHANGE_LINKS_MAX)) {
      const { asked } = this.#stateOf(link)
      if (asked.size >= ASKED_MAX) asked.clear()
      asked.set(release, { atMs: nowMs, isOpen: true })
      link.askPeers(release)
    }
  }

  /** A peer asks. Nothing is said of what this node may not serve, nor to one that asks too often. */
  async handleAsk(link: ExchangeLink, release: Digest): Promise<void> {
    const { answers } = this.#stateOf(link)
    if (answers.debit(0) > 0) return
    answers.debit(1)
    const others = this.#deps.mayServe(release)
      ? this.#deps.links().filter(other => other !== link && other.sharesIn(release))
      : []
    const peers: FoundPeer[] = []
    const some = shuffled(others, this.#deps.random).slice(0, EXCHANGE_PEERS_MAX)
    for (const { peerId, scope } of some) {
      // A peer on the Internet has no address inside the home, whatever it says.
      const towards = scope === 'lan' ? link.scope : 'wan'
      const addresses = this.#usable(await this.#deps.addressesOf(peerId), towards)
      if (addresses.length > 0) peers.push({ peerId, addresses })
    }
    link.tellPeers(release, peers)
  }

  /** A peer answers; one answer to each question counts. */
  handleTell(link: ExchangeLink, release: Digest, peers: readonly FoundPeer[]): void {
    const asked = this.#stateOf(link).asked.get(release)
    if (asked?.isOpen !== true) return
    asked.isOpen = false
    for (const peer of shuffled(peers, this.#deps.random)) {
      const addresses = this.#usable(peer.addresses, link.scope)
      if (addresses.length > 0) this.#deps.onFound({ ...peer, addresses }, release)
    }
  }

  /** The same rule for what is told and for what is heard. */
  #usable(addresses: readonly string[], from: Scope): readonly string[] {
    const { isOnLoopback } = this.#deps
    return addresses
      .filter(address => mayDialHeard(address, { from, isOnLoopback }))
      .slice(0, EXCHANGE_ADDRESSES_MAX)
  }

  #stateOf(link: ExchangeLink): LinkState {
    const found = this.#states.get(link)
    if (found !== undefined) return found
    const burstMs = ((EXCHANGE_ANSWERS_BURST - 1) / EXCHANGE_ANSWERS_PER_SECOND) * 1000
    const { clock } = this.#deps
    const state = {
      answers: createTokenBucket(clock, EXCHANGE_ANSWERS_PER_SECOND, burstMs),
      asked: new Map(),
    }
    this.#states.set(link, state)
    return state
  }
}
