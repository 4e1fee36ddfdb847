/** The blob store on disk: who may fill a blob, and what may be read of it. */
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import {
  createPieceLayerBuilder,
  type PieceVerifier,
  pieceCountOf,
} from '../../src/core/blake3/index.ts'
import type { VerifiedBlob } from '../../src/core/blob.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { StoreError } from '../errors.ts'
import type { BlobId, BlobStore, BlobWriter, HeldBlob } from '../ports.ts'
import { createPieceSet } from './bitfield.ts'
import { deleteBlobFiles, loadPieceLayer, readFully } from './blob-files.ts'
import { checkDiskSpace } from './disk-space.ts'
import { type Filling, openFilling } from './filling.ts'
import type { IndexEntry, StoreIndex } from './index-db.ts'
import { createKeyedLock } from './keyed-lock.ts'
import { META_VALUE_BYTES_MAX, READ_HANDLE_COUNT_MAX } from './limits.ts'
import { blobPathsOf } from './paths.ts'
import { createReadHandles } from './read-handles.ts'
import { type BlobRecord, createRecord, remainingBytesOf, verifiedBlobOf } from './record.ts'
import { hashWhole, loadBlob, piecesOf } from './recover.ts'

export interface StoreOptions {
  /** Downloads must leave this much of the disk free. */
  readonly minFreeBytes: number
}

export interface DiskStoreDeps {
  readonly blobsFolder: string
  readonly index: StoreIndex
  readonly clock: Clock
  readonly log: Log
  readonly verifier: PieceVerifier
  /** What the files hold; the store owns the map from now on. */
  readonly records: Map<Digest, BlobRecord>
}

export class DiskBlobStore implements BlobStore {
  readonly #deps: DiskStoreDeps
  readonly #options: StoreOptions
  readonly #records: Map<Digest, BlobRecord>
  readonly #fillings = new Map<Digest, { readonly filling: Filling; userCount: number }>()
  /** Blobs whose missing bytes the disk must still take. */
  readonly #promised = new Set<BlobRecord>()
  readonly #locks = createKeyedLock()
  readonly #handles = createReadHandles(READ_HANDLE_COUNT_MAX)
  #isClosed = false

  constructor(deps: DiskStoreDeps, options: StoreOptions) {
    this.#deps = deps
    this.#options = options
    this.#records = deps.records
  }

  list(): readonly HeldBlob[] {
    return [...this.#records.values()]
      .map(record => record.held)
      .filter(({ heldPieceCount }) => heldPieceCount > 0)
  }

  held(digest: Digest): HeldBlob | undefined {
    const held = this.#records.get(digest)?.held
    return held !== undefined && held.heldPieceCount > 0 ? held : undefined
  }

  verified(digest: Digest): VerifiedBlob | undefined {
    const record = this.#records.get(digest)
    if (record === undefined || !record.isDurable) return undefined
    if (record.verified === undefined && !this.#isWhole(record)) return undefined
    record.lastUsedMs = this.#deps.clock.nowMs()
    return verifiedBlobOf(record)
  }

  async openWriter(id: BlobId): Promise<BlobWriter> {
    return await this.#locks.run(id.digest, async () => {
      this.#checkOpen()
      const shared = this.#fillings.get(id.digest)
      const record = await this.#recordFor(id)
      if (shared !== undefined) {
        shared.userCount++
        return this.#writerOf(record, shared.filling)
      }
      const filling = await this.#startFilling(record)
      // Nobody has to send the one piece of no bytes.
      if (id.sizeBytes === 0) await filling.writePiece(0, new Uint8Array())
      return this.#writerOf(record, filling)
    })
  }

  async read(digest: Digest, offset: number, length: number): Promise<Uint8Array> {
    this.#checkOpen()
    const record = this.#records.get(digest)
    if (record === undefined || !holdsRange(record, offset, length)) {
      throw new StoreError('PIECE_ABSENT', `${digest} is not held at ${offset}+${length}`)
    }
    record.lastUsedMs = this.#deps.clock.nowMs()
    const bytes = new Uint8Array(length)
    const readBytes = await this.#handles
      .use(record.paths.data, handle => readFully(handle, bytes, offset))
      .catch(error => {
        if (codeOf(error) === 'ENOENT') return 0
        throw error
      })
    if (readBytes === length) return bytes
    this.#forgetDamaged(record)
    throw new StoreError('BLOB_DAMAGED', `${record.paths.data} ends before ${offset}+${length}`)
  }

  async pieceLayer(digest: Digest): Promise<Uint8Array | undefined> {
    const record = this.#records.get(digest)
    if (record === undefined || record.pieces.pieceCount === 1) return undefined
    const layer = await loadPieceLayer(record.paths, record.id)
    if (layer !== undefined || !record.isDurable) return layer
    return await this.#locks.run(digest, async () => {
      this.#deps.log.warn('piece layer damaged, making it again', { digest })
      await using handle = await open(record.paths.data, 'r')
      const pieces = await hashWhole(handle, record.paths, record.id)
      return pieces.isFull ? await loadPieceLayer(record.paths, record.id) : undefined
    })
  }

  async importFile(id: BlobId, path: string): Promise<VerifiedBlob> {
    const known = this.verified(id.digest)
    if (known?.sizeBytes === id.sizeBytes) return known
    const mismatch = () => new StoreError('BLOB_MISMATCH', `${path} is not ${id.digest}`)
    await using source = await open(path, 'r')
    if ((await source.stat()).size !== id.sizeBytes) throw mismatch()
    const builder = createPieceLayerBuilder(id.sizeBytes)
    for await (const { bytes } of piecesOf(source, id.sizeBytes)) builder.update(bytes)
    const { digest, layer } = builder.finish()
    if (digest !== id.digest) throw mismatch()

    await using writer = await this.openWriter(id)
    if (layer !== undefined) await writer.setPieceLayer(layer)
    for await (const { pieceIndex, bytes } of piecesOf(source, id.sizeBytes)) {
      if ((await writer.writePiece(pieceIndex, bytes)) === 'mismatch') throw mismatch()
    }
    return await writer.finish()
  }

  async remove(digest: Digest): Promise<void> {
    await this.#locks.run(digest, async () => {
      this.#checkOpen()
      if (this.#fillings.has(digest)) {
        throw new StoreError('BLOB_IN_USE', `${digest} is being filled and cannot be deleted`)
      }
      this.#records.delete(digest)
      await this.#deleteFiles(digest)
    })
  }

  async getMeta(key: string): Promise<string | undefined> {
    return await this.#deps.index.getMeta(key)
  }

  async setMeta(key: string, value: string): Promise<void> {
    if (Buffer.byteLength(value) > META_VALUE_BYTES_MAX) {
      throw new StoreError('META_TOO_LARGE', `meta ${key} exceeds ${META_VALUE_BYTES_MAX} bytes`)
    }
    await this.#deps.index.setMeta(key, value)
  }

  /** Syncs and closes what is still open, also writers that their users did not close. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#locks.idle()
    const open = [...this.#fillings.values()].map(({ filling }) => filling[Symbol.asyncDispose]())
    const closed = await Promise.allSettled(open)
    await this.#handles[Symbol.asyncDispose]()
    const entries = [...this.#records].map(([digest, record]): [Digest, IndexEntry] => [
      digest,
      {
        sizeBytes: record.id.sizeBytes,
        isComplete: record.isDurable,
        lastUsedMs: record.lastUsedMs,
      },
    ])
    await this.#deps.index.close(new Map(entries))
    for (const outcome of closed) if (outcome.status === 'rejected') throw outcome.reason
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreError('STORE_CLOSED', 'the blob store is closed')
  }

  /** The file was there when its bitfield was written; a person may have touched it since. */
  #isWhole(record: BlobRecord): boolean {
    const found = statSync(record.paths.data, { throwIfNoEntry: false })
    if (found?.size === record.id.sizeBytes) return true
    this.#forgetDamaged(record)
    return false
  }

  /** The next `openWriter` then finds out from the files what is left. */
  #forgetDamaged({ id, paths }: BlobRecord): void {
    this.#deps.log.error('blob file changed on disk', { path: paths.data })
    if (!this.#fillings.has(id.digest)) this.#records.delete(id.digest)
  }

  async #recordFor(id: BlobId): Promise<BlobRecord> {
    const known = this.#records.get(id.digest)
    if (known?.id.sizeBytes === id.sizeBytes) return known
    if (known !== undefined && (known.pieces.isFull || this.#fillings.has(id.digest))) {
      throw new StoreError(
        'BLOB_SIZE_CONFLICT',
        `${id.digest} has ${known.id.sizeBytes} bytes, not ${id.sizeBytes}`,
      )
    }
    const paths = blobPathsOf(this.#deps.blobsFolder, id.digest)
    const loaded = await loadBlob(this.#deps, paths, id.digest, id.sizeBytes)
    const pieces = loaded?.pieces ?? createPieceSet(pieceCountOf(id.sizeBytes))
    return createRecord(id, paths, pieces, this.#deps.clock.nowMs())
  }

  async #startFilling(record: BlobRecord): Promise<Filling> {
    const { digest } = record.id
    this.#promised.add(record)
    try {
      const promisedBytes = [...this.#promised].reduce((sum, one) => sum + remainingBytesOf(one), 0)
      if (remainingBytesOf(record) > 0) {
        const { minFreeBytes } = this.#options
        await checkDiskSpace(this.#deps.blobsFolder, promisedBytes, minFreeBytes)
      }
      const filling = await openFilling(this.#deps, record)
      this.#records.set(digest, record)
      this.#fillings.set(digest, { filling, userCount: 1 })
      return filling
    } catch (error) {
      this.#promised.delete(record)
      throw error
    }
  }

  #writerOf(record: BlobRecord, filling: Filling): BlobWriter {
    let isOpen = true
    const inner = (): Filling => {
      this.#checkOpen()
      if (!isOpen)
        throw new StoreError('STORE_CLOSED', `the writer of ${record.id.digest} is closed`)
      return filling
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
        await this.#locks.run(record.id.digest, () => this.#release(record))
      },
    }
  }

  /** The last user closes the file; a blob of which nothing came leaves nothing behind. */
  async #release(record: BlobRecord): Promise<void> {
    const { digest } = record.id
    const shared = this.#fillings.get(digest)
    if (shared === undefined || --shared.userCount > 0) return
    this.#fillings.delete(digest)
    this.#promised.delete(record)
    await shared.filling[Symbol.asyncDispose]()
    if (record.pieces.heldCount > 0) return
    this.#records.delete(digest)
    await this.#deleteFiles(digest)
  }

  async #deleteFiles(digest: Digest): Promise<void> {
    const paths = blobPathsOf(this.#deps.blobsFolder, digest)
    await this.#handles.forget(paths.data)
    await deleteBlobFiles(paths)
  }
}

function holdsRange({ id, pieces, held }: BlobRecord, offset: number, length: number): boolean {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) return false
  if (offset < 0 || length < 0 || offset + length > id.sizeBytes) return false
  const first = Math.floor(offset / held.pieceSizeBytes)
  const last = Math.floor(Math.max(offset, offset + length - 1) / held.pieceSizeBytes)
  for (let pieceIndex = first; pieceIndex <= last; pieceIndex++) {
    if (length > 0 && !pieces.has(pieceIndex)) return false
  }
  return true
}
