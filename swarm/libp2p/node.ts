/** Builds the libp2p node of a private network, with the settings that js-libp2p needs on home servers. */
import { noise } from '@chainsafe/libp2p-noise'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { PeerId, PrivateKey, Startable } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p'
import type { Clock } from '../../src/core/clock.ts'
import {
  DIAL_ADDRESSES_PER_PEER_MAX,
  HANDSHAKE_TIMEOUT_MS,
  HANDSHAKES_MAX,
  SOCKETS_PER_SECOND_PER_HOST,
  STREAMS_PER_CONNECTION_MAX,
} from '../discovery/limits.ts'
import type { FoundPeer, TableScope } from '../network.ts'
import type { SwarmOptions } from '../options.ts'
import { isLoopbackOnly, mayDialHeard, scopeOf } from '../scope.ts'
import { STREAM_BUFFER_BYTES_MAX, STREAM_WINDOW_BYTES } from './channel.ts'
import { Table } from './dht.ts'
import { createDialGate, type DialGate } from './dial-gate.ts'
import { createInboundGate } from './inbound-gate.ts'
import { ownAddresses } from './own-addresses.ts'
import { RELAYED, reachServices, relayTransport } from './reach.ts'
import { Records } from './records.ts'

interface Services {
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  lanDht: KadDHT
  wanDht: KadDHT
  ownAddresses: Startable
}

/** A type alias has the index signature that libp2p asks for; an interface has not. */
type SwarmServices = { [K in keyof Services]: Services[K] }
export type SwarmLibp2p = Libp2p<SwarmServices>

/** What of the choices of an owner concerns the transport. */
export type NetworkOptions = Pick<
  SwarmOptions,
  'networkName' | 'identityFile' | 'listen' | 'announceAddresses' | 'reach'
> & { readonly limits: Pick<SwarmOptions['limits'], 'connectionsMax'> }

export interface NodeDeps {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  /** Nothing is dialled to, or accepted from, a peer that this names. */
  isBanned(peerId: string): boolean
  /** A node of this network on the local link. */
  onNeighbour(peer: FoundPeer): void
  /** A connected peer serves this table of the DHT. */
  onTable(peerId: string, table: TableScope): void
}

export interface BuiltNode {
  readonly node: SwarmLibp2p
  readonly gate: DialGate
  readonly records: Records
  readonly tables: readonly Table[]
  /** It listens on loopback only, as in tests. */
  readonly isOnLoopback: boolean
}

/** Built and guarded, not started. */
export async function buildNode(
  deps: NodeDeps,
  options: NetworkOptions,
  privateKey: PrivateKey,
): Promise<BuiltNode> {
  const { clock, random } = deps
  const { networkName } = options
  const lan = new Table(networkName, 'lan')
  const wan = new Table(networkName, 'wan')
  const isOnLoopback = isLoopbackOnly(options.listen)
  const gate = createDialGate(clock)
  const ownPeerId = peerIdFromPrivateKey(privateKey).toString()
  const connections = () => node.getConnections()
  const records = new Records({
    clock,
    ownPeerId,
    connectedPeerIds: () => connections().map(({ remotePeer }) => remotePeer.toString()),
  })
  const node: SwarmLibp2p = await createLibp2p<SwarmServices>({
    start: false,
    privateKey,
    datastore: records,
    nodeInfo: { name: 'archy', version: '1', userAgent: 'archy/1' },
    addresses: { listen: listenAddresses(options), announce: [...options.announceAddresses] },
    ...connectionSettings(
      deps,
      options,
      gate,
      () => connections().map(({ remoteAddr }) => remoteAddr.toString()),
      /** A peer on the Internet could otherwise have us tell the home of private addresses that it made up. */
      (peer, address) =>
        peer.toString() === ownPeerId ||
        gate.mayDial(address) ||
        (isHome(node, peer) && mayDialHeard(address, { from: 'lan', isOnLoopback })),
    ),
    services: {
      identify: identify({ protocolPrefix: prefixOf(options) }),
      /** A table that is served only later, or an address that comes later, would be known to nobody who is connected already. */
      identifyPush: identifyPush({ protocolPrefix: prefixOf(options) }),
      ping: ping({ protocolPrefix: prefixOf(options) }),
      lanDht: lan.service,
      wanDht: wan.service,
      ownAddresses: ownAddresses(),
      ...(options.reach && (await reachServices(deps, options, options.reach))),
    },
  })
  const tables = [lan, wan]
  for (const table of tables) {
    await table.guard({ node, clock, random, gate, isOnLoopback, onServer: deps.onTable })
  }
  vouchForNeighbours(node, gate, isOnLoopback)
  return { node, gate, records, tables, isOnLoopback }
}

function prefixOf({ networkName }: NetworkOptions): string {
  return `archipelago/${networkName}`
}

function listenAddresses({ listen, reach }: NetworkOptions): string[] {
  return reach?.useRelays === true ? [...listen, RELAYED] : [...listen]
}

type ConnectionSettings = Pick<
  Libp2pOptions<SwarmServices>,
  | 'transports'
  | 'connectionEncrypters'
  | 'streamMuxers'
  | 'connectionManager'
  | 'connectionMonitor'
  | 'connectionGater'
  | 'peerStore'
>

function connectionSettings(
  { isBanned }: NodeDeps,
  options: NetworkOptions,
  gate: DialGate,
  openAddresses: () => readonly string[],
  mayKeep: (peer: PeerId, address: string) => boolean,
): ConnectionSettings {
  const inbound = createInboundGate(openAddresses)
  return {
    transports: [
      limitedTcp(gate),
      ...(options.reach?.useRelays === true ? [relayTransport()] : []),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
        maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
        streamOptions: {
          maxStreamWindowSize: STREAM_WINDOW_BYTES,
          maxReadBufferLength: STREAM_BUFFER_BYTES_MAX,
        },
      }),
    ],
    connectionManager: {
      maxConnections: options.limits.connectionsMax,
      /** Never reached: the inbound gate ends the oldest handshakes first, where libp2p would refuse the newest. */
      maxIncomingPendingConnections: 2 * HANDSHAKES_MAX,
      inboundUpgradeTimeout: HANDSHAKE_TIMEOUT_MS,
      inboundConnectionThreshold: SOCKETS_PER_SECOND_PER_HOST,
      maxPeerAddrsToDial: DIAL_ADDRESSES_PER_PEER_MAX,
      dialTimeout: 10_000,
      addressDialTimeout: 4_000,
    },
    /** A busy transfer delays the answer to a ping; the yamux keep-alive ends connections that are really gone. */
    connectionMonitor: { protocolPrefix: prefixOf(options), abortConnectionOnPingFailure: false },
    connectionGater: {
      denyDialPeer: peer => isBanned(peer.toString()),
      denyDialMultiaddr: address => !gate.mayDial(address.toString()),
      denyInboundConnection: connection => {
        inbound.begin(connection)
        return false
      },
      denyInboundEncryptedConnection: peer => isBanned(peer.toString()),
      denyInboundUpgradedConnection: (_peer, connection) => !inbound.finish(connection),
    },
    /**
     * js-libp2p remembers when it first saw an address and never renews that: after any age, a peer that is there all the time
     * loses its addresses for good, while its provider records go on. `Records` bounds what is kept, and a peer's own word at each connection
     * replaces its addresses.
     */
    peerStore: {
      maxAddressAge: Number.POSITIVE_INFINITY,
      maxPeerAge: Number.POSITIVE_INFINITY,
      addressFilter: (peer, address) => mayKeep(peer, address.toString()),
    },
  }
}

type TransportFactory = NonNullable<Libp2pOptions['transports']>[number]

/** The only place where every dial goes through, also those that libp2p and kad-dht begin. */
function limitedTcp(gate: DialGate): TransportFactory {
  const make = tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })
  return components => {
    const transport = make(components)
    const dial = transport.dial.bind(transport)
    transport.dial = async (address, options) => {
      if (!gate.admit(address.toString())) throw new Error('too many dials; later again')
      return await dial(address, options)
    }
    return transport
  }
}

function isHome(node: Libp2p, peer: PeerId): boolean {
  const open = node.getConnections(peer)
  return open.some(({ remoteAddr }) => scopeOf(remoteAddr.toString()) === 'lan')
}

/** A peer inside the home may say where else in the home it listens. */
function vouchForNeighbours(node: SwarmLibp2p, gate: DialGate, isOnLoopback: boolean): void {
  node.addEventListener('peer:identify', ({ detail: { connection, listenAddrs } }) => {
    const from = scopeOf(connection.remoteAddr.toString())
    if (from !== 'lan') return
    const addresses = listenAddrs.slice(0, DIAL_ADDRESSES_PER_PEER_MAX).map(String)
    gate.vouch(addresses.filter(address => mayDialHeard(address, { from, isOnLoopback })))
  })
}
