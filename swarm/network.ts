/** The seam between the swarm and its transport: authenticated channels to peers, and a hint who holds what. */
import type { Digest } from '../src/core/digest.ts'

/** A byte stream to one authenticated peer, with backpressure in both directions. */
export interface Channel {
  readonly peerId: string
  /** Where the peer is reached, for people. */
  readonly address: string
  readonly openedByUs: boolean
  /** Resolves when the channel takes more. One call at a time. @throws SwarmError `PEER_LEFT` */
  send(bytes: Uint8Array): Promise<void>
  /** Starts the flow. `onClose` is called once, also when it is already closed. */
  receive(onBytes: (bytes: Uint8Array) => void, onClose: () => void): void
  pause(): void
  resume(): void
  /** Ends the channel at once; what was not sent is lost. */
  close(): void
}

/** The table of the DHT inside the home, or the one over the Internet. */
export const TABLE_SCOPES = ['lan', 'wan'] as const
export type TableScope = (typeof TABLE_SCOPES)[number]

export interface FoundPeer {
  readonly peerId: string
  readonly addresses: readonly string[]
}

/** One for each protocol; each peer has one channel of each. */
export interface ChannelHandlers {
  onBlobs(channel: Channel): void
  /** Absent: this node does not relay the catalog. */
  readonly onCatalog?: ((channel: Channel) => void) | undefined
  /** A node of this network on the local link, which may be dialled. */
  onNeighbour?(peer: FoundPeer): void
  /** A connected peer keeps records of this table, and may be told of what this node has. */
  onTable?(peerId: string, table: TableScope): void
}

export interface Network {
  readonly peerId: string
  /** @throws SwarmError `LISTEN_FAILED` when no listen address can be used. */
  start(handlers: ChannelHandlers): Promise<void>
  stop(): Promise<void>
  /** With `/p2p/<id>`. */
  addresses(): readonly string[]
  isConnected(peerId: string): boolean
  /** The peer id in a multiaddr; `undefined` when it has none or is no multiaddr. */
  peerIdIn(address: string): string | undefined
  /** Connects, also to private addresses: the caller knows where they come from. The channel follows by itself. Rejects when no address answers. */
  dial(addresses: readonly string[], signal: AbortSignal): Promise<void>
  /** Addresses under which a peer said it can be dialled, with `/p2p/<id>`. */
  addressesOf(peerId: string): Promise<readonly string[]>
  /** Closes every connection to a peer. */
  disconnect(peerId: string): Promise<void>
  /** Announces this node in these tables as a holder, under the secret key of a release. */
  provide(release: Digest, scopes: readonly TableScope[], signal: AbortSignal): Promise<void>
  /** Tells one connected peer of many at once, without a walk. */
  provideTo(
    peer: { readonly peerId: string; readonly table: TableScope },
    releases: readonly Digest[],
    signal: AbortSignal,
  ): Promise<void>
  /** Ends that; a record that others have lasts until it is too old. */
  withdraw(release: Digest, scopes: readonly TableScope[]): Promise<void>
  /** Peers that say they hold a release: candidates, not facts. Ends early when the lookup fails. */
  findHolders(release: Digest, signal: AbortSignal): AsyncIterable<FoundPeer>
}
