/** The `Network` port over libp2p: dials, opens one data stream per peer, announces and looks up releases. */
import type { Connection, StreamHandler } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'
import type { Clock } from '../../src/core/clock.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { SwarmError } from '../errors.ts'
import type { Channel, ChannelHandlers, FoundPeer, Network, TableScope } from '../network.ts'
import { createChannel } from './channel.ts'
import { type Table, withPeerId } from './dht.ts'
import { openIdentity } from './identity.ts'
import { buildNode, type NetworkOptions, type NodeDeps, type SwarmLibp2p } from './node.ts'
import { releaseKey } from './release-key.ts'

const OPEN_STREAM_TIMEOUT_MS = 10_000

export interface NetworkDeps {
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
  /** Nothing is dialled to, or accepted from, a peer that this names. */
  isBanned(peerId: string): boolean
}

export async function createNetwork(deps: NetworkDeps, options: NetworkOptions): Promise<Network> {
  const privateKey = await openIdentity(options.identityFile)
  let heard: Pick<ChannelHandlers, 'onNeighbour' | 'onTable'> = {}
  const nodeDeps: NodeDeps = {
    ...deps,
    onNeighbour: peer => heard.onNeighbour?.(peer),
    onTable: (peerId, table) => heard.onTable?.(peerId, table),
  }
  const { node, gate, tables } = await buildNode(nodeDeps, options, privateKey)
  const tablesOf = (scopes: readonly TableScope[]): readonly Table[] =>
    tables.filter(({ scope }) => scopes.includes(scope))
  const base = `/archipelago/${options.networkName}`
  const protocols = { blobs: `${base}/blobs/1`, catalog: `${base}/catalog/1` }
  return {
    peerId: node.peerId.toString(),
    start(handlers) {
      heard = handlers
      return startNode(node, protocols, handlers, deps.log, options)
    },
    stop: async () => node.stop(),
    addresses: () => node.getMultiaddrs().map(address => address.toString()),
    isConnected: peerId => node.getConnections(peerIdFromString(peerId)).length > 0,
    peerIdIn: address => peerIdPart(address),
    async dial(addresses, signal) {
      gate.vouch(addresses)
      await node.dial(
        addresses.map(address => multiaddr(address)),
        { signal },
      )
    },
    addressesOf: peerId => addressesOf(node, peerId),
    disconnect: peerId => node.hangUp(peerIdFromString(peerId)),
    async provide(release, scopes, signal) {
      const key = releaseKey(options.networkName, release)
      await Promise.all(tablesOf(scopes).map(table => table.provide(key, signal)))
    },
    async provideTo({ peerId, table: wanted }, releases, signal) {
      const keys = releases.map(release => releaseKey(options.networkName, release))
      const id = peerIdFromString(peerId)
      await Promise.all(tablesOf([wanted]).map(table => table.offer(id, keys, signal)))
    },
    async withdraw(release, scopes) {
      const key = releaseKey(options.networkName, release)
      await Promise.all(tablesOf(scopes).map(table => table.withdraw(key)))
    },
    findHolders: (release, signal) =>
      findIn(tables, releaseKey(options.networkName, release), signal),
  }
}

/** One stream in use and one that is about to end, or two when both sides connected at once. */
const STREAMS_PER_PEER = { maxInboundStreams: 2, maxOutboundStreams: 2 }

async function startNode(
  node: SwarmLibp2p,
  protocols: { readonly blobs: string; readonly catalog: string },
  { onBlobs, onCatalog }: ChannelHandlers,
  log: Log,
  options: NetworkOptions,
): Promise<void> {
  const take =
    (onChannel: (channel: Channel) => void): StreamHandler =>
    (stream, connection) =>
      onChannel(createChannel(stream, connection))
  await node.handle(protocols.blobs, take(onBlobs), STREAMS_PER_PEER)
  if (onCatalog !== undefined) {
    const settings = { ...STREAMS_PER_PEER, runOnLimitedConnection: true }
    await node.handle(protocols.catalog, take(onCatalog), settings)
  }
  node.addEventListener('connection:open', ({ detail: connection }) => {
    if (connection.direction !== 'outbound') return
    const peer = connection.remotePeer.toString()
    // Through a relay the catalog may go, and whatever leads to a direct connection, but no blob.
    const isRelayed = connection.limits !== undefined
    if (!isRelayed) {
      openStream(connection, protocols.blobs).then(onBlobs, (error: unknown) => {
        log.debug('peer does not speak our protocol', { peer, reason: messageOf(error) })
        connection.abort(new SwarmError('PEER_REFUSED', `peer ${peer} is of another network`))
      })
    }
    if (onCatalog === undefined) return
    openStream(connection, protocols.catalog).then(onCatalog, (error: unknown) => {
      log.debug('peer does not relay the catalog', { peer, reason: messageOf(error) })
    })
  })
  try {
    await node.start()
  } catch (cause) {
    throw new SwarmError(
      'LISTEN_FAILED',
      `cannot listen on ${options.listen.join(', ')}: ${listenReason(cause)}; choose another address or end the program that uses it`,
      { cause },
    )
  }
}

/** What the system said; libp2p puts advice on its own settings and whole stacks around it. */
function listenReason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(listenReason).join(', ')
  const text = messageOf(error)
  const reasons = [...text.matchAll(/Error: (listen E[^\n]*)/g)].map(([, reason]) => reason)
  return reasons.length > 0 ? reasons.join(', ') : text
}

async function openStream(connection: Connection, protocol: string): Promise<Channel> {
  const signal = AbortSignal.timeout(OPEN_STREAM_TIMEOUT_MS)
  const stream = await connection.newStream(protocol, {
    signal,
    negotiateFully: true,
    runOnLimitedConnection: connection.limits !== undefined,
  })
  return createChannel(stream, connection)
}

function peerIdPart(address: string): string | undefined {
  let parsed: Multiaddr
  try {
    parsed = multiaddr(address)
  } catch {
    /* Not a multiaddr: the caller names the setting it came from. */
    return undefined
  }
  return parsed.getComponents().findLast(component => component.name === 'p2p')?.value
}

async function addressesOf(node: SwarmLibp2p, peerId: string): Promise<readonly string[]> {
  const id = peerIdFromString(peerId)
  if (!(await node.peerStore.has(id))) return []
  const { addresses } = await node.peerStore.get(id)
  return addresses.map(({ multiaddr }) => withPeerId(multiaddr.toString(), peerId))
}

async function* findIn(
  tables: readonly Table[],
  key: CID,
  signal: AbortSignal,
): AsyncGenerator<FoundPeer> {
  for (const table of tables) yield* table.find(key, signal)
}
