/** The provider records that a node keeps for others: bounded for each peer, each key and in all. Pure. */
import {
  PROVIDER_RECORDS_MAX,
  PROVIDER_RECORDS_PER_KEY_MAX,
  PROVIDER_RECORDS_PER_PEER_MAX,
} from '../discovery/limits.ts'

export interface ProviderRecord {
  /** Table and key, as kad-dht writes them: `/dht-lan/provider/<key>`. */
  readonly place: string
  readonly peerId: string
  readonly value: Uint8Array
  readonly atMs: number
}

/**
 * js-libp2p takes every record that a peer sends. Here a peer that is over its share loses its own oldest; when all is full, the
 * peer with the most records loses one, so that a flood first eats what the flooder itself brought. Own records are not counted.
 */
export class ProviderTable {
  readonly #ownPeerId: string
  readonly #byPlace = new Map<string, Map<string, ProviderRecord>>()
  /** Places by peer, the oldest first. */
  readonly #byPeer = new Map<string, Set<string>>()
  #foreignCount = 0

  constructor(ownPeerId: string) {
    this.#ownPeerId = ownPeerId
  }

  /** Records of others. */
  get foreignCount(): number {
    return this.#foreignCount
  }

  countOf(peerId: string): number {
    return this.#byPeer.get(peerId)?.size ?? 0
  }

  put(record: ProviderRecord): void {
    const { place, peerId } = record
    this.delete(place, peerId)
    if (peerId !== this.#ownPeerId) this.#makeRoom(place, peerId)
    getOrAdd(this.#byPlace, place, () => new Map()).set(peerId, record)
    getOrAdd(this.#byPeer, peerId, () => new Set()).add(place)
    if (peerId !== this.#ownPeerId) this.#foreignCount += 1
  }

  get(place: string, peerId: string): ProviderRecord | undefined {
    return this.#byPlace.get(place)?.get(peerId)
  }

  delete(place: string, peerId: string): void {
    const records = this.#byPlace.get(place)
    if (records?.delete(peerId) !== true) return
    if (records.size === 0) this.#byPlace.delete(place)
    const places = this.#byPeer.get(peerId)
    places?.delete(place)
    if (places?.size === 0) this.#byPeer.delete(peerId)
    if (peerId !== this.#ownPeerId) this.#foreignCount -= 1
  }

  /** Of one key. */
  at(place: string): readonly ProviderRecord[] {
    return [...(this.#byPlace.get(place)?.values() ?? [])]
  }

  all(): readonly ProviderRecord[] {
    return [...this.#byPlace.values()].flatMap(records => [...records.values()])
  }

  #makeRoom(place: string, peerId: string): void {
    if (this.countOf(peerId) >= PROVIDER_RECORDS_PER_PEER_MAX) this.#dropOldestOf(peerId)
    const others = this.at(place).filter(record => record.peerId !== this.#ownPeerId)
    const [oldest] = others
    if (others.length >= PROVIDER_RECORDS_PER_KEY_MAX && oldest !== undefined) {
      this.delete(place, oldest.peerId)
    }
    if (this.#foreignCount >= PROVIDER_RECORDS_MAX) this.#dropOldestOf(this.#largestHolder())
  }

  #dropOldestOf(peerId: string | undefined): void {
    if (peerId === undefined) return
    const [place] = this.#byPeer.get(peerId) ?? []
    if (place !== undefined) this.delete(place, peerId)
  }

  #largestHolder(): string | undefined {
    let largest: string | undefined
    for (const peerId of this.#byPeer.keys()) {
      if (peerId === this.#ownPeerId) continue
      if (largest === undefined || this.countOf(peerId) > this.countOf(largest)) largest = peerId
    }
    return largest
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
