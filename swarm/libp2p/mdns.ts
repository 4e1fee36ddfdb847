/** Finds nodes of the same network on the local link by multicast DNS. What answers is a hint: a LAN is not trusted either. */
import { createHash } from 'node:crypto'
import { type PeerInfo, peerDiscoverySymbol } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import type { Clock } from '../../src/core/clock.ts'
import {
  DIAL_ADDRESSES_PER_PEER_MAX,
  MDNS_PEERS_BURST,
  MDNS_PEERS_PER_SECOND,
} from '../discovery/limits.ts'
import type { FoundPeer } from '../network.ts'
import { mayDialHeard } from '../scope.ts'
import { createTokenBucket } from '../token-bucket.ts'
import { withPeerId } from './dht.ts'

type Service = ReturnType<typeof mdns>

/** A service name has at most 15 characters (RFC 6335), and the name of a network is nobody's business. */
export function serviceTag(networkName: string): string {
  const hash = createHash('sha256').update(networkName).digest('hex').slice(0, 8)
  return `_archy-${hash}._udp.local`
}

export function buildMdns(
  clock: Clock,
  networkName: string,
  onFound: (peer: FoundPeer) => void,
): Service {
  const make = mdns({ serviceTag: serviceTag(networkName) })
  const burstMs = ((MDNS_PEERS_BURST - 1) / MDNS_PEERS_PER_SECOND) * 1000
  const heard = createTokenBucket(clock, MDNS_PEERS_PER_SECOND, burstMs)
  return components => {
    const service = make(components)
    service.addEventListener('peer', ({ detail }) => {
      if (heard.debit(0) > 0) return
      heard.debit(1)
      onFound(neighbourOf(detail))
    })
    // Through this symbol libp2p would keep every peer of every answer.
    Object.defineProperty(service, peerDiscoverySymbol, { value: undefined })
    return service
  }
}

function neighbourOf({ id, multiaddrs }: PeerInfo): FoundPeer {
  const peerId = id.toString()
  const addresses = multiaddrs
    .map(address => withPeerId(address.toString(), peerId))
    .filter(address => mayDialHeard(address, { from: 'lan', isOnLoopback: false }))
  return { peerId, addresses: addresses.slice(0, DIAL_ADDRESSES_PER_PEER_MAX) }
}
