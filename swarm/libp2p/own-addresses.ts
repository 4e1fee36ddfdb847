/**
 * Tells peers the public addresses of this machine on which the node listens. js-libp2p keeps them to itself until somebody has
 * confirmed them, and nobody does in a private network: a node with an IPv6 or public IPv4 address would never be found.
 */
import type { Libp2pEvents, Startable, TypedEventTarget } from '@libp2p/interface'
import type { AddressManager } from '@libp2p/interface-internal'

interface Components {
  readonly addressManager: AddressManager
  readonly events: TypedEventTarget<Libp2pEvents>
}

/** A provider gives out new addresses at any time. */
const INTERVAL_MS = 30_000
/** The confirmation ends with the address itself. */
const HOLDS_MS = 365 * 24 * 60 * 60_000

export function ownAddresses(): (components: Components) => Startable {
  return ({ addressManager, events }) => {
    let timer: NodeJS.Timeout | undefined
    const confirm = (): void => {
      for (const { multiaddr, type, verified } of addressManager.getAddressesWithMetadata()) {
        if (type !== 'transport' || verified) continue
        addressManager.confirmObservedAddr(multiaddr, { type: 'transport', ttl: HOLDS_MS })
      }
    }
    return {
      start() {
        events.addEventListener('transport:listening', confirm)
        timer = setInterval(confirm, INTERVAL_MS)
        timer.unref()
      },
      stop() {
        events.removeEventListener('transport:listening', confirm)
        clearInterval(timer)
      },
    }
  }
}
