/** The seam between the relay and the catalog, which it knows nothing of: bytes by name, and who said what. */
import type { Digest } from '../../src/core/digest.ts'
import type { CatalogHead } from './messages.ts'

/** What this node gives to its peers, and wants to hear from them. */
export interface CatalogMirror {
  head(): CatalogHead | undefined
  file(name: string): Uint8Array | undefined
  fileByDigest(digest: Digest): Uint8Array | undefined
  /** `undefined`: the peer left. */
  onHead(peerId: string, head: CatalogHead | undefined): void
  onTimestamp(peerId: string, bytes: Uint8Array): void
  onProof(peerId: string, a: Uint8Array, b: Uint8Array): void
}

export interface RelayPeer {
  readonly peerId: string
  /** What it says that it has. Nothing of it is proven. */
  readonly head: CatalogHead | undefined
  /** It gave a wrong catalog, or broke the protocol, lately. */
  readonly isLowered: boolean
}

export interface CatalogRelay {
  /** Connected peers that relay catalogs, in no order. */
  peers(): readonly RelayPeer[]
  /**
   * A file by its name at the origin; `undefined` when the peer does not have it. Nothing of it is verified.
   * @throws SwarmError `PEER_LEFT`, `PEER_REFUSED` (also when it is too slow, or sends more than `maxBytes`)
   */
  get(
    peerId: string,
    name: string,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined>
  /** Tells every peer of a new head. */
  announce(timestamp: Uint8Array): void
  /** Tells every peer of two heads that contradict each other. Nobody is told twice, or what he told us. */
  announceProof(a: Uint8Array, b: Uint8Array): void
  /** The same, to one peer; nothing happens when it left. */
  sendProof(peerId: string, a: Uint8Array, b: Uint8Array): void
  /** Asks this peer last for a while. */
  lower(peerId: string): void
}
