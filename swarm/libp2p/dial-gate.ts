/**
 * What this node connects to. js-libp2p dials whatever addresses it has heard of; here private ones must have been vouched
 * for by something inside the home, and dials have a rate, in all and for each network that they go to.
 */
import type { Clock } from '../../src/core/clock.ts'
import {
  DIAL_BURST,
  DIAL_BURST_PER_NETWORK,
  DIAL_NETWORKS_MAX,
  DIALS_PER_SECOND,
  DIALS_PER_SECOND_PER_NETWORK,
  VOUCHED_ADDRESSES_MAX,
} from '../discovery/limits.ts'
import { hostIn, mayDialHeard, networkOf } from '../scope.ts'
import { createTokenBucket, type TokenBucket } from '../token-bucket.ts'

export interface DialGate {
  /** Addresses that were chosen with care: of the configuration, or told inside the home. */
  vouch(addresses: readonly string[]): void
  mayDial(address: string): boolean
  /** Counts one dial. False when there are too many, in all or to this network. */
  admit(address: string): boolean
}

export function createDialGate(clock: Clock): DialGate {
  const vouched = new Set<string>()
  const networks = new Map<string, TokenBucket>()
  const total = bucketOf(clock, DIALS_PER_SECOND, DIAL_BURST)

  function bucketFor(address: string): TokenBucket {
    const network = networkOf(hostIn(address) ?? '')
    const found =
      networks.get(network) ?? bucketOf(clock, DIALS_PER_SECOND_PER_NETWORK, DIAL_BURST_PER_NETWORK)
    touch(networks, network, found)
    return found
  }

  return {
    vouch(addresses) {
      for (const address of addresses) {
        const place = placeOf(address)
        vouched.delete(place)
        vouched.add(place)
        if (vouched.size > VOUCHED_ADDRESSES_MAX) dropFirst(vouched)
      }
    },
    mayDial: address =>
      vouched.has(placeOf(address)) || mayDialHeard(address, { from: 'wan', isOnLoopback: false }),
    admit(address) {
      const network = bucketFor(address)
      if (total.debit(0) > 0 || network.debit(0) > 0) return false
      total.debit(1)
      network.debit(1)
      return true
    },
  }

  function touch(map: Map<string, TokenBucket>, key: string, value: TokenBucket): void {
    map.delete(key)
    map.set(key, value)
    if (map.size > DIAL_NETWORKS_MAX) dropFirst(map)
  }
}

/** Host and port; who is there is found out by dialling. */
function placeOf(address: string): string {
  return address.split('/p2p/', 1)[0] ?? ''
}

function bucketOf(clock: Clock, perSecond: number, burst: number): TokenBucket {
  return createTokenBucket(clock, perSecond, ((burst - 1) / perSecond) * 1000)
}

function dropFirst(from: Set<string> | Map<string, unknown>): void {
  for (const key of from.keys()) {
    from.delete(key)
    return
  }
}
