/** The running fetches: one download per blob, however many callers wait for it. */
import type { VerifiedBlob } from '../../src/core/blob.ts'
import type { Digest } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import { SwarmError } from '../errors.ts'
import { IN_FLIGHT_BYTES_MAX } from '../limits.ts'
import type { BlobId, BlobStore } from '../ports.ts'
import type { TransferProgress, TransferStatus } from '../status.ts'
import { Download } from './download.ts'
import type { DownloadDeps, MemoryBudget } from './sources.ts'

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
  | 'onVerified'
  | 'onRefused'
  | 'onPieces'

export interface FetchesDeps extends Pick<DownloadDeps, Inherited> {
  readonly store: BlobStore
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
}

/** Sources whose speed is remembered; more are forgotten together, as they are only a first guess. */
const RATES_MAX = 1024

export class Fetches {
  readonly #deps: FetchesDeps
  readonly #running = new Map<Digest, Running>()
  readonly #budget = createMemoryBudget(IN_FLIGHT_BYTES_MAX)
  readonly #rates = new Map<string, number>()
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
    const { digest, sizeBytes, release } = running
    const { log, seekPeers } = this.#deps
    if (this.#rates.size > RATES_MAX) this.#rates.clear()
    await using writer = await this.#deps.store.openWriter({ digest, sizeBytes })
    const { blob } = writer
    log.info('fetch started', { digest, sizeBytes, heldPieces: blob.heldPieceCount })
    const download = new Download(
      {
        ...this.#deps,
        budget: this.#budget,
        memory: this.#deps.store.memory,
        rates: this.#rates,
        similar: running.similar,
        seekPeers: () => seekPeers(release),
        onPieces: (held, pieceIndexes) => {
          this.#deps.onPieces(held, pieceIndexes)
          tellProgress(running)
        },
      },
      writer,
    )
    running.download = download
    seekPeers(release)
    try {
      await download.run(signal)
      const verified = await writer.finish()
      this.#deps.onPieces(blob, [])
      log.info('fetch finished', {
        digest,
        sizeBytes,
        ...download.view().bytes,
        reused: download.view().reusedBytes,
      })
      return verified
    } catch (error) {
      log.info('fetch ended early', { digest, reason: messageOf(error) })
      throw error
    }
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
