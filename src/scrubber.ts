/** Reads stored blobs again at a limited rate, and brings what is damaged back from the swarm. */
import { type BlobId, type BlobStore, createTokenBucket, type Swarm } from '../swarm/index.ts'
import type { Clock } from './core/clock.ts'
import type { Digest } from './core/digest.ts'
import { messageOf, NodeError } from './core/errors.ts'
import type { Log } from './core/log.ts'
import type { DamagedBlobs } from './damaged-blobs.ts'
import { createIdleTimer } from './idle-timer.ts'

export class ScrubError extends NodeError<'VERIFY_RUNNING' | 'BLOB_ABSENT'> {}

/** A fetch of damaged pieces that brings nothing for this long is given up for now. */
const HEAL_IDLE_MS = 30_000

export interface DamagedBlob {
  readonly digest: Digest
  readonly pieces: readonly number[]
  readonly state: 'healing' | 'healed' | 'missing'
  /** Why its pieces are still missing. */
  readonly reason?: string
}

/** How far a verification is, or what came of it. */
export interface Verification {
  readonly state: 'running' | 'done' | 'cancelled' | 'failed'
  /** Begun by the node itself: it gives way to one that its owner begins. */
  readonly isBackground: boolean
  readonly blobCount: number
  readonly doneCount: number
  readonly sizeBytes: number
  readonly checkedBytes: number
  readonly damaged: readonly DamagedBlob[]
  /** Being filled, or gone since it began. */
  readonly skipped: readonly Digest[]
  readonly reason?: string
}

export interface VerifyRequest {
  /** Left out: all. */
  readonly digests?: readonly Digest[] | undefined
  readonly bytesPerSecond: number
}

export interface Scrubber extends AsyncDisposable {
  /** Begins and returns. @throws ScrubError `VERIFY_RUNNING`, `BLOB_ABSENT` */
  start(request: VerifyRequest): Promise<Verification>
  /** The same for the node itself, to its end; `onDone` after each blob. Does nothing while another one runs. */
  runBehind(
    digests: readonly Digest[],
    bytesPerSecond: number,
    onDone: (digest: Digest) => Promise<void>,
  ): Promise<void>
  /** Tries again to heal what could not be healed before. */
  healAgain(): Promise<void>
  /** The one that was begun last. */
  current(): Verification | undefined
  cancel(): Promise<void>
}

interface Deps {
  readonly store: Pick<BlobStore, 'list' | 'held' | 'scrub' | 'lease'>
  readonly swarm: Pick<Swarm, 'fetch'>
  readonly clock: Clock
  readonly log: Log
  readonly damagedBlobs: DamagedBlobs
  /** Under which holders of the blob are found. */
  releaseOf(digest: Digest): Digest
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
interface Job extends Writable<Omit<Verification, 'damaged' | 'skipped'>> {
  readonly damaged: Map<Digest, DamagedBlob>
  readonly skipped: Digest[]
  readonly abort: AbortController
}

export function createScrubber(deps: Deps): Scrubber {
  return new BlobScrubber(deps)
}

class BlobScrubber implements Scrubber {
  readonly #deps: Deps
  readonly #closing = new AbortController()
  #job: Job | undefined
  #running: Promise<void> = Promise.resolve()
  #healing: Promise<void> | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async start({ digests, bytesPerSecond }: VerifyRequest): Promise<Verification> {
    if (this.#job?.isBackground) await this.cancel()
    if (this.#job?.state === 'running') {
      const { doneCount, blobCount } = this.#job
      const message = `a verification is running: ${doneCount} of ${blobCount} blobs are done`
      throw new ScrubError('VERIFY_RUNNING', message)
    }
    const blobs = digests?.map(digest => this.#heldOrThrow(digest)) ?? this.#deps.store.list()
    return viewOf(this.#begin(blobs, bytesPerSecond, false, async () => {}))
  }

  async runBehind(...[digests, bytesPerSecond, onDone]: Parameters<Scrubber['runBehind']>) {
    if (this.#job?.state === 'running') return
    const blobs = digests.flatMap(digest => this.#deps.store.held(digest) ?? [])
    this.#begin(blobs, bytesPerSecond, true, onDone)
    await this.#running
  }

  async healAgain(): Promise<void> {
    this.#healing ??= this.#healAll().finally(() => {
      this.#healing = undefined
    })
    await this.#healing
  }

  current(): Verification | undefined {
    return this.#job && viewOf(this.#job)
  }

  async cancel(): Promise<void> {
    this.#job?.abort.abort(new Error('the verification was cancelled'))
    await this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the node stops'))
    await this.cancel()
    await this.#healing
  }

  #heldOrThrow(digest: Digest): BlobId {
    const held = this.#deps.store.held(digest)
    if (held !== undefined) return held
    const message = `this node does not hold ${digest}; "archy blob list" shows what it holds`
    throw new ScrubError('BLOB_ABSENT', message)
  }

  #begin(
    blobs: readonly BlobId[],
    bytesPerSecond: number,
    isBackground: boolean,
    onDone: (digest: Digest) => Promise<void>,
  ): Job {
    const job: Job = {
      state: 'running',
      isBackground,
      blobCount: blobs.length,
      doneCount: 0,
      sizeBytes: blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0),
      checkedBytes: 0,
      damaged: new Map(),
      skipped: [],
      abort: new AbortController(),
    }
    this.#job = job
    this.#running = this.#run(job, blobs, bytesPerSecond, onDone)
    return job
  }

  /** Never rejects: what goes wrong is in the job. */
  async #run(
    job: Job,
    blobs: readonly BlobId[],
    bytesPerSecond: number,
    onDone: (digest: Digest) => Promise<void>,
  ): Promise<void> {
    const { store, clock, log } = this.#deps
    const { signal } = job.abort
    const bucket = createTokenBucket(clock, bytesPerSecond)
    const throttle = (bytes: number): Promise<void> => bucket.take(bytes, signal)
    try {
      for (const { digest } of blobs) {
        const beforeBytes = job.checkedBytes
        const onProgress = (bytes: number): void => {
          job.checkedBytes = beforeBytes + bytes
        }
        const result = await store.scrub(digest, { throttle, signal, onProgress })
        if (result === undefined) job.skipped.push(digest)
        else if (result.damaged.length > 0) await this.#mend(job, result.id, result.damaged)
        job.doneCount += 1
        await onDone(digest)
      }
      job.state = 'done'
    } catch (error) {
      job.state = signal.aborted ? 'cancelled' : 'failed'
      job.reason = messageOf(error)
      if (!signal.aborted) log.error('verification failed', { reason: job.reason })
    }
  }

  async #mend(job: Job, id: BlobId, pieces: readonly number[]): Promise<void> {
    const { digest } = id
    job.damaged.set(digest, { digest, pieces, state: 'healing' })
    // Before it is tried: whatever comes between, it is tried again.
    await this.#deps.damagedBlobs.add(id)
    const reason = await this.#heal(id, job.abort.signal)
    const outcome =
      reason === undefined ? { state: 'healed' as const } : { state: 'missing' as const, reason }
    job.damaged.set(digest, { digest, pieces, ...outcome })
  }

  async #healAll(): Promise<void> {
    const { damagedBlobs } = this.#deps
    for (const id of damagedBlobs.list()) {
      if (this.#closing.signal.aborted) return
      if ((await this.#heal(id, this.#closing.signal)) !== undefined) await damagedBlobs.add(id)
    }
  }

  /** @returns why it was not possible; `undefined` when the blob is whole again. @throws the signal's reason */
  async #heal(id: BlobId, signal: AbortSignal): Promise<string | undefined> {
    const { store, swarm, clock, log, damagedBlobs, releaseOf } = this.#deps
    const { digest } = id
    using idle = createIdleTimer(clock, HEAL_IDLE_MS, 'nobody gave a piece of it')
    using _lease = store.lease([digest])
    try {
      await swarm.fetch(id, {
        release: releaseOf(digest),
        signal: AbortSignal.any([signal, this.#closing.signal, idle.signal]),
        onProgress: () => idle.reset(),
      })
    } catch (error) {
      signal.throwIfAborted()
      log.error('damaged blob not healed', { digest, reason: messageOf(error) })
      return messageOf(error)
    }
    log.info('damaged blob healed', { digest })
    await damagedBlobs.remove(id)
    return undefined
  }
}

function viewOf({ damaged, skipped, abort: _, ...job }: Job): Verification {
  return { ...job, damaged: [...damaged.values()], skipped: [...skipped] }
}
