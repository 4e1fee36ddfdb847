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
import type { Channel } from '../../swarm/network.ts'
import type { Origin } from '../../swarm/origin/origin.ts'
import { Directory } from '../../swarm/peers/directory.ts'
import { createFairQueue } from '../../swarm/peers/fair-queue.ts'
import { createSendBuffers } from '../../swarm/peers/send-buffers.ts'
import type { BytesBySource } from '../../swarm/ports.ts'
import { createGiven } from '../../swarm/serving/given.ts'
import { Serving } from '../../swarm/serving/serving.ts'
import { Fetches } from '../../swarm/transfer/fetches.ts'
import type { Refusal } from '../../swarm/transfer/sources.ts'
import { CALM, TEST_SERVING } from '../support/swarm/serving.ts'
import { createModelStore, type ModelBlob, type ModelStore } from './blob.ts'
import type { Host } from './wires.ts'

export interface ModelNode {
  readonly name: string
  readonly host: Host
  readonly store: ModelStore
  readonly received: { -readonly [S in keyof BytesBySource]: number }
  /** Peers that gave wrong bytes, by name. */
  readonly banned: ReadonlySet<string>
  peerNames(): readonly string[]
  accept(channel: Channel): void
  /** Resolves when every piece is held. */
  fetch(signal: AbortSignal): Promise<VerifiedBlob>
  closeAll(): void
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
}

export function createModelNode(deps: Deps, settings: NodeSettings): ModelNode {
  const { clock, blob, host } = deps
  const store = createModelStore(blob, settings.heldPieces)
  const received = { peer: 0, origin: 0 }
  const banned = new Set<string>()
  const linkDeps = {
    store,
    clock,
    log: silentLog,
    mayServe: () => true,
    serving: new Serving(
      { clock, log: silentLog, given: createGiven(), surroundings: () => CALM },
      TEST_SERVING,
      { upload: settings.uploadBytesPerSecond ?? null },
    ),
    queue: createFairQueue({
      perPeerBytes: SERVE_BYTES_PER_PEER_MAX,
      totalBytes: SERVE_BYTES_TOTAL_MAX,
    }),
    /* Thousands of nodes share a machine here: none keeps memory for later. */
    buffers: createSendBuffers(SERVE_CHUNK_BYTES, 0),
  }
  const directory = new Directory(linkDeps, host.name)
  const fetches = new Fetches({
    store,
    clock,
    log: silentLog,
    random: deps.random,
    peers: directory,
    origins: deps.origins,
    onVerified(source, _name, bytes) {
      received[source] += bytes
    },
    onRefused(refusal) {
      deps.onRefused(refusal)
      if (refusal.source !== 'peer') return
      banned.add(refusal.name)
      for (const link of directory.list()) if (link.peerId === refusal.name) link.close()
    },
    onPieces(held, pieceIndexes) {
      for (const link of directory.list()) link.notify(held, pieceIndexes)
    },
    seekPeers: () => deps.seekPeers(),
  })
  return {
    name: host.name,
    host,
    store,
    received,
    banned,
    peerNames: () => directory.list().map(link => link.peerId),
    accept(channel) {
      if (banned.has(channel.peerId)) channel.close()
      else directory.accept(channel)
    },
    fetch: signal =>
      fetches.fetch(
        { digest: blob.digest, sizeBytes: blob.sizeBytes },
        { release: blob.digest, signal },
      ),
    closeAll: () => directory.closeAll(),
  }
}

/** What a node holds at the start. */
export function piecesFrom(blob: ModelBlob, held: 'all' | 'none' | Iterable<number>): Bitfield {
  if (held === 'all') return Bitfield.full(blob.pieceCount)
  const field = new Bitfield(blob.pieceCount)
  if (held !== 'none') for (const pieceIndex of held) field.add(pieceIndex)
  return field
}
