/** Answers the requests of one peer: only blobs that may be served, one chunk at a time, never more than it takes. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import {
  DATA_BYTES_MAX,
  REQUESTS_PER_PEER_MAX,
  SERVE_CHUNK_BYTES,
  SERVE_STALL_TIMEOUT_MS,
  SUBSCRIPTIONS_PER_PEER_MAX,
} from '../limits.ts'
import type { BlobStore, HeldBlob } from '../ports.ts'
import type { TokenBucket } from '../token-bucket.ts'
import type { Holding, Message, RejectReason } from '../wire.ts'
import type { FairQueue } from './fair-queue.ts'
import { holdingOf } from './holding.ts'

export interface ServerDeps {
  readonly store: BlobStore
  readonly clock: Clock
  readonly log: Log
  readonly upload: TokenBucket
  readonly queue: FairQueue
  mayServe(digest: Digest): boolean
}

interface Wire {
  readonly peerId: string
  /** Queues a control message. */
  post(message: Message): void
  /** Resolves when the peer's connection took it. */
  send(message: Message): Promise<void>
  close(): void
}

const LAYER_BYTES_PER_PIECE = 32

interface Job {
  readonly id: number
  readonly length: number
  /** `undefined` when the bytes are not there. */
  read(offset: number, length: number): Promise<Uint8Array | undefined>
}

export class PeerServer {
  readonly #deps: ServerDeps
  readonly #wire: Wire
  readonly #closing = new AbortController()
  readonly #jobs = new Map<number, Job>()
  readonly #subscriptions = new Set<Digest>()
  #servedBytes = 0
  #isPumping = false

  constructor(deps: ServerDeps, wire: Wire) {
    this.#deps = deps
    this.#wire = wire
  }

  get servedBytes(): number {
    return this.#servedBytes
  }

  handleWhoHas(digests: readonly Digest[]): void {
    for (const digest of digests) {
      subscribe(this.#subscriptions, digest)
      const blob = this.#servable(digest)
      const pieceCount = blob?.pieceCount ?? 0
      this.#wire.post({ kind: 'have', digest, pieceCount, holding: holdingOf(blob) })
    }
  }

  handleRequest({ id, digest, offset, length }: Message & { kind: 'request' }): void {
    const blob = this.#servable(digest)
    if (blob === undefined) {
      this.#reject(id, 'not-found')
      return
    }
    if (length === 0 || offset + length > blob.sizeBytes) {
      this.#reject(id, 'malformed')
      return
    }
    if (!holdsRange(blob, offset, length)) {
      this.#reject(id, 'not-found')
      return
    }
    const { store } = this.#deps
    this.#enqueue({ id, length, read: (at, count) => store.read(digest, offset + at, count) })
  }

  handleLayer({ id, digest }: Message & { kind: 'layer' }): void {
    const blob = this.#servable(digest)
    if (blob === undefined || blob.pieceCount < 2) {
      this.#reject(id, 'not-found')
      return
    }
    const { store } = this.#deps
    const read = async (at: number, count: number): Promise<Uint8Array | undefined> => {
      const bytes = (await store.pieceLayer(digest))?.subarray(at, at + count)
      return bytes?.byteLength === count ? bytes : undefined
    }
    this.#enqueue({ id, length: blob.pieceCount * LAYER_BYTES_PER_PIECE, read })
  }

  handleCancel(id: number): void {
    this.#jobs.delete(id)
  }

  /** Tells the peer about new pieces, when it asked about the blob. */
  notify(blob: HeldBlob, pieceIndexes: readonly number[]): void {
    const { digest, pieceCount } = blob
    if (!this.#subscriptions.has(digest) || !this.#deps.mayServe(digest)) return
    const holding: Holding = blob.isComplete
      ? { kind: 'all' }
      : { kind: 'pieces', indexes: pieceIndexes }
    this.#wire.post({ kind: 'have', digest, pieceCount, holding })
  }

  close(): void {
    this.#closing.abort(new Error('the connection is closed'))
    this.#jobs.clear()
  }

  /** What may not be served looks the same to a peer as what is not there. */
  #servable(digest: Digest): HeldBlob | undefined {
    return this.#deps.mayServe(digest) ? this.#deps.store.held(digest) : undefined
  }

  #reject(id: number, reason: RejectReason, retryAfterMs = 0): void {
    this.#wire.post({ kind: 'reject', id, reason, retryAfterMs })
  }

  #enqueue(job: Job): void {
    if (this.#jobs.size >= REQUESTS_PER_PEER_MAX) {
      this.#reject(job.id, 'limit', 1_000)
      return
    }
    this.#jobs.set(job.id, job)
    if (!this.#isPumping) void this.#pump()
  }

  /** Never rejects: what goes wrong is answered to the peer, or ends the connection. */
  async #pump(): Promise<void> {
    this.#isPumping = true
    try {
      for (let job = first(this.#jobs); job !== undefined; job = first(this.#jobs)) {
        await this.#serve(job)
        this.#jobs.delete(job.id)
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return
      const peer = this.#wire.peerId
      this.#deps.log.debug('peer stopped taking bytes', { peer, reason: messageOf(error) })
      this.#wire.close()
    } finally {
      this.#isPumping = false
    }
  }

  async #serve(job: Job): Promise<void> {
    const { queue } = this.#deps
    for (let offset = 0; offset < job.length && this.#jobs.has(job.id); ) {
      const length = Math.min(SERVE_CHUNK_BYTES, job.length - offset)
      await queue.acquire(this.#wire.peerId, length, this.#closing.signal)
      try {
        const chunk = await this.#readOrReject(job, offset, length)
        if (chunk === undefined) return
        await this.#sendChunk(job, offset, chunk)
      } finally {
        queue.release(this.#wire.peerId, length)
      }
      offset += length
    }
  }

  async #readOrReject(job: Job, at: number, count: number): Promise<Uint8Array | undefined> {
    try {
      const bytes = await job.read(at, count)
      if (bytes === undefined) this.#reject(job.id, 'not-found')
      return bytes
    } catch (error) {
      const isAbsent = codeOf(error) === 'PIECE_ABSENT'
      if (!isAbsent) this.#deps.log.warn('blob cannot be read', { reason: messageOf(error) })
      this.#reject(job.id, isAbsent ? 'not-found' : 'internal', isAbsent ? 0 : 10_000)
      return undefined
    }
  }

  async #sendChunk(job: Job, base: number, chunk: Uint8Array): Promise<void> {
    const { upload, clock } = this.#deps
    for (let at = 0; at < chunk.byteLength && this.#jobs.has(job.id); at += DATA_BYTES_MAX) {
      const bytes = chunk.subarray(at, at + DATA_BYTES_MAX)
      await upload.take(bytes.byteLength, this.#closing.signal)
      const sent = this.#wire.send({ kind: 'data', id: job.id, offset: base + at, bytes })
      await withDeadline(clock, sent)
      this.#servedBytes += bytes.byteLength
    }
  }
}

function first(jobs: ReadonlyMap<number, Job>): Job | undefined {
  return jobs.values().next().value
}

function subscribe(subscriptions: Set<Digest>, digest: Digest): void {
  subscriptions.delete(digest)
  subscriptions.add(digest)
  if (subscriptions.size <= SUBSCRIPTIONS_PER_PEER_MAX) return
  for (const oldest of subscriptions) {
    subscriptions.delete(oldest)
    return
  }
}

function holdsRange(blob: HeldBlob, offset: number, length: number): boolean {
  const last = Math.floor((offset + length - 1) / blob.pieceSizeBytes)
  for (let index = Math.floor(offset / blob.pieceSizeBytes); index <= last; index += 1) {
    if (!blob.hasPiece(index)) return false
  }
  return true
}

async function withDeadline(clock: Clock, work: Promise<void>): Promise<void> {
  const timer = new AbortController()
  const late = clock.sleep(SERVE_STALL_TIMEOUT_MS, timer.signal).then(
    () => {
      throw new Error('the peer took no bytes in time')
    },
    () => {
      /* The work was done first. */
    },
  )
  try {
    await Promise.race([work, late])
  } finally {
    timer.abort()
  }
}
