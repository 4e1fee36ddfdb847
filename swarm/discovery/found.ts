/** How this node came to know its peers, for people. Pure. */
import { FOUND_PEERS_MAX } from './limits.ts'

/** `inbound`: the peer came to us, and we never looked for it. */
export type HowFound =
  | 'bootstrap'
  | 'catalog'
  | 'remembered'
  | 'mdns'
  | 'dht'
  | 'exchange'
  | 'inbound'

export class FoundPeers {
  readonly #how = new Map<string, HowFound>()

  /** The first way counts: a peer that is found again is no news. */
  note(peerId: string, how: HowFound): void {
    if (this.#how.has(peerId)) return
    this.#how.set(peerId, how)
    if (this.#how.size <= FOUND_PEERS_MAX) return
    for (const oldest of this.#how.keys()) {
      this.#how.delete(oldest)
      return
    }
  }

  /** A connection that we opened without having looked for the peer was the DHT's. */
  how(peerId: string, openedByUs: boolean): HowFound {
    return this.#how.get(peerId) ?? (openedByUs ? 'dht' : 'inbound')
  }
}
