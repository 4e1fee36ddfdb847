/** The blobs that are being filled: one filling per blob, however many writers share it. */
import { pieceCountOf } from '../../src/core/blake3/index.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { Log } from '../../src/core/log.ts'
import { StoreError } from '../errors.ts'
import type { BlobId, BlobWriter } from '../ports.ts'
import type { Admission } from './admission.ts'
import { createPieceSet } from './bitfield.ts'
import { type Filling, openFilling } from './filling.ts'
import { blobPathsOf } from './paths.ts'
import type { PieceWork } from './piece-work/piece-work.ts'
import { BlobRecord } from './record.ts'
import { loadBlob } from './recover.ts'

interface Deps {
  readonly blobsFolder: string
  readonly clock: Clock
  readonly log: Log
  readonly work: PieceWork
  readonly records: Map<Digest, BlobRecord>
  readonly admission: Admission
  /** Runs a task while nothing else is done to the files of the blob. */
  exclusively<Result>(digest: Digest, task: () => Promise<Result>): Promise<Result>
  /** @throws StoreError `STORE_CLOSED` */
  checkOpen(): void
  deleteFiles(digest: Digest): Promise<void>
}

interface Shared {
  readonly record: BlobRecord
  readonly filling: Filling
  readonly admitted: Disposable
  userCount: number
}

export class Fillings {
  readonly #deps: Deps
  readonly #shared = new Map<Digest, Shared>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  has(digest: Digest): boolean {
    return this.#shared.has(digest)
  }

  /** Within the caller's `exclusively`. */
  async open(id: BlobId): Promise<BlobWriter> {
    this.#deps.checkOpen()
    const record = await this.#recordFor(id)
    const running = this.#shared.get(id.digest)
    if (running !== undefined) {
      running.userCount++
      return this.#writerOf(running)
    }
    const shared = await this.#start(record)
    // Nobody has to send the one piece of no bytes.
    if (id.sizeBytes === 0) await shared.filling.writePiece(0, new Uint8Array())
    return this.#writerOf(shared)
  }

  /** Syncs and closes them all, also those that their users did not close. */
  async closeAll(): Promise<readonly PromiseSettledResult<void>[]> {
    const open = [...this.#shared.values()]
    return await Promise.allSettled(open.map(({ filling }) => filling[Symbol.asyncDispose]()))
  }

  async #recordFor(id: BlobId): Promise<BlobRecord> {
    const { blobsFolder, clock, records } = this.#deps
    const known = records.get(id.digest)
    if (known?.id.sizeBytes === id.sizeBytes) return known
    if (known !== undefined && (known.pieces.isFull || this.#shared.has(id.digest))) {
      throw new StoreError(
        'BLOB_SIZE_CONFLICT',
        `${id.digest} has ${known.id.sizeBytes} bytes, not ${id.sizeBytes}`,
      )
    }
    const paths = blobPathsOf(blobsFolder, id.digest)
    const loaded = await loadBlob(this.#deps, paths, id.digest, id.sizeBytes)
    const pieces = loaded?.pieces ?? createPieceSet(pieceCountOf(id.sizeBytes))
    return new BlobRecord(blobsFolder, id, pieces, clock.nowMs())
  }

  async #start(record: BlobRecord): Promise<Shared> {
    const { admission, records } = this.#deps
    const { id } = record
    const admitted = await admission.admit([id])
    try {
      const filling = await openFilling(this.#deps, record)
      const shared = { record, filling, admitted, userCount: 1 }
      records.set(id.digest, record)
      this.#shared.set(id.digest, shared)
      return shared
    } catch (error) {
      admitted[Symbol.dispose]()
      throw error
    }
  }

  #writerOf(shared: Shared): BlobWriter {
    const { record, filling } = shared
    let isOpen = true
    const inner = (): Filling => {
      this.#deps.checkOpen()
      if (isOpen) return filling
      throw new StoreError('STORE_CLOSED', `the writer of ${record.digest} is closed`)
    }
    return {
      blob: record.held,
      get hasPieceLayer() {
        return filling.hasPieceLayer
      },
      setPieceLayer: async layer => await inner().setPieceLayer(layer),
      writePiece: async (pieceIndex, bytes) => await inner().writePiece(pieceIndex, bytes),
      sync: async () => await inner().sync(),
      finish: async () => await inner().finish(),
      [Symbol.asyncDispose]: async () => {
        if (!isOpen) return
        isOpen = false
        await this.#deps.exclusively(record.digest, () => this.#release(shared))
      },
    }
  }

  /** The last user closes the file; a blob of which nothing came leaves nothing behind. */
  async #release(shared: Shared): Promise<void> {
    const { record, filling, admitted } = shared
    const { digest } = record
    if (--shared.userCount > 0) return
    this.#shared.delete(digest)
    admitted[Symbol.dispose]()
    await filling[Symbol.asyncDispose]()
    if (record.pieces.heldCount > 0) return
    this.#deps.records.delete(digest)
    await this.#deps.deleteFiles(digest)
  }
}
