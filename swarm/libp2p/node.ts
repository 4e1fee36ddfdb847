/** Builds the libp2p node of a private network, with the settings that js-libp2p needs on home servers. */
import { noise } from '@chainsafe/libp2p-noise'
import { type Identify, identify } from '@libp2p/identify'
import type { PrivateKey } from '@libp2p/interface'
import {
  type KadDHT,
  kadDHT,
  removePrivateAddressesMapper,
  removePublicAddressesMapper,
} from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { SwarmOptions } from '../options.ts'
import { STREAM_BUFFER_BYTES_MAX, STREAM_WINDOW_BYTES } from './channel.ts'

interface Services {
  identify: Identify
  ping: Ping
  lanDht: KadDHT
  wanDht: KadDHT
}

/** A type alias has the index signature that libp2p asks for; an interface has not. */
type SwarmServices = { [K in keyof Services]: Services[K] }
export type SwarmLibp2p = Libp2p<SwarmServices>

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/**
 * Addresses outlive the provider records that need them: with the default of one hour a provider loses its addresses
 * long before its record ends, and is then found but cannot be dialled.
 */
const ADDRESS_AGE_MAX_MS = 72 * HOUR_MS
const PEER_AGE_MAX_MS = 96 * HOUR_MS
const PROVIDER_VALID_MS = 2 * HOUR_MS

export function buildNode(
  options: SwarmOptions,
  privateKey: PrivateKey,
  isBanned: (peerId: string) => boolean,
): Promise<SwarmLibp2p> {
  const prefix = `archipelago/${options.networkName}`
  return createLibp2p<SwarmServices>({
    start: false,
    privateKey,
    nodeInfo: { name: 'archy', version: '1', userAgent: 'archy/1' },
    addresses: { listen: [...options.listen], announce: [...options.announceAddresses] },
    transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        maxInboundStreams: 256,
        maxOutboundStreams: 256,
        streamOptions: {
          maxStreamWindowSize: STREAM_WINDOW_BYTES,
          maxReadBufferLength: STREAM_BUFFER_BYTES_MAX,
        },
      }),
    ],
    connectionManager: {
      maxConnections: options.limits.connectionsMax,
      /** Ten, the default, are taken by ten idle sockets: nobody could connect any more. */
      maxIncomingPendingConnections: 100,
      inboundUpgradeTimeout: 5_000,
      /** A household behind one address restarts all its nodes at once. */
      inboundConnectionThreshold: 20,
      maxPeerAddrsToDial: 8,
      dialTimeout: 10_000,
      addressDialTimeout: 4_000,
    },
    /** A busy transfer delays the answer to a ping; the yamux keep-alive ends connections that are really gone. */
    connectionMonitor: { protocolPrefix: prefix, abortConnectionOnPingFailure: false },
    connectionGater: {
      denyDialMultiaddr: () => false,
      denyDialPeer: peer => isBanned(peer.toString()),
      denyInboundEncryptedConnection: peer => isBanned(peer.toString()),
    },
    peerStore: { maxAddressAge: ADDRESS_AGE_MAX_MS, maxPeerAge: PEER_AGE_MAX_MS },
    services: {
      identify: identify({ protocolPrefix: prefix }),
      ping: ping({ protocolPrefix: prefix }),
      lanDht: buildDht(`/${prefix}/lan/kad/1.0.0`, 'lan'),
      wanDht: buildDht(`/${prefix}/kad/1.0.0`, 'wan'),
    },
  })
}

/** The LAN table keeps private addresses and always serves; the WAN one keeps public ones and serves once reachable. */
function buildDht(protocol: string, scope: 'lan' | 'wan'): ReturnType<typeof kadDHT> {
  return kadDHT({
    protocol,
    logPrefix: `libp2p:kad-${scope}`,
    datastorePrefix: `/dht-${scope}`,
    metricsPrefix: `libp2p_kad_${scope}`,
    ...(scope === 'lan'
      ? { clientMode: false, peerInfoMapper: removePublicAddressesMapper }
      : { peerInfoMapper: removePrivateAddressesMapper }),
    /** A network of two would otherwise wait for a third before its first lookup. */
    allowQueryWithZeroPeers: true,
    reprovide: {
      validity: PROVIDER_VALID_MS,
      threshold: 90 * MINUTE_MS,
      interval: 10 * MINUTE_MS,
      concurrency: 4,
    },
    /** Nobody stores values here: every record is refused. */
    validators: { pk: refuseRecord, ipns: refuseRecord },
  })
}

function refuseRecord(): never {
  throw new TypeError('this network stores no value records')
}
