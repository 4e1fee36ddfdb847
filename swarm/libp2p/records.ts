/** The datastore of the libp2p node, in memory: what it knows of peers, and the DHT's provider records, all of it bounded. */
import { NotFoundError } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { BaseDatastore } from 'datastore-core/base'
import { Key, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import type { Clock } from '../../src/core/clock.ts'
import { PEER_RECORD_BYTES_MAX, PEER_RECORDS_MAX, PROVIDER_VALID_MS } from '../discovery/limits.ts'
import { type ProviderRecord, ProviderTable } from './provider-table.ts'

interface Deps {
  readonly clock: Clock
  readonly ownPeerId: string
  /** Peers that are connected; their records are never dropped. */
  connectedPeerIds(): readonly string[]
}

const PEERS = '/peers/'
const PROVIDER_PLACE = /^(\/dht-(?:lan|wan)\/provider\/[^/]+)\/([^/]+)$/
const ONE_KEY = /^\/dht-(?:lan|wan)\/provider\/[^/]+$/
const VALUE_RECORD = /^\/dht-(?:lan|wan)\/record\//
/** Dropped at once when there are too many peers, so that a flood does not look for the oldest each time. */
const PEERS_DROPPED_AT_ONCE = 64

/**
 * js-libp2p bounds none of this, and its answer to GET_PROVIDERS fails when one provider's addresses are gone. A lookup by key
 * therefore shows only records that are still valid and whose peer is known here.
 */
export class Records extends BaseDatastore {
  readonly providers: ProviderTable
  readonly #deps: Deps
  /** The one that was not touched for the longest time is first. */
  readonly #values = new Map<string, Uint8Array>()

  constructor(deps: Deps) {
    super()
    this.#deps = deps
    this.providers = new ProviderTable(deps.ownPeerId)
  }

  /** @throws RangeError for what no honest peer stores: value records, a peer with hundreds of addresses. */
  override put(key: Key, value: Uint8Array): Key {
    const name = key.toString()
    const record = PROVIDER_PLACE.exec(name)
    if (record !== null) {
      const [, place = '', peerId = ''] = record
      this.providers.put({ place, peerId, value, atMs: this.#deps.clock.nowMs() })
      return key
    }
    if (VALUE_RECORD.test(name)) throw new RangeError('this network stores no value records')
    if (name.startsWith(PEERS) && value.byteLength > PEER_RECORD_BYTES_MAX) {
      throw new RangeError(`a peer of ${value.byteLength} bytes`)
    }
    this.#values.delete(name)
    this.#values.set(name, value)
    if (this.#values.size > PEER_RECORDS_MAX) this.#dropOldestPeers()
    return key
  }

  override get(key: Key): Uint8Array {
    const name = key.toString()
    const [, place = '', peerId = ''] = PROVIDER_PLACE.exec(name) ?? []
    const value = this.providers.get(place, peerId)?.value ?? this.#values.get(name)
    if (value === undefined) throw new NotFoundError()
    return value
  }

  override has(key: Key): boolean {
    const name = key.toString()
    const [, place = '', peerId = ''] = PROVIDER_PLACE.exec(name) ?? []
    return this.providers.get(place, peerId) !== undefined || this.#values.has(name)
  }

  override delete(key: Key): void {
    const name = key.toString()
    const [, place = '', peerId = ''] = PROVIDER_PLACE.exec(name) ?? []
    this.providers.delete(place, peerId)
    this.#values.delete(name)
  }

  override *_all({ prefix = '' }: Query): Generator<Pair> {
    if (ONE_KEY.test(prefix)) {
      for (const record of this.providers.at(prefix)) {
        if (this.#isUsable(record)) yield pairOf(record)
      }
      return
    }
    if (prefix.startsWith('/dht-')) {
      for (const record of this.providers.all()) yield pairOf(record)
      return
    }
    for (const [name, value] of [...this.#values]) yield { key: new Key(name), value }
  }

  override *_allKeys(query: KeyQuery): Generator<Key> {
    for (const { key } of this._all(query.prefix === undefined ? {} : { prefix: query.prefix })) {
      yield key
    }
  }

  get peerCount(): number {
    return this.#values.size
  }

  #isUsable({ peerId, atMs }: ProviderRecord): boolean {
    if (this.#deps.clock.nowMs() - atMs > PROVIDER_VALID_MS) return false
    return this.#values.has(peerName(peerId))
  }

  #dropOldestPeers(): void {
    const kept = new Set([this.#deps.ownPeerId, ...this.#deps.connectedPeerIds()].map(peerName))
    let dropped = 0
    for (const name of this.#values.keys()) {
      if (dropped === PEERS_DROPPED_AT_ONCE) return
      if (!name.startsWith(PEERS) || kept.has(name)) continue
      this.#values.delete(name)
      dropped += 1
    }
  }
}

function peerName(peerId: string): string {
  return `${PEERS}${peerIdFromString(peerId).toCID().toString()}`
}

function pairOf({ place, peerId, value }: ProviderRecord): Pair {
  return { key: new Key(`${place}/${peerId}`), value }
}
