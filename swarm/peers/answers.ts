/** The answers that one peer still gets: one chunk at a time, never more than it takes, and each one whole or rejected. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { REQUESTS_PER_PEER_MAX } from '../limits.ts'
import { malformed } from '../message-reader.ts'
import type { BlobStore } from '../ports.ts'
import type { Offence } from '../serving/conduct.ts'
import type { Receiver } from '../serving/given.ts'
import { Goodput } from '../serving/goodput.ts'
import { Pace } from '../serving/pace.ts'
import type { Serving } from '../serving/serving.ts'
import type { TokenBucket } from '../token-bucket.ts'
import type { RejectReason } from '../wire.ts'
import type { Carrier } from './carrier.ts'
import type { FairQueue } from './fair-queue.ts'
import type { SendBuffer, SendBuffers } from './send-buffers.ts'

export interface AnswerDeps {
  readonly clock: Clock
  readonly log: Log
  /** The rules on whom to serve, and the rate limits that follow. */
  readonly serving: Serving
  readonly queue: FairQueue
  /** The peer did something wrong; what follows may end its link. */
  report(peerId: string, offence: Offence): void
  readonly buffers: SendBuffers
  /** What is asked for stays on the disk until it was sent. */
  readonly store: Pick<BlobStore, 'lease'>
}

/** Under an upload limit a chunk is what flows in this time, so that bytes come evenly; but not smaller than that. */
const CHUNK_MS = 40
const CHUNK_BYTES_MIN = 4 * 1024

const RETRY_LIMIT_MS = 1_000
const RETRY_INTERNAL_MS = 10_000

export interface Job {
  readonly id: number
  readonly digest: Digest
  /** Where the question came from and the answer goes. */
  readonly via: Carrier
  readonly length: number
  /** Fills `into`. False when the bytes are not there. */
  read(offset: number, into: Uint8Array): Promise<boolean>
}

/** A job that waits or is served. */
interface Open extends Job {
  /** Rejected, or its carrier is gone: nothing of it is sent any more. */
  isOver: boolean
  /** Bytes of it were sent: it is ended, also when the turn of the peer is over. */
  isBegun: boolean
  readonly lease: Disposable
}

/** How a peer takes what is sent to it over one carrier. */
interface Taking {
  readonly pace: Pace
  readonly goodput: Goodput
}

/** What one carrier is doing: chunks go out one behind the other while the next is read. */
interface Line {
  readonly via: Carrier
  readonly signal: AbortSignal
  stop(): void
  /** Settles when the last chunk was taken. */
  tail: Promise<void>
  readonly taking: Taking
}

/** Made once: each line ends with it, many times a second. */
const NOT_NEEDED = new Error('the carrier is not needed any more')

export class AnswerQueue {
  readonly #deps: AnswerDeps
  readonly #peer: Receiver
  #isClosed = false
  readonly #jobs = new Set<Open>()
  readonly #lines = new Map<Carrier, Line>()
  readonly #taking = new WeakMap<Carrier, Taking>()
  #servedBytes = 0
  #endedRetryMs: number | undefined

  constructor(deps: AnswerDeps, peer: Receiver) {
    this.#deps = deps
    this.#peer = peer
  }

  get servedBytes(): number {
    return this.#servedBytes
  }

  /** @throws SwarmError `MESSAGE_MALFORMED` when an answer under the id is under way. */
  add(job: Job): void {
    if (this.#find(job) !== undefined) throw malformed(`a second request ${job.id}`)
    const isEnded = this.#endedRetryMs !== undefined
    if (isEnded || this.#jobs.size >= REQUESTS_PER_PEER_MAX) {
      reject(job.via, job.id, 'limit', this.#endedRetryMs ?? RETRY_LIMIT_MS)
      return
    }
    const lease = this.#deps.store.lease([job.digest])
    this.#jobs.add({ ...job, isOver: false, isBegun: false, lease })
    if (!this.#lines.has(job.via)) void this.#pump(job.via)
  }

  /** What was cancelled is answered as well, so that the peer knows when its place is free. */
  cancel(id: number, via: Carrier): void {
    const job = this.#find({ id, via })
    if (job !== undefined) this.#reject(job, 'limit')
  }

  /** Forgets what was asked on a carrier that is gone. */
  drop(via: Carrier): void {
    this.#lines.get(via)?.stop()
    for (const job of [...this.#jobs]) if (job.via === via) this.#remove(job)
  }

  /** Serves nothing any more: rejects what waits and whatever is still asked. Resolves when the peer has been told. */
  async endAll(retryAfterMs: number): Promise<void> {
    this.#endedRetryMs = retryAfterMs
    const carriers = new Set([...this.#jobs].map(({ via }) => via))
    for (const job of [...this.#jobs]) this.#reject(job, 'limit', retryAfterMs)
    await Promise.all([...carriers].map(via => via.flushed()))
  }

  /** The turn of the peer is over: what was begun is ended, the rest is rejected. */
  rejectWaiting(retryAfterMs: number): void {
    for (const job of [...this.#jobs]) {
      if (!job.isBegun) this.#reject(job, 'limit', retryAfterMs)
    }
  }

  close(): void {
    this.#deps.serving.leave(this.#peer.peerId)
    this.#isClosed = true
    for (const line of this.#lines.values()) line.stop()
    for (const job of [...this.#jobs]) this.#remove(job)
  }

  #find({ id, via }: Pick<Job, 'id' | 'via'>): Open | undefined {
    for (const job of this.#jobs) if (job.id === id && job.via === via) return job
    return undefined
  }

  #next(via: Carrier): Open | undefined {
    for (const job of this.#jobs) if (job.via === via) return job
    return undefined
  }

  #remove(job: Open): void {
    job.isOver = true
    this.#end(job)
  }

  #end(job: Open): void {
    this.#jobs.delete(job)
    job.lease[Symbol.dispose]()
  }

  #reject(job: Open, reason: RejectReason, retryAfterMs = 0): void {
    if (job.isOver) return
    this.#remove(job)
    reject(job.via, job.id, reason, retryAfterMs)
  }

  #takingOf(via: Carrier): Taking {
    const known = this.#taking.get(via) ?? { pace: new Pace(), goodput: new Goodput() }
    this.#taking.set(via, known)
    return known
  }

  /** Never rejects: what goes wrong is answered to the peer, or ends the carrier. */
  async #pump(via: Carrier): Promise<void> {
    const stop = new AbortController()
    const line: Line = {
      via,
      signal: stop.signal,
      stop: () => stop.abort(NOT_NEEDED),
      tail: Promise.resolve(),
      taking: this.#takingOf(via),
    }
    this.#lines.set(via, line)
    if (this.#isClosed) line.stop()
    void this.#watch(line)
    try {
      for (let job = this.#next(via); job !== undefined; job = this.#next(via)) {
        await this.#serve(job, line)
        this.#end(job)
        if (this.#next(via) === undefined) await line.tail
      }
      if (this.#jobs.size === 0) this.#deps.serving.rest(this.#peer.peerId)
    } catch (error) {
      if (!line.signal.aborted) this.#giveUp(via, messageOf(error))
    } finally {
      this.#lines.delete(via)
      line.stop()
    }
  }

  #giveUp(via: Carrier, reason: string): void {
    this.#deps.log.debug('peer stopped taking bytes', { peer: this.#peer.peerId, reason })
    via.close()
  }

  /** Closes a carrier that does not take what waits for it. */
  async #watch(line: Line): Promise<void> {
    const { clock } = this.#deps
    for (let leftMs = line.taking.goodput.patienceMs(clock.monotonicMs()); leftMs > 0; ) {
      try {
        await clock.sleep(leftMs, line.signal)
      } catch {
        return // Everything was served, or the carrier is gone.
      }
      leftMs = line.taking.goodput.patienceMs(clock.monotonicMs())
    }
    this.#cutOff(line)
  }

  async #serve(job: Open, line: Line): Promise<void> {
    const { queue, serving, buffers } = this.#deps
    const { peerId, scope } = this.#peer
    const upload = serving.uploadFor(scope)
    job.isBegun = true
    let length = 0
    for (let offset = 0; offset < job.length && !job.isOver; offset += length) {
      const chunkBytes = chunkBytesOf(
        Math.min(job.via.chunkBytes, line.taking.pace.chunkBytes),
        upload,
      )
      length = Math.min(chunkBytes, job.length - offset)
      await queue.acquire(peerId, length, line.signal)
      const buffer = buffers.take(length)
      const taken = length
      const giveBack = (): void => {
        buffers.give(buffer)
        queue.release(peerId, taken)
      }
      try {
        await this.#fill(job, offset, buffer.bytes.subarray(0, length))
        if (!job.isOver) await upload.take(length, line.signal)
        await line.tail
      } catch (error) {
        giveBack()
        throw error
      }
      line.tail = this.#send(job, offset, buffer, length, line).finally(giveBack)
      line.tail.catch(() => {
        // Awaited before the next chunk, or at the end of the line.
      })
    }
  }

  /** Ends the job with a rejection when its bytes are not there. */
  async #fill(job: Open, at: number, into: Uint8Array): Promise<void> {
    try {
      if (!(await job.read(at, into))) this.#reject(job, 'not-found')
    } catch (error) {
      const isAbsent = codeOf(error) === 'PIECE_ABSENT'
      if (!isAbsent) this.#deps.log.warn('blob cannot be read', { reason: messageOf(error) })
      this.#reject(job, isAbsent ? 'not-found' : 'internal', isAbsent ? 0 : RETRY_INTERNAL_MS)
    }
  }

  #cutOff({ via, signal, stop }: Line): void {
    if (signal.aborted) return
    stop()
    via.close()
    this.#deps.report(this.#peer.peerId, 'slow reader')
  }

  async #send(job: Open, offset: number, buffer: SendBuffer, length: number, line: Line) {
    const { clock, serving } = this.#deps
    const { via, digest } = job
    const startMs = clock.monotonicMs()
    for (let at = 0; at < length && !job.isOver; at += via.dataBytes) {
      const count = Math.min(via.dataBytes, length - at)
      line.taking.goodput.begin(count, clock.monotonicMs())
      await via.sendData(job.id, offset + at, buffer, at, count)
      line.taking.goodput.taken(clock.monotonicMs())
      if (line.taking.goodput.isSlow) this.#cutOff(line)
      this.#servedBytes += count
      serving.noteGiven(digest, this.#peer, count)
    }
    line.taking.pace.note(length, clock.monotonicMs() - startMs, via.chunkBytes)
  }
}

function chunkBytesOf(maxBytes: number, { bytesPerSecond }: TokenBucket): number {
  if (bytesPerSecond === undefined) return maxBytes
  const evenBytes = Math.floor((bytesPerSecond * CHUNK_MS) / 1000)
  return Math.min(maxBytes, Math.max(evenBytes, CHUNK_BYTES_MIN))
}

export function reject(via: Carrier, id: number, reason: RejectReason, retryAfterMs = 0): void {
  via.post({ kind: 'reject', id, reason, retryAfterMs })
}
