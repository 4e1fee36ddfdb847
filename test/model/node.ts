/** A node of the model: the real downloads, links, serving and limits over a store in memory and lines of the model. */
import type { VerifiedBlob } from '../../src/core/blob.ts'
import type { Clock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { Bitfield } from '../../swarm/bitfield.ts'
import {
  SERVE_BYTES_PER_PEER_MAX,
  SERVE_BYTES_TOTAL_MAX,
  SERVE_CHUNK_BYTES,
} from '../../swarm/limits.ts'
import type { Origin } from '../../swarm/origin/origin.ts'
import { createFairQueue } from '../../swarm/peers/fair-queue.ts'
import type { LinkDeps, PeerLink } from '../../swarm/peers/link.ts'
import {
  createSendBuffers,
  type SendBuffer,
  type SendBuffers,
} from '../../swarm/peers/send-buffers.ts'
import type { BytesBySource } from '../../swarm/ports.ts'
import { createGiven } from '../../swarm/serving/given.ts'
import { Serving } from '../../swarm/serving/serving.ts'
import { noTrace } from '../../swarm/trace.ts'
import { Fetches } from '../../swarm/transfer/fetches.ts'
import type { PeerDirectory, PeerSource, Refusal } from '../../swarm/transfer/sources.ts'
import { CALM, TEST_SERVING } from '../support/swarm/serving.ts'
import { createModelStore, type ModelBlob, type ModelStore } from './blob.ts'
import type { Host } from './wires.ts'

const EMPTY_BUFFER: SendBuffer = {
  frame: Buffer.alloc(0),
  bytes: Buffer.alloc(SERVE_CHUNK_BYTES),
}
const EMPTY_BUFFERS: SendBuffers = { take: () => EMPTY_BUFFER, give() {} }

export interface ModelNode {
  readonly name: string
  readonly host: Host
  readonly store: ModelStore
  readonly received: { -readonly [S in keyof BytesBySource]: number }
  /** Peers that gave wrong bytes, by name. */
  readonly banned: ReadonlySet<string>
  peerNames(): readonly string[]
  /** A new link that is ready: the peer may be asked. */
  readonly linkDeps: LinkDeps
  readonly links: Links
  /** Resolves when every piece is held. */
  fetch(signal: AbortSignal): Promise<VerifiedBlob>
}

/** The peers of a node, whatever their links are made of. */
export interface Links extends PeerDirectory {
  list(): readonly (PeerSource & Pick<PeerLink, 'notify' | 'close'>)[]
}

interface Deps {
  readonly clock: Clock
  readonly random: () => number
  readonly blob: ModelBlob
  readonly host: Host
  readonly origins: readonly Origin[]
  /** Look for more peers. */
  seekPeers(): void
  onRefused(refusal: Refusal): void
}

export interface NodeSettings {
  readonly heldPieces: Bitfield
  readonly uploadBytesPerSecond?: number | undefined
  /** No byte of an answer is copied: its links do not carry any. */
  readonly isLean?: boolean
}

export function createModelNode(
  deps: Deps,
  settings: NodeSettings,
  makeLinks: (linkDeps: LinkDeps) => Links,
): ModelNode {
  const { clock, blob, host } = deps
  const isLean = settings.isLean ?? false
  const store = createModelStore(blob, settings.heldPieces, isLean)
  const received = { peer: 0, origin: 0 }
  const banned = new Set<string>()
  const linkDeps: LinkDeps = {
    store,
    clock,
    log: silentLog,
    mayServe: () => true,
    report: () => {},
    serving: new Serving(
      { clock, log: silentLog, given: createGiven(), surroundings: () => CALM },
      TEST_SERVING,
      { upload: settings.uploadBytesPerSecond ?? null },
    ),
    queue: createFairQueue({
      perPeerBytes: SERVE_BYTES_PER_PEER_MAX,
      totalBytes: SERVE_BYTES_TOTAL_MAX,
    }),
    /* None keeps memory for later: there are many nodes in this process. */
    buffers: isLean ? EMPTY_BUFFERS : createSendBuffers(SERVE_CHUNK_BYTES, 0),
  }
  const links = makeLinks(linkDeps)
  const fetches = new Fetches({
    store,
    clock,
    log: silentLog,
    trace: noTrace,
    random: deps.random,
    peers: links,
    origins: deps.origins,
    onVerified(source, _name, bytes) {
      received[source] += bytes
    },
    onRefused(refusal) {
      deps.onRefused(refusal)
      if (refusal.source !== 'peer') return
      banned.add(refusal.name)
      for (const link of links.list()) if (link.peerId === refusal.name) link.close()
    },
    onPieces(held, pieceIndexes) {
      for (const link of links.list()) link.notify(held, pieceIndexes)
    },
    /* Thousands of nodes: nobody asks any of them why. */
    history: { find: () => undefined, add() {}, flush: async () => {} },
    seekPeers: () => deps.seekPeers(),
  })
  return {
    name: host.name,
    host,
    store,
    received,
    banned,
    peerNames: () => links.list().map(link => link.peerId),
    linkDeps,
    links,
    fetch: signal =>
      fetches.fetch(
        { digest: blob.digest, sizeBytes: blob.sizeBytes },
        { release: blob.digest, signal },
      ),
  }
}

/** What a node holds at the start. */
export function piecesFrom(blob: ModelBlob, held: 'all' | 'none' | Iterable<number>): Bitfield {
  if (held === 'all') return Bitfield.full(blob.pieceCount)
  const field = new Bitfield(blob.pieceCount)
  if (held !== 'none') for (const pieceIndex of held) field.add(pieceIndex)
  return field
}
