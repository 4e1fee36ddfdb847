/** The two tables of the DHT: one inside the home, one over the Internet. What they say is a hint and nothing more. */
import assert from 'node:assert/strict'
import { type PeerId, type PeerInfo, peerDiscoverySymbol } from '@libp2p/interface'
import {
  type KadDHT,
  kadDHT,
  removePrivateAddressesMapper,
  removePublicAddressesMapper,
} from '@libp2p/kad-dht'
import { pipe } from 'it-pipe'
import type { Libp2p } from 'libp2p'
import type { CID } from 'multiformats/cid'
import type { Clock } from '../../src/core/clock.ts'
import { messageOf } from '../../src/core/errors.ts'
import {
  HEARD_PEERS_BURST,
  HEARD_PEERS_PER_SECOND,
  OFFER_BYTES,
  PROVIDER_VALID_MS,
  PROVIDERS_PER_TABLE_MAX,
} from '../discovery/limits.ts'
import type { FoundPeer, TableScope } from '../network.ts'
import { mayDialHeard, scopeOf } from '../scope.ts'
import { createTokenBucket } from '../token-bucket.ts'
import { createChannel } from './channel.ts'
import type { DialGate } from './dial-gate.ts'
import { homeOnly } from './home-only.ts'
import { encodeAddProvider } from './kad-frame.ts'
import { providersIn } from './providers-in.ts'

type Service = ReturnType<typeof kadDHT>

const CLEAN_INTERVAL_MS = 10 * 60_000
/** Streams of one peer and table at once; kad-dht opens one for each question. */
const STREAMS_PER_PEER_MAX = 8

function dhtProtocol(networkName: string, scope: TableScope): string {
  return `/archipelago/${networkName}${scope === 'lan' ? '/lan' : ''}/kad/1.0.0`
}

/** The LAN table keeps private addresses and always serves; the WAN one keeps public ones and serves once reachable. */
function buildDht(networkName: string, scope: TableScope): Service {
  return kadDHT({
    protocol: dhtProtocol(networkName, scope),
    logPrefix: `libp2p:kad-${scope}`,
    datastorePrefix: `/dht-${scope}`,
    metricsPrefix: `libp2p_kad_${scope}`,
    maxInboundStreams: STREAMS_PER_PEER_MAX,
    ...(scope === 'lan'
      ? { clientMode: false, peerInfoMapper: removePublicAddressesMapper }
      : { peerInfoMapper: removePrivateAddressesMapper }),
    /** A network of two would otherwise wait for a third before its first lookup. */
    allowQueryWithZeroPeers: true,
    /** Only removes what is no longer valid: this node announces again by itself, in its own time, see `Announcer`. */
    reprovide: { validity: PROVIDER_VALID_MS, threshold: 0, interval: CLEAN_INTERVAL_MS },
    /** Nobody stores values here: every record is refused. */
    validators: { pk: refuseRecord, ipns: refuseRecord },
  })
}

function refuseRecord(): never {
  throw new TypeError('this network stores no value records')
}

export interface TableDeps {
  readonly node: Libp2p
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly gate: DialGate
  /** The node listens on loopback only. */
  readonly isOnLoopback: boolean
  /** A connected peer serves this table. */
  onServer(peerId: string, table: TableScope): void
}

export class Table {
  readonly #protocol: string
  readonly #scope: TableScope
  /** For libp2p, which makes the table. */
  readonly service: Service
  #parts: { readonly dht: KadDHT; readonly heard: EventTarget } | undefined
  #deps: TableDeps | undefined

  constructor(networkName: string, scope: TableScope) {
    this.#protocol = dhtProtocol(networkName, scope)
    this.#scope = scope
    const make = buildDht(networkName, scope)
    this.service = components => {
      const dht = make(scope === 'lan' ? homeOnly(components) : components)
      const heard = Reflect.get(dht, peerDiscoverySymbol) as EventTarget
      this.#parts = { dht, heard }
      // Through this symbol libp2p would keep every address of every answer, whoever it came from.
      Object.defineProperty(dht, peerDiscoverySymbol, { value: undefined })
      return dht
    }
  }

  /** Between the making of the node and its start. */
  async guard(deps: TableDeps): Promise<void> {
    this.#deps = deps
    const burstMs = (HEARD_PEERS_BURST / HEARD_PEERS_PER_SECOND) * 1000
    const heard = createTokenBucket(deps.clock, HEARD_PEERS_PER_SECOND, burstMs)
    this.#parts?.heard.addEventListener('peer', event => {
      if (heard.debit(0) > 0) return
      heard.debit(1)
      void this.#hear(deps, (event as CustomEvent<PeerInfo>).detail)
    })
    await deps.node.register(this.#protocol, {
      onConnect: peer => deps.onServer(peer.toString(), this.#scope),
    })
  }

  /** Announces this node under a key, with a walk to those who are closest to it. */
  async provide(key: CID, signal: AbortSignal): Promise<void> {
    for await (const _event of this.#dht.provide(key, { signal })) {
      /* Each event is one step of the walk; only its end matters. */
    }
  }

  get scope(): TableScope {
    return this.#scope
  }

  /** Tells one connected peer of many keys over one stream. */
  async offer(peer: PeerId, keys: readonly CID[], signal: AbortSignal): Promise<void> {
    const { node } = this.#guarded
    const addresses = node.getMultiaddrs().filter(address => this.#mayDial(address.toString()))
    const [connection] = node.getConnections(peer).filter(({ limits }) => limits === undefined)
    const isHome = connection && scopeOf(connection.remoteAddr.toString()) === 'lan'
    if (connection === undefined || addresses.length === 0) return
    if (this.#scope === 'lan' && isHome !== true) return
    const provider = { id: node.peerId.toMultihash().bytes, addresses: addresses.map(a => a.bytes) }
    const stream = await connection.newStream(this.#protocol, { signal, negotiateFully: true })
    const channel = createChannel(stream, connection)
    try {
      for (const chunk of inChunks(keys, key => encodeAddProvider(key.multihash.bytes, provider))) {
        signal.throwIfAborted()
        await channel.send(chunk)
      }
      await stream.close({ signal })
    } catch (error) {
      channel.close()
      throw error
    }
  }

  withdraw(key: CID): Promise<void> {
    return this.#dht.cancelReprovide(key)
  }

  /** Candidates with addresses that may be dialled. Ends early when the lookup fails. */
  async *find(key: CID, signal: AbortSignal): AsyncGenerator<FoundPeer> {
    const { node, random } = this.#guarded
    try {
      yield* pipe(
        this.#dht.findProviders(key, { signal }),
        events => providersIn(events, random),
        providers => this.#candidates(providers),
      )
    } catch (error) {
      node.logger
        .forComponent('archy:find')
        .trace('lookup in the %s table ended early: %s', this.#scope, messageOf(error))
    }
  }

  async *#candidates(providers: AsyncIterable<PeerInfo>): AsyncGenerator<FoundPeer> {
    let count = 0
    for await (const { id, multiaddrs } of providers) {
      if (id.equals(this.#guarded.node.peerId)) continue
      const peerId = id.toString()
      const addresses = multiaddrs.map(address => withPeerId(address.toString(), peerId))
      yield { peerId, addresses: addresses.filter(address => this.#mayDial(address)) }
      count += 1
      if (count === PROVIDERS_PER_TABLE_MAX) return
    }
  }

  get #dht(): KadDHT {
    assert(this.#parts !== undefined, 'the node of this table was not made')
    return this.#parts.dht
  }

  get #guarded(): TableDeps {
    assert(this.#deps !== undefined, 'this table is not guarded')
    return this.#deps
  }

  #mayDial(address: string): boolean {
    return mayDialHeard(address, { from: this.#scope, isOnLoopback: this.#guarded.isOnLoopback })
  }

  /** Keeps what an answer says of another peer: only addresses that this table may tell of. */
  async #hear({ node, gate }: TableDeps, { id, multiaddrs }: PeerInfo): Promise<void> {
    const usable = multiaddrs.filter(address => this.#mayDial(address.toString()))
    if (usable.length === 0 || id.equals(node.peerId)) return
    if (this.#scope === 'lan') gate.vouch(usable.map(address => address.toString()))
    try {
      await node.peerStore.merge(id, { multiaddrs: usable })
    } catch {
      /* Too much of it, or the node is stopping: a hint that is lost. */
    }
  }
}

function* inChunks<T>(items: readonly T[], encode: (item: T) => Uint8Array): Iterable<Uint8Array> {
  let chunk: Uint8Array[] = []
  let sizeBytes = 0
  for (const item of items) {
    const bytes = encode(item)
    chunk.push(bytes)
    sizeBytes += bytes.byteLength
    if (sizeBytes < OFFER_BYTES) continue
    yield Buffer.concat(chunk)
    chunk = []
    sizeBytes = 0
  }
  if (chunk.length > 0) yield Buffer.concat(chunk)
}

/** With `/p2p/<id>` at its end. */
export function withPeerId(address: string, peerId: string): string {
  return address.endsWith(`/p2p/${peerId}`) ? address : `${address}/p2p/${peerId}`
}
