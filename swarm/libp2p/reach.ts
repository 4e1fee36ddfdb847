/** How a node is found and reached beyond what the owner wrote down: mDNS, the router's port, relays that introduce peers. */
import {
  type CircuitRelayService,
  circuitRelayServer,
  circuitRelayTransport,
} from '@libp2p/circuit-relay-v2'
import { dcutr } from '@libp2p/dcutr'
import type { RandomWalk } from '@libp2p/interface-internal'
import { type UPnPNAT, uPnPNAT } from '@libp2p/upnp-nat'
import type { Libp2pOptions, ServiceFactoryMap } from 'libp2p'
import type { Clock } from '../../src/core/clock.ts'
import { RELAY_CONNECTIONS_MAX, RELAY_RESERVATIONS_MAX } from '../discovery/limits.ts'
import type { FoundPeer } from '../network.ts'
import type { ReachOptions } from '../options.ts'
import { isLoopbackOnly } from '../scope.ts'
import { isBehindHomeRouter } from './gateway.ts'
import { buildMdns } from './mdns.ts'
import { replacing } from './replacing.ts'

/** A type alias has the index signature that libp2p asks for; an interface has not. */
type ReachServices = {
  mdns: unknown
  upnp: UPnPNAT
  relay: CircuitRelayService
  holePunching: unknown
}

export interface ReachDeps {
  readonly clock: Clock
  onNeighbour(peer: FoundPeer): void
}

export const RELAYED = '/p2p-circuit'

export async function reachServices(
  { clock, onNeighbour }: ReachDeps,
  { networkName, listen }: { networkName: string; listen: readonly string[] },
  reach: ReachOptions,
): Promise<Partial<ServiceFactoryMap<ReachServices>>> {
  // A node that only its own machine can reach tells nobody of itself, and asks nobody for anything.
  const isQuiet = isLoopbackOnly(listen)
  const isAskedForPort = reach.upnp && !isQuiet && (await isBehindHomeRouter(listen))
  return {
    ...(reach.mdns && !isQuiet && { mdns: buildMdns(clock, networkName, onNeighbour) }),
    ...(isAskedForPort && { upnp: uPnPNAT({ autoConfirmAddress: true }) }),
    ...(reach.relay && { relay: circuitRelayServer(RELAY_BOUNDS) }),
    ...(reach.useRelays && { holePunching: dcutr() }),
  }
}

/** Bytes and time of one relayed connection stay those of the protocol: 128 KiB and two minutes are enough for a greeting. */
const RELAY_BOUNDS = {
  reservations: { maxReservations: RELAY_RESERVATIONS_MAX },
  maxInboundHopStreams: RELAY_CONNECTIONS_MAX,
  maxOutboundStopStreams: RELAY_CONNECTIONS_MAX,
}

type TransportFactory = NonNullable<Libp2pOptions['transports']>[number]

/** Relays are looked for among connected peers alone: libp2p would walk the DHT for them, all the time. */
export function relayTransport(): TransportFactory {
  const make = circuitRelayTransport()
  return components => make(replacing(components, { randomWalk: NOWHERE_TO_WALK as RandomWalk }))
}

const NOWHERE_TO_WALK: RandomWalk = {
  async *walk() {
    /* Nobody is met. */
  },
}
