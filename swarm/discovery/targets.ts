/** Whom a node keeps in touch with by itself: peers of the configuration, those that the catalog names, and those that helped before. */
import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../src/core/log.ts'
import { shuffled } from '../../src/core/shuffled.ts'
import type { FoundPeer, Network } from '../network.ts'
import { mayDialListed } from '../scope.ts'

export const RETRY_FIRST_MS = 1_000
const BOOTSTRAP_RETRY_MAX_MS = 30_000
const HINT_RETRY_MAX_MS = 600_000
/** A peer that the owner did not choose is only dialled while fewer than this are connected. */
const PEERS_ENOUGH = 8

interface Deps {
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
  readonly network: Pick<Network, 'peerId' | 'peerIdIn'>
  /** This node listens on loopback only, as in tests. */
  readonly isOnLoopback: boolean
}

export interface Target extends FoundPeer {
  readonly retryMaxMs: number
  readonly how: 'bootstrap' | 'catalog' | 'remembered'
  dueMs: number
  delayMs: number
  isDialling: boolean
}

export class Targets {
  readonly #deps: Deps
  readonly #configured: readonly Target[]
  readonly #remembered: readonly Target[]
  #list: readonly string[] = []
  #listed: readonly Target[] = []

  constructor(deps: Deps, bootstrap: readonly string[], remembered: readonly FoundPeer[]) {
    this.#deps = deps
    this.#configured = bootstrap.flatMap(address => this.#configuredTarget(address))
    this.#remembered = remembered.map(peer => newTarget(peer, HINT_RETRY_MAX_MS, 'remembered'))
  }

  /**
   * Replaces the peers that the catalog names. They are hints from the Internet: no address inside a home counts, and a node takes
   * them in an order of its own, so that not all nodes come to the same one.
   */
  setListed(addresses: readonly string[]): void {
    if (isDeepStrictEqual(addresses, this.#list)) return
    this.#list = addresses
    const before = new Map(this.#listed.map(target => [target.addresses[0], target]))
    const listed = addresses.map(address => before.get(address) ?? this.#listedTarget(address))
    const targets = listed.filter(target => target !== undefined)
    this.#listed = shuffled(targets, this.#deps.random)
  }

  all(): readonly Target[] {
    return [...this.#configured, ...this.#listed, ...this.#remembered]
  }

  /** The owner's own are always; those of the catalog are no more than a node needs, so that they are not flooded by all of them. */
  isWanted({ how }: Target, connectedCount: number): boolean {
    if (how === 'bootstrap') return true
    if (how === 'remembered') return connectedCount < PEERS_ENOUGH
    const diallingCount = this.#listed.filter(({ isDialling }) => isDialling).length
    return connectedCount + diallingCount < PEERS_ENOUGH
  }

  #configuredTarget(address: string): Target[] {
    const { network, log } = this.#deps
    const peerId = network.peerIdIn(address)
    if (peerId === network.peerId) return []
    if (peerId === undefined) {
      log.error('bootstrap address is not a multiaddr with /p2p/<peer id>', { address })
      return []
    }
    return [newTarget({ peerId, addresses: [address] }, BOOTSTRAP_RETRY_MAX_MS, 'bootstrap')]
  }

  #listedTarget(address: string): Target | undefined {
    const { network, log, isOnLoopback } = this.#deps
    const peerId = network.peerIdIn(address)
    if (peerId === network.peerId) return undefined
    if (peerId === undefined || !mayDialListed(address, isOnLoopback)) {
      log.info('peer that the catalog names not dialled: no public address', { address })
      return undefined
    }
    return newTarget({ peerId, addresses: [address] }, HINT_RETRY_MAX_MS, 'catalog')
  }
}

function newTarget(peer: FoundPeer, retryMaxMs: number, how: Target['how']): Target {
  return { ...peer, retryMaxMs, how, dueMs: 0, delayMs: RETRY_FIRST_MS, isDialling: false }
}
