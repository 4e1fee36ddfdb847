/** Puts discovery and peer exchange together over the connected peers. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { Log } from '../../src/core/log.ts'
import type { Bans } from '../bans.ts'
import type { Network } from '../network.ts'
import type { SwarmOptions } from '../options.ts'
import type { Directory } from '../peers/directory.ts'
import type { RememberedPeers } from '../remembered.ts'
import { isLoopbackOnly } from '../scope.ts'
import { Discovery } from './discovery.ts'
import { Exchange } from './exchange.ts'

interface Deps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly network: Network
  readonly bans: Bans
  readonly remembered: RememberedPeers
  mayServe(digest: Digest): boolean
}

export function openDiscovery(
  deps: Deps,
  directory: Directory,
  { bootstrap, listen }: Pick<SwarmOptions, 'bootstrap' | 'listen'>,
): Discovery {
  const { clock, log, random, network, remembered } = deps
  const exchange = new Exchange({
    ...{ clock, random, isOnLoopback: isLoopbackOnly(listen) },
    links: () => directory.list(),
    addressesOf: peerId => network.addressesOf(peerId),
    mayServe: digest => deps.mayServe(digest),
    onFound: (peer, release) => discovery.noteCandidate(peer, release, 'exchange'),
  })
  const discovery = new Discovery(
    {
      ...{ clock, log, random, network, remembered, exchange },
      isOnLoopback: isLoopbackOnly(listen),
      isBanned: peerId => deps.bans.isBanned(peerId),
      connectedCount: () => directory.list().length,
    },
    bootstrap,
  )
  directory.onPeers = (link, { release, peers }) => {
    if (peers !== undefined) {
      exchange.handleTell(link, release, peers)
      return
    }
    exchange.handleAsk(link, release).catch((error: unknown) => {
      log.debug('question for peers not answered', { peer: link.peerId, reason: String(error) })
    })
  }
  directory.onChange(change => {
    if (change === 'joined') discovery.notePeerJoined()
  })
  return discovery
}
