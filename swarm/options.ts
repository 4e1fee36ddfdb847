/** What the owner of a node can choose about the swarm. Defaults are in the program's configuration. */
import type { ServingOptions } from './serving/serving.ts'

export interface SwarmLimits {
  /** Bytes per second to peers; `undefined`: no limit. */
  readonly uploadBytesPerSecond: number | undefined
  /** Bytes per second from peers and origins together; `undefined`: no limit. */
  readonly downloadBytesPerSecond: number | undefined
  /** Bytes per second from origins; `undefined`: no limit. */
  readonly originBytesPerSecond: number | undefined
  readonly connectionsMax: number
}

export interface ReachOptions {
  /** Look for nodes of this network on the local link. */
  readonly mdns: boolean
  /** Ask the router for a port, when there is a router of the home. */
  readonly upnp: boolean
  /** Introduce peers to each other that cannot be reached directly. No blob goes this way. */
  readonly relay: boolean
  /** Be introduced by relays among the connected peers. */
  readonly useRelays: boolean
}

export interface SwarmOptions {
  /** Nodes of other networks are not talked to. Letters, digits, `.`, `_` and `-`. */
  readonly networkName: string
  /** Private key; made with mode 0600 when missing. */
  readonly identityFile: string
  readonly stateFolder: string
  /** Where every event is written to, as JSON lines; `undefined`: nowhere. */
  readonly traceFile?: string | undefined
  /** Multiaddrs such as `/ip4/0.0.0.0/tcp/4001`. */
  readonly listen: readonly string[]
  /** Multiaddrs that others can dial, when they differ from the listen addresses. */
  readonly announceAddresses: readonly string[]
  /** Multiaddrs with `/p2p/<id>` that are dialled at the start and again whenever the connection is lost. */
  readonly bootstrap: readonly string[]
  /** Absent: nothing but what is written in these options. */
  readonly reach?: ReachOptions | undefined
  /** Base URLs that end with `/`, in order of preference. */
  readonly origins: readonly string[]
  /** The bulk channel; port 0: any. Absent: none, everything goes over libp2p streams. */
  readonly bulk?: { readonly port: number } | undefined
  readonly limits: SwarmLimits
  /** Whom this node serves, and when which limit holds. */
  readonly serving: ServingOptions
}
