/** The blob store on disk: what is held, who may change it, and what may be read of it. */
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { VerifiedBlob } from '../../src/core/blob.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { StoreError } from '../errors.ts'
import type { PieceMemory } from '../piece-memory.ts'
import type {
  BlobId,
  BlobStore,
  BlobWriter,
  CollectOptions,
  HeldBlob,
  ScrubResult,
  StoreUsage,
} from '../ports.ts'
import { type Admission, type AdmissionLimits, createAdmission } from './admission.ts'
import { deleteBlobFiles, loadPieceLayer, readFully, saveBitfield } from './blob-files.ts'
import { type Claims, createClaims } from './claims.ts'
import { type CollectionReport, collect } from './collect.ts'
import { type BlobRole, planCollection } from './collection.ts'
import { Fillings } from './fillings.ts'
import { importFile } from './import-file.ts'
import type { IndexEntry, StoreIndex } from './index-db.ts'
import { createKeyedLock } from './keyed-lock.ts'
import { META_VALUE_BYTES_MAX, READ_HANDLE_COUNT_MAX } from './limits.ts'
import { blobPathsOf } from './paths.ts'
import type { PieceWork } from './piece-work/piece-work.ts'
import { createReadHandles } from './read-handles.ts'
import { type BlobRecord, holdsRange, occupiedBytesOf, verifiedBlobOf } from './record.ts'
import { hashWhole } from './recover.ts'
import { damagedPieces, type ScrubOptions } from './scrub.ts'
import { excessBytes } from './space.ts'

export interface DiskStoreDeps {
  readonly blobsFolder: string
  readonly index: StoreIndex
  readonly clock: Clock
  readonly log: Log
  /** The store closes it. */
  readonly work: PieceWork
  /** What the files hold; the store owns the map from now on. */
  readonly records: Map<Digest, BlobRecord>
}

export class DiskBlobStore implements BlobStore {
  readonly #deps: DiskStoreDeps
  readonly #records: Map<Digest, BlobRecord>
  readonly #claims: Claims = createClaims()
  readonly #admission: Admission
  readonly #fillings: Fillings
  readonly #locks = createKeyedLock()
  readonly #handles = createReadHandles(READ_HANDLE_COUNT_MAX)
  #isClosed = false

  constructor(deps: DiskStoreDeps, limits: AdmissionLimits) {
    this.#deps = deps
    this.#records = deps.records
    this.#admission = createAdmission({ ...deps, claims: this.#claims }, limits)
    this.#fillings = new Fillings({
      ...deps,
      admission: this.#admission,
      exclusively: (digest, task) => this.#locks.run(digest, task),
      checkOpen: () => this.#checkOpen(),
      deleteFiles: digest => this.#deleteFiles(digest),
    })
  }

  get memory(): PieceMemory {
    return this.#deps.work.memory
  }

  list(): readonly HeldBlob[] {
    return [...this.#records.values()].filter(record => record.heldPieceCount > 0)
  }

  held(digest: Digest): HeldBlob | undefined {
    const record = this.#records.get(digest)
    return record !== undefined && record.heldPieceCount > 0 ? record.held : undefined
  }

  verified(digest: Digest): VerifiedBlob | undefined {
    const record = this.#records.get(digest)
    if (record === undefined || !record.isDurable) return undefined
    if (record.verified === undefined && !this.#isWhole(record)) return undefined
    record.lastUsedMs = this.#deps.clock.nowMs()
    return verifiedBlobOf(record)
  }

  async openWriter(id: BlobId): Promise<BlobWriter> {
    // At once: whoever cleans up must not wait for this blob while this call waits for room.
    using _lease = this.lease([id.digest])
    return await this.#locks.run(id.digest, () => this.#fillings.open(id))
  }

  lease(digests: Iterable<Digest>): Disposable {
    return this.#claims.lease(digests)
  }

  async reserve(ids: readonly BlobId[]): Promise<Disposable> {
    this.#checkOpen()
    return await this.#admission.admit(ids)
  }

  async usage(): Promise<StoreUsage> {
    return await this.#admission.usage()
  }

  whenShort(makeRoom: (missingBytes: number) => Promise<void>): void {
    this.#admission.whenShort(makeRoom)
  }

  async collect(
    roleOf: (digest: Digest) => BlobRole,
    { roomBytes, unreachableBeforeMs, isDryRun, budget }: CollectOptions,
  ): Promise<CollectionReport> {
    this.#checkOpen()
    const goal = {
      bytes: roomBytes ?? excessBytes(await this.usage()),
      allOrNothing: roomBytes !== undefined,
      unreachableBeforeMs,
    }
    const blobs = [...this.#records].map(([digest, record]) => ({
      digest,
      bytes: occupiedBytesOf(record),
      lastUsedMs: record.lastUsedMs,
      role: this.#isBusy(digest) ? ({ kind: 'keep', why: 'in use' } as const) : roleOf(digest),
    }))
    const plan = planCollection(blobs, goal)
    if (isDryRun) return { ...plan, removed: [], freedBytes: 0, isFinished: true }
    return await collect({ ...this.#deps, remove: digest => this.remove(digest) }, plan, budget)
  }

  async read(
    digest: Digest,
    offset: number,
    length: number,
    into?: Uint8Array,
  ): Promise<Uint8Array> {
    this.#checkOpen()
    const record = this.#records.get(digest)
    if (record === undefined || !holdsRange(record, offset, length)) {
      throw new StoreError('PIECE_ABSENT', `${digest} is not held at ${offset}+${length}`)
    }
    record.lastUsedMs = this.#deps.clock.nowMs()
    const bytes = into ?? new Uint8Array(length)
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
      const pieces = await hashWhole(this.#deps.work, handle, record.paths, record.id)
      return pieces.isFull ? await loadPieceLayer(record.paths, record.id) : undefined
    })
  }

  async scrub(digest: Digest, options: ScrubOptions): Promise<ScrubResult | undefined> {
    this.#checkOpen()
    using _lease = this.lease([digest])
    const record = this.#records.get(digest)
    if (record === undefined || this.#fillings.has(digest)) return undefined
    const checkedBytes = occupiedBytesOf(record)
    const layer = await this.pieceLayer(digest)
    const damaged = await damagedPieces(record, layer, this.#deps.work, options)
    if (damaged.length === 0) return { id: record.id, checkedBytes, damaged }
    return await this.#locks.run(digest, async () => {
      // Somebody writes it now, or wrote it meanwhile: what was seen may no longer be true.
      if (this.#records.get(digest) !== record || this.#fillings.has(digest)) return undefined
      await this.#loseDamaged(record, damaged)
      return { id: record.id, checkedBytes, damaged }
    })
  }

  async importFile(id: BlobId, path: string): Promise<VerifiedBlob> {
    const known = this.verified(id.digest)
    if (known?.sizeBytes === id.sizeBytes) return known
    return await importFile({ store: this, work: this.#deps.work }, id, path)
  }

  async remove(digest: Digest): Promise<void> {
    const inUse = (): Error =>
      new StoreError('BLOB_IN_USE', `${digest} is in use and cannot be deleted`)
    // Before it waits for anything: who fills the blob may be waiting for the room that is made here.
    if (this.#isBusy(digest)) throw inUse()
    await this.#locks.run(digest, async () => {
      this.#checkOpen()
      if (this.#isBusy(digest)) throw inUse()
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
    const closed = await this.#fillings.closeAll()
    await this.#handles[Symbol.asyncDispose]()
    await this.#deps.work[Symbol.asyncDispose]()
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

  #isBusy(digest: Digest): boolean {
    return this.#fillings.has(digest) || this.#claims.isLeased(digest)
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

  /** In memory first: from here on nobody gets these bytes. Then so that it stays that way after a power cut. */
  async #loseDamaged(record: BlobRecord, damaged: readonly number[]): Promise<void> {
    const { id, pieces, paths } = record
    this.#deps.log.error('stored pieces are damaged', { digest: id.digest, pieces: damaged })
    for (const pieceIndex of damaged) pieces.delete(pieceIndex)
    record.isDurable = false
    if (pieces.heldCount > 0) return await saveBitfield(paths, id, pieces)
    this.#records.delete(id.digest)
    await this.#deleteFiles(id.digest)
  }

  async #deleteFiles(digest: Digest): Promise<void> {
    const paths = blobPathsOf(this.#deps.blobsFolder, digest)
    await this.#handles.forget(paths.data)
    await deleteBlobFiles(paths)
  }
}
