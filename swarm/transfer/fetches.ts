/** The running fetches: one download per blob, however many callers wait for it. */
import type { VerifiedBlob } from '../../src/core/blob.ts'
import type { Digest } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { LogFields } from '../../src/core/log.ts'
import { SwarmError } from '../errors.ts'
import type { Explanation } from '../explanation.ts'
import { IN_FLIGHT_BYTES_MAX } from '../limits.ts'
import type { BlobId, BlobStore, BlobWriter } from '../ports.ts'
import type { TransferProgress, TransferStatus } from '../status.ts'
import { Download } from './download.ts'
import type { History } from './history.ts'
import type { DownloadDeps, MemoryBudget } from './sources.ts'
import { createTurns } from './turns.ts'

export interface FetchOptions {
  readonly release: Digest
  /** Blobs that this one probably grew out of. */
  readonly similar?: readonly Digest[]
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: TransferProgress) => void
}

type Inherited =
  | 'clock'
  | 'log'
  | 'peers'
  | 'origins'
  | 'random'
  | 'trace'
  | 'onVerified'
  | 'onRefused'
  | 'onPieces'

export interface FetchesDeps extends Pick<DownloadDeps, Inherited> {
  readonly store: BlobStore
  readonly history: History
  seekPeers(release: Digest): void
}

interface Running extends BlobId {
  readonly release: Digest
  readonly similar: readonly Digest[]
  readonly result: Promise<VerifiedBlob>
  readonly giveUp: AbortController
  readonly listeners: Set<(progress: TransferProgress) => void>
  waiterCount: number
  download: Download | undefined
  explain:
    | ((outcome: Explanation['outcome'], reason: string | undefined) => Explanation)
    | undefined
}

/** Sources whose speed is remembered; more are forgotten together, as they are only a first guess. */
const RATES_MAX = 1024

export class Fetches {
  readonly #deps: FetchesDeps
  readonly #running = new Map<Digest, Running>()
  readonly #budget = createMemoryBudget(IN_FLIGHT_BYTES_MAX)
  readonly #rates = new Map<string, number>()
  readonly #turns = createTurns()
  #stopped: SwarmError | undefined

  constructor(deps: FetchesDeps) {
    this.#deps = deps
  }

  async fetch(id: BlobId, options: FetchOptions): Promise<VerifiedBlob> {
    const { signal, onProgress } = options
    signal?.throwIfAborted()
    if (this.#stopped !== undefined) throw this.#stopped
    const held = this.#deps.store.verified(id.digest)
    if (held !== undefined) return held
    const running = await this.#join(id, options)
    if (onProgress !== undefined) running.listeners.add(onProgress)
    try {
      return await orAborted(running.result, signal)
    } finally {
      if (onProgress !== undefined) running.listeners.delete(onProgress)
      running.waiterCount -= 1
      if (running.waiterCount === 0) running.giveUp.abort(signal?.reason)
    }
  }

  list(): readonly TransferStatus[] {
    return [...this.#running.values()].flatMap(({ digest, sizeBytes, release, download }) =>
      download === undefined ? [] : [{ digest, sizeBytes, release, ...download.view() }],
    )
  }

  /** The running fetch of a blob, or the last one. */
  explain(digest: Digest): Explanation | undefined {
    const running = this.#running.get(digest)
    const now = running?.explain?.('running', undefined)
    return now ?? this.#deps.history.find(digest)
  }

  /** Ends every fetch with `SWARM_STOPPED` and resolves when each has closed its blob. */
  async stop(): Promise<void> {
    this.#stopped = new SwarmError('SWARM_STOPPED', 'the swarm is stopping')
    const running = [...this.#running.values()]
    for (const { giveUp } of running) giveUp.abort(this.#stopped)
    await Promise.allSettled(running.map(({ result }) => result))
  }

  /** The running download of the blob; one that everybody gave up ends first, because it has the blob open. */
  async #join(id: BlobId, options: FetchOptions): Promise<Running> {
    for (
      let old = this.#running.get(id.digest);
      old !== undefined;
      old = this.#running.get(id.digest)
    ) {
      if (!old.giveUp.signal.aborted) {
        old.waiterCount += 1
        return old
      }
      await Promise.allSettled([old.result])
    }
    return this.#begin(id, options)
  }

  #begin(id: BlobId, { release, similar = [] }: FetchOptions): Running {
    const giveUp = new AbortController()
    const result = Promise.withResolvers<VerifiedBlob>()
    const running: Running = {
      ...id,
      release,
      similar,
      result: result.promise,
      giveUp,
      listeners: new Set(),
      waiterCount: 1,
      download: undefined,
      explain: undefined,
    }
    this.#running.set(id.digest, running)
    /* Each caller gets the outcome through `fetch`; when all have given up, nobody is left to get it. */
    result.promise.catch(() => {})
    this.#run(running, giveUp.signal)
      .finally(() => this.#running.delete(id.digest))
      .then(result.resolve, result.reject)
    return running
  }

  async #run(running: Running, signal: AbortSignal): Promise<VerifiedBlob> {
    const { clock } = this.#deps
    const started = { startedMs: clock.nowMs(), fromMs: clock.monotonicMs() }
    const endTurn = await this.#turns.take(running.sizeBytes, signal)
    try {
      return await this.#fetch(running, { ...started, endTurn }, signal)
    } finally {
      endTurn()
      running.download = undefined
      this.#share()
    }
  }

  async #fetch(
    running: Running,
    { startedMs, fromMs, endTurn }: { startedMs: number; fromMs: number; endTurn: () => void },
    signal: AbortSignal,
  ): Promise<VerifiedBlob> {
    const { digest, sizeBytes, release } = running
    const { seekPeers, clock, history } = this.#deps
    if (this.#rates.size > RATES_MAX) this.#rates.clear()
    await using writer = await this.#deps.store.openWriter({ digest, sizeBytes })
    const { blob } = writer
    this.#tell('fetch started', { digest, sizeBytes, heldPieces: blob.heldPieceCount })
    const queuedMs = Math.round(clock.monotonicMs() - fromMs)
    const download = this.#createDownload(running, writer, endTurn)
    running.download = download
    running.explain = (outcome, reason) =>
      download.explain({ startedMs, queuedMs, outcome, reason })
    this.#share()
    seekPeers(release)
    try {
      await download.run(signal)
      const verified = await writer.finish()
      this.#deps.onPieces(blob, [])
      const { bytes, reusedBytes } = download.view()
      this.#tell('fetch finished', { digest, sizeBytes, ...bytes, reused: reusedBytes })
      history.add(running.explain('done', undefined))
      return verified
    } catch (error) {
      this.#tell('fetch ended early', { digest, reason: messageOf(error) })
      history.add(running.explain('ended', messageOf(error)))
      throw error
    }
  }

  #tell(message: string, fields: LogFields): void {
    this.#deps.log.info(message, fields)
    this.#deps.trace.note?.(message, fields)
  }

  #createDownload(running: Running, writer: BlobWriter, onStuck: () => void): Download {
    const deps: DownloadDeps = {
      ...this.#deps,
      ...{ budget: this.#budget, rates: this.#rates, similar: running.similar, onStuck },
      memory: this.#deps.store.memory,
      seekPeers: () => this.#deps.seekPeers(running.release),
      onPieces: (held, pieceIndexes) => {
        this.#deps.onPieces(held, pieceIndexes)
        tellProgress(running)
      },
    }
    return new Download(deps, writer)
  }

  /** All running downloads share what each peer accepts at once. */
  #share(): void {
    const downloads = [...this.#running.values()].flatMap(({ download }) => download ?? [])
    for (const download of downloads) download.shareWith(downloads.length)
  }
}

function tellProgress({ digest, sizeBytes, download, listeners }: Running): void {
  const progress = { digest, sizeBytes, heldBytes: download?.view().heldBytes ?? 0 }
  for (const listener of listeners) listener(progress)
}

function createMemoryBudget(totalBytes: number): MemoryBudget {
  let leftBytes = totalBytes
  return {
    leftBytes: () => leftBytes,
    take(bytes) {
      leftBytes -= bytes
    },
    give(bytes) {
      leftBytes += bytes
    },
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    work.finally(() => signal.removeEventListener('abort', stop)).then(resolve, reject)
  })
}
