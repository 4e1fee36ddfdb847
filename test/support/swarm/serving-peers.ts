/** The serving side of one node in memory, and peers that ask it over carriers of which a test decides how they take bytes. */
import type { Clock } from '../../../src/core/clock.ts'
import { type Log, silentLog } from '../../../src/core/log.ts'
import {
  SERVE_BUFFERS_KEPT,
  SERVE_BYTES_PER_PEER_MAX,
  SERVE_BYTES_TOTAL_MAX,
  SERVE_CHUNK_BYTES,
} from '../../../swarm/limits.ts'
import type { Carrier } from '../../../swarm/peers/carrier.ts'
import { createFairQueue } from '../../../swarm/peers/fair-queue.ts'
import { createSendBuffers } from '../../../swarm/peers/send-buffers.ts'
import { PeerServer, type ServerDeps } from '../../../swarm/peers/server.ts'
import type { Scope } from '../../../swarm/scope.ts'
import { createGiven } from '../../../swarm/serving/given.ts'
import { Serving } from '../../../swarm/serving/serving.ts'
import type { Message } from '../../../swarm/wire.ts'
import { createModelBlob, createModelStore } from '../../model/blob.ts'
import { piecesFrom } from '../../model/node.ts'
import { CALM, TEST_SERVING } from './serving.ts'

interface Settings {
  readonly clock: Clock
  readonly sizeBytes?: number
  readonly heldPieces?: 'all' | Iterable<number>
  readonly uploadBytesPerSecond?: number
  readonly limitLan?: boolean
  readonly log?: Log
}

export function createServingNode(settings: Settings) {
  const { clock, log = silentLog } = settings
  const blob = createModelBlob(settings.sizeBytes ?? 4 * 1024 * 1024, 1)
  const offences: (readonly [string, string])[] = []
  const deps: ServerDeps = {
    store: createModelStore(blob, piecesFrom(blob, settings.heldPieces ?? 'all'), false),
    clock,
    log,
    serving: new Serving(
      { clock, log, given: createGiven(), surroundings: () => CALM },
      { ...TEST_SERVING, limitLan: settings.limitLan ?? true },
      { upload: settings.uploadBytesPerSecond ?? null },
    ),
    queue: createFairQueue({
      perPeerBytes: SERVE_BYTES_PER_PEER_MAX,
      totalBytes: SERVE_BYTES_TOTAL_MAX,
    }),
    buffers: createSendBuffers(SERVE_CHUNK_BYTES, SERVE_BUFFERS_KEPT),
    report: (peerId, offence) => void offences.push([peerId, offence]),
    mayServe: digest => digest === blob.digest,
  }
  return {
    blob,
    /** `[peer, offence]`, in order. */
    offences,
    ...deps,
    connect: (peerId: string, settings?: PeerSettings) => new ServedPeer(deps, peerId, settings),
  }
}

interface PeerSettings {
  readonly scope?: Scope
  /** Resolves when the peer took the bytes; absent: at once. */
  take?(bytes: number): Promise<void>
}

export class ServedPeer {
  readonly server: PeerServer
  readonly carrier: Carrier
  /** Control messages that it got. */
  readonly messages: Message[] = []
  receivedBytes = 0
  isClosed = false

  constructor(deps: ServerDeps, peerId: string, { scope = 'wan', take }: PeerSettings = {}) {
    const post = (message: Message): void => void this.messages.push(message)
    this.server = new PeerServer(deps, { peerId, scope, post })
    this.carrier = {
      chunkBytes: SERVE_CHUNK_BYTES,
      dataBytes: 64 * 1024,
      post,
      sendData: async (_id, _offset, _buffer, _at, length) => {
        await take?.(length)
        this.receivedBytes += length
      },
      async flushed() {},
      pause() {},
      resume() {},
      close: () => {
        this.isClosed = true
        this.server.close()
      },
    }
  }

  get rejections(): readonly (Message & { kind: 'reject' })[] {
    return this.messages.filter(message => message.kind === 'reject')
  }
}
