/** A few threads that do the jobs on pieces: started when there is work, ended when there is none. */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../../src/core/clock.ts'
import { messageOf } from '../../../src/core/errors.ts'
import type { Log } from '../../../src/core/log.ts'
import { StoreError } from '../../errors.ts'
import type { SharedPieceMemory } from '../../piece-memory.ts'
import type { Job, JobAnswer, JobResult, WorkerStart } from './job.ts'

/** Longer than the pauses within a download; a node that only serves has no threads. */
const IDLE_MS = 10_000
/** A worker keeps next to nothing in its heap: what it hashes lies in the shared memory. */
const HEAP_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 }

export interface PoolDeps {
  readonly memory: SharedPieceMemory
  readonly clock: Clock
  readonly log: Log
}

/** A job as its owner knows it. */
export type JobRequest = Job extends infer One ? (One extends Job ? Omit<One, 'id'> : never) : never

interface Member {
  readonly index: number
  readonly worker: Worker
  readonly jobs: Map<number, PromiseWithResolvers<JobResult>>
  failure: unknown
}

export class PiecePool implements AsyncDisposable {
  readonly #deps: PoolDeps
  readonly #workerCountMax: number
  readonly #entry: URL
  readonly #members = new Map<number, Member>()
  readonly #closing = new AbortController()
  #nextId = 0
  #watch: Promise<void> | undefined

  /** @param entry the worker's code; another one only in tests of what happens when it fails */
  constructor(
    deps: PoolDeps,
    workerCountMax: number,
    entry = new URL('worker.ts', import.meta.url),
  ) {
    this.#deps = deps
    this.#workerCountMax = workerCountMax
    this.#entry = entry
  }

  /** Threads that are up. */
  get workerCount(): number {
    return this.#members.size
  }

  /**
   * Runs a job in the thread with the least to do. The file and the span of memory must stay as they are until it settles.
   * @throws StoreError `PIECE_WORKER_FAILED` when the thread ended in the middle; the next job has a new one
   * @throws StoreError `STORE_CLOSED`
   */
  async run(job: JobRequest): Promise<JobResult> {
    if (this.#closing.signal.aborted) {
      throw new StoreError('STORE_CLOSED', 'the piece workers are closed')
    }
    const { worker, jobs } = this.#choose()
    const id = this.#nextId++
    const settled = Promise.withResolvers<JobResult>()
    jobs.set(id, settled)
    // The process must not end in the middle of a job.
    worker.ref()
    worker.postMessage({ ...job, id })
    return await settled.promise
  }

  /** Ends the threads after their jobs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    const open = [...this.#members.values()].flatMap(({ jobs }) => [...jobs.values()])
    await Promise.allSettled(open.map(({ promise }) => promise))
    await this.#watch
    await this.#endAll()
  }

  /** An idle worker, else a new one, else the one with the fewest jobs. */
  #choose(): Member {
    let best: Member | undefined
    for (const member of this.#members.values()) {
      if (best === undefined || member.jobs.size < best.jobs.size) best = member
    }
    const isCrowded = this.#members.size >= this.#workerCountMax
    if (best !== undefined && (best.jobs.size === 0 || isCrowded)) return best
    let index = 0
    while (this.#members.has(index)) index++
    return this.#start(index)
  }

  #start(index: number): Member {
    const { memory, offset } = this.#deps.memory.spaceOf(index)
    const workerData: WorkerStart = { memory, kernelOffset: offset }
    const worker = new Worker(this.#entry, {
      workerData,
      name: `pieces ${index}`,
      resourceLimits: HEAP_LIMITS,
    })
    const member: Member = { index, worker, jobs: new Map(), failure: undefined }
    worker.unref()
    worker.on('message', ({ id, result }: JobAnswer) => {
      member.jobs.get(id)?.resolve(result)
      member.jobs.delete(id)
      if (member.jobs.size === 0) worker.unref()
    })
    worker.on('error', error => {
      member.failure = error
    })
    // Only now has the thread stopped touching the memory and the files of its jobs.
    worker.on('exit', code => this.#drop(member, code))
    this.#members.set(index, member)
    this.#watch ??= this.#endWhenIdle()
    return member
  }

  #drop({ index, jobs, failure, worker }: Member, exitCode: number): void {
    if (this.#members.get(index)?.worker === worker) this.#members.delete(index)
    if (jobs.size === 0) return
    const why = failure === undefined ? `it exited with ${exitCode}` : messageOf(failure)
    this.#deps.log.error('piece worker failed', { problem: why, jobs: jobs.size })
    for (const { reject } of jobs.values()) {
      const options = { cause: failure }
      reject(new StoreError('PIECE_WORKER_FAILED', `a piece worker failed: ${why}`, options))
    }
    jobs.clear()
  }

  async #endAll(): Promise<void> {
    const ended = [...this.#members.values()]
    this.#members.clear()
    await Promise.all(ended.map(({ worker }) => worker.terminate()))
    if (this.#members.size === 0) this.#deps.memory.release()
  }

  async #endWhenIdle(): Promise<void> {
    const isBusy = () => [...this.#members.values()].some(({ jobs }) => jobs.size > 0)
    try {
      for (let seenId = -1; seenId !== this.#nextId || isBusy(); ) {
        seenId = this.#nextId
        await this.#deps.clock.sleep(IDLE_MS, this.#closing.signal)
      }
      this.#watch = undefined
      await this.#endAll()
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error
    }
  }
}
