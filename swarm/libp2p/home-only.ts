/**
 * Keeps a libp2p service inside the home: it neither answers nor asks over other connections.
 * Not with `node.use()`: libp2p 3.3 adds the handler of every stream to the list of middleware, so that each stream runs those of all before it.
 */
import type { Connection } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { scopeOf } from '../scope.ts'
import { replacing } from './replacing.ts'

export function homeOnly(components: KadDHTComponents): KadDHTComponents {
  return replacing(components, {
    get registrar() {
      const { registrar } = components
      return replacing(registrar, {
        handle: (protocol, handler, options) =>
          registrar.handle(
            protocol,
            (stream, connection) => {
              refuseStrangers(connection)
              return handler(stream, connection)
            },
            options,
          ),
      })
    },
    get connectionManager() {
      const { connectionManager } = components
      return replacing(connectionManager, {
        async openStream(peer, protocol, options) {
          const connection = await connectionManager.openConnection(peer, options)
          refuseStrangers(connection)
          return await connection.newStream(protocol, options)
        },
      })
    },
  })
}

function refuseStrangers({ remoteAddr, remotePeer }: Connection): void {
  if (scopeOf(remoteAddr.toString()) === 'lan') return
  throw new Error(`peer ${remotePeer.toString()} is not inside the home`)
}
