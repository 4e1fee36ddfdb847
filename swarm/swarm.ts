/** Wires the swarm: network, peers, origins, downloads, discovery and what is remembered of them. */
import { randomBytes } from 'node:crypto'
import type { VerifiedBlob } from '../src/core/blob.ts'
import type { Clock } from '../src/core/clock.ts'
import type { Digest } from '../src/core/digest.ts'
import type { Log } from '../src/core/log.ts'
import { type Bans, openBans } from './bans.ts'
import { type BulkHub, createBulkHub } from './bulk/hub.ts'
import type { CatalogMirror, CatalogRelay } from './catalog-relay/ports.ts'
import { createRelay, type RelayHub } from './catalog-relay/relay.ts'
import type { Discovery } from './discovery/discovery.ts'
import { openDiscovery } from './discovery/open.ts'
import type { Explanation } from './explanation.ts'
import { createNetwork } from './libp2p/network.ts'
import { type Channel, type Network, TABLE_SCOPES } from './network.ts'
import type { SwarmOptions } from './options.ts'
import { createOrigin, type Origin } from './origin/origin.ts'
import { Directory } from './peers/directory.ts'
import { createLinkDeps } from './peers/link-deps.ts'
import type { BlobId, BlobStore } from './ports.ts'
import { openRememberedPeers, type RememberedPeers } from './remembered.ts'
import { createEnforcement, type Enforcement } from './serving/enforcement.ts'
import type { GivenBytes, StoredGiven } from './serving/given.ts'
import { openServing } from './serving/open.ts'
import type { Surroundings } from './serving/policy.ts'
import type { Limits } from './serving/schedule.ts'
import type { Serving } from './serving/serving.ts'
import type { SwarmStatus, TransferProgress } from './status.ts'
import { openTotals, type Totals } from './totals.ts'
import { noTrace, openTrace, type Trace } from './trace.ts'
import { Fetches } from './transfer/fetches.ts'
import { type History, openHistory } from './transfer/history.ts'

export interface Swarm {
  readonly peerId: string
  /** Listens, and keeps the node connected. @throws SwarmError `LISTEN_FAILED` */
  start(): Promise<void>
  /** Ends everything: open fetches reject with `SWARM_STOPPED`, what they stored is on disk. */
  stop(): Promise<void>
  /** Multiaddrs with `/p2p/<id>` that others can dial. */
  addresses(): readonly string[]
  /**
   * Completes a blob from peers and origins; joins a running fetch of the same blob. Tries until the signal aborts.
   * `release`: the release manifest under which holders are found. `similar`: blobs in which parts of it may be, if they are here. A joined fetch ends when all its callers gave up.
   * @throws StoreError `DISK_FULL`; SwarmError `SWARM_STOPPED`; the signal's reason.
   */
  fetch(
    id: BlobId,
    options: {
      release: Digest
      similar?: readonly Digest[]
      signal?: AbortSignal
      onProgress?: (progress: TransferProgress) => void
    },
  ): Promise<VerifiedBlob>
  /** Replaces the set of releases that this node announces as a holder. */
  announce(releases: readonly Digest[]): void
  /** Replaces the peers that the catalog names: multiaddrs with `/p2p/<id>`, dialled beside those of the options. */
  setBootstrap(addresses: readonly string[]): void
  /** The owner's limits, over the configuration and its schedule. */
  setLimits(words: Limits): void
  /** What this node gave of a blob, over all runs, and to how many peers in this one. */
  given(digest: Digest): GivenBytes & { readonly peerCount: number }
  status(): SwarmStatus
  /** How the running or the last fetch of a blob went; `undefined` when none is remembered. */
  explain(digest: Digest): Explanation | undefined
  /** Every peer as a mirror of the catalog; `undefined` when this node does not relay it. */
  readonly relay: CatalogRelay | undefined
}

export interface SwarmDeps {
  readonly store: BlobStore
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
  /** Only blobs that this allows are told to peers or served. */
  mayServe(digest: Digest): boolean
  /** What the machine is in, asked again and again. */
  surroundings(): Surroundings
  /** Absent: this node does not relay the catalog. */
  readonly catalog?: CatalogMirror
}

/** How often totals are written while bytes come in: what a kill may lose of them. */
const SAVE_INTERVAL_MS = 2_000

/** @throws SwarmError `IDENTITY_DAMAGED` */
export async function createSwarm(deps: SwarmDeps, options: SwarmOptions): Promise<Swarm> {
  const log = deps.log.child('swarm')
  const bans = await openBans({ clock: deps.clock, log }, options.stateFolder)
  const { clock, random } = deps
  const network = await createNetwork({ clock, log, random, isBanned: bans.isBanned }, options)
  const totals = await openTotals(log, options.stateFolder)
  const remembered = await openRememberedPeers(log, options.stateFolder)
  const { serving, given } = await openServing({ ...deps, log }, options)
  const history = await openHistory(log, options.stateFolder)
  const { traceFile } = options
  const trace = traceFile === undefined ? noTrace : openTrace({ clock: deps.clock, log }, traceFile)
  const stored = { trace, bans, totals, remembered, given, history }
  const bulk =
    options.bulk &&
    createBulkHub(
      { clock: deps.clock, log, secret: randomBytes },
      options.listen,
      options.bulk.port,
    )
  return new LiveSwarm({ ...deps, log, network, bulk, serving, ...stored }, options)
}

interface Parts extends SwarmDeps {
  readonly bans: Bans
  readonly trace: Trace
  readonly network: Network
  readonly totals: Totals
  readonly remembered: RememberedPeers
  readonly serving: Serving
  readonly given: StoredGiven
  /** Absent: switched off. */
  readonly bulk: BulkHub | undefined
  readonly history: History
}

class LiveSwarm implements Swarm {
  readonly peerId: string
  readonly #parts: Parts
  readonly #origins: readonly Origin[]
  readonly #directory: Directory
  readonly #enforcement: Enforcement
  readonly #discovery: Discovery
  readonly #fetches: Fetches
  readonly #relay: RelayHub | undefined
  readonly #stopping = new AbortController()
  #saving: Promise<void> | undefined
  #releases: readonly Digest[] = []

  constructor(parts: Parts, options: SwarmOptions) {
    const { clock, log, network, remembered } = parts
    const { serving } = parts
    this.#parts = parts
    this.peerId = network.peerId
    const { catalog } = parts
    this.#relay = catalog && createRelay({ mirror: catalog, clock, log: log.child('catalog') })
    this.#enforcement = createEnforcement({
      ...parts,
      disconnect: peer => network.disconnect(peer),
      forget: peer => {
        remembered.forget(peer)
        this.#helpers.delete(peer)
      },
    })
    this.#directory = new Directory(createLinkDeps(parts, this.#enforcement), network.peerId)
    this.#origins = options.origins.map(url =>
      createOrigin({ limits: [serving.download, serving.origin] }, url),
    )
    this.#discovery = openDiscovery(parts, this.#directory, options)
    this.#fetches = new Fetches({
      ...parts,
      peers: this.#directory,
      origins: this.#origins,
      onVerified: (source, name, bytes) => {
        parts.totals.add(source, bytes)
        if (source === 'peer') this.#helpers.add(name)
      },
      onRefused: refusal => this.#enforcement.refuse(refusal),
      onPieces: (blob, pieceIndexes) => {
        for (const link of this.#directory.list()) link.notify(blob, pieceIndexes)
      },
      seekPeers: release => this.#discovery.seek(release),
    })
    this.#directory.onChange((change, link) => {
      parts.trace.note?.(`peer ${change}`, { peer: link.peerId })
    })
  }

  /** Peers that gave verified bytes and are not yet remembered. */
  readonly #helpers = new Set<string>()

  async start(): Promise<void> {
    const unlessBanned = (accept: (channel: Channel) => void) => (channel: Channel) => {
      if (this.#parts.bans.isBanned(channel.peerId)) channel.close()
      else accept(channel)
    }
    const relay = this.#relay
    await this.#parts.bulk?.start()
    await this.#parts.network.start({
      onBlobs: unlessBanned(channel => this.#directory.accept(channel)),
      onCatalog: relay && unlessBanned(channel => relay.accept(channel)),
      onNeighbour: peer => this.#discovery.noteNeighbour(peer),
      onTable: (peerId, table) => this.#discovery.noteTable(peerId, table),
    })
    this.#discovery.start()
    this.#saving = this.#saveRegularly()
    this.#parts.log.info('swarm started', { peerId: this.peerId, addresses: this.addresses() })
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the swarm is stopping'))
    await this.#fetches.stop()
    await this.#discovery.stop()
    await this.#saving
    await this.#directory.closeAll()
    this.#relay?.closeAll()
    await Promise.all([this.#parts.network.stop(), this.#parts.bulk?.stop()])
    await Promise.all(this.#origins.map(origin => origin.close()))
    const { totals, bans, remembered, given, history, trace } = this.#parts
    totals.save()
    given.save()
    await Promise.all([totals, bans, remembered, given, history].map(file => file.flush()))
    await trace[Symbol.asyncDispose]()
  }

  get relay(): CatalogRelay | undefined {
    return this.#relay
  }

  addresses(): readonly string[] {
    return this.#parts.network.addresses()
  }

  fetch(...[id, options]: Parameters<Swarm['fetch']>): Promise<VerifiedBlob> {
    return this.#fetches.fetch(id, options)
  }

  announce(releases: readonly Digest[]): void {
    this.#releases = releases
    const { serving } = this.#parts
    // Who comes because of a record must be served: a node that serves the house alone says nothing outside.
    const tables = TABLE_SCOPES.filter(scope => serving.termsFor(scope).serves)
    this.#discovery.announce(releases, tables)
  }

  setBootstrap(addresses: readonly string[]): void {
    this.#discovery.setBootstrap(addresses)
  }

  setLimits(words: Limits): void {
    this.#parts.serving.setWords(words)
  }

  given(digest: Digest): GivenBytes & { readonly peerCount: number } {
    const { given } = this.#parts
    return { ...given.of(digest), peerCount: given.peerCount(digest) }
  }

  explain(digest: Digest): Explanation | undefined {
    return this.#fetches.explain(digest)
  }

  status(): SwarmStatus {
    return {
      peerId: this.peerId,
      addresses: this.addresses(),
      peers: this.#directory.list().map(link => ({
        peerId: link.peerId,
        address: link.address,
        scope: link.scope,
        found: this.#discovery.howFound(link.peerId, link.openedByUs),
        receivedBytes: link.receivedBytes,
        receivedBulkBytes: link.receivedBulkBytes,
        servedBytes: link.servedBytes,
        terms: this.#parts.serving.termsFor(link.scope),
      })),
      serving: this.#parts.serving.status(),
      transfers: this.#fetches.list(),
      totals: this.#parts.totals.current(),
      bans: this.#parts.bans.list(),
      misbehaviour: this.#enforcement.list(),
    }
  }

  /** The rules changed: peers hear again what they may have, and holders are found by what is served. */
  #tellHoldings(): void {
    for (const link of this.#directory.list()) link.tellHoldings()
    this.announce(this.#releases)
  }

  async #saveRegularly(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#parts.clock.sleep(SAVE_INTERVAL_MS, signal).catch(() => {
        /* Stopped: the loop ends by its condition, after the last save. */
      })
      this.#parts.totals.save()
      this.#parts.given.save()
      if (this.#parts.serving.refresh()) this.#tellHoldings()
      await this.#rememberHelpers()
    }
  }

  async #rememberHelpers(): Promise<void> {
    for (const peerId of this.#helpers) {
      this.#helpers.delete(peerId)
      const addresses = await this.#parts.network.addressesOf(peerId)
      if (addresses.length > 0) this.#parts.remembered.note({ peerId, addresses })
    }
  }
}
