/**
 * Connections that come in: handshakes that never end, and one network that takes all places.
 * js-libp2p refuses newcomers while too many handshakes are under way. Here the oldest of them makes room: an honest handshake takes
 * a few round trips, so who idles loses, also when both come from one address.
 */
import type { MultiaddrConnection } from '@libp2p/interface'
import {
  CONNECTIONS_PER_NETWORK_MAX,
  HANDSHAKES_MAX,
  HANDSHAKES_PER_NETWORK_MAX,
} from '../discovery/limits.ts'
import { hostIn, networkOf, scopeOf } from '../scope.ts'

export interface InboundGate {
  /** A socket was accepted. Ends the oldest handshake when there are too many. */
  begin(connection: MultiaddrConnection): void
  /** Its handshake is done. False when its network has enough connections; inside the home there is no such limit. */
  finish(connection: MultiaddrConnection): boolean
}

export function createInboundGate(openAddresses: () => readonly string[]): InboundGate {
  /** The oldest first. */
  const pending = new Map<MultiaddrConnection, string>()

  function endOldest(network?: string): void {
    for (const [connection, its] of pending) {
      if (network !== undefined && its !== network) continue
      pending.delete(connection)
      connection.abort(new Error('its handshake took longer than those of others'))
      return
    }
  }

  return {
    begin(connection) {
      const network = networkIn(connection.remoteAddr.toString())
      const ofNetwork = [...pending.values()].filter(other => other === network)
      if (ofNetwork.length >= HANDSHAKES_PER_NETWORK_MAX) endOldest(network)
      else if (pending.size >= HANDSHAKES_MAX) endOldest()
      pending.set(connection, network)
      connection.addEventListener('close', () => pending.delete(connection), { once: true })
    },
    finish(connection) {
      pending.delete(connection)
      const address = connection.remoteAddr.toString()
      if (scopeOf(address) === 'lan') return true
      const network = networkIn(address)
      const open = openAddresses().filter(other => networkIn(other) === network)
      return open.length < CONNECTIONS_PER_NETWORK_MAX
    },
  }
}

function networkIn(address: string): string {
  return networkOf(hostIn(address) ?? '')
}
