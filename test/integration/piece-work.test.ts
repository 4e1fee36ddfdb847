/** Checks the threads that verify and write pieces: right bytes, their lives, and what their end does to the jobs. */
import { existsSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { blake3 } from '@noble/hashes/blake3.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { pieceLengthOf, pieceSizeOf } from '../../src/core/blake3/index.ts'
import { createTree } from '../../src/core/blake3/tree.ts'
import { systemClock } from '../../src/core/clock.ts'
import { digestOf, hexOf } from '../../src/core/digest.ts'
import { silentLog } from '../../src/core/log.ts'
import { createPieceMemory } from '../../swarm/piece-memory.ts'
import type { Place } from '../../swarm/store/piece-work/job.ts'
import {
  openPieceWork,
  type PieceWork,
  WORKER_BLOB_BYTES_MIN,
} from '../../swarm/store/piece-work/piece-work.ts'
import { type JobRequest, PiecePool } from '../../swarm/store/piece-work/pool.ts'
import { readVectors, VECTORS } from '../support/blake3-vectors.ts'
import { bytesOf } from '../support/bytes.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { makeFolder, type TestFolder } from '../support/store/open.ts'
import { codeRejectedBy, type Sample, sampleOf } from '../support/store/samples.ts'
import { waitFor } from '../support/wait-for.ts'

const MIB = 1024 * 1024
const BROKEN_WORKER = new URL('../support/store/failing-worker.ts', import.meta.url)

let folder: TestFolder
let file: FileHandle

function expectedOf({ id: { sizeBytes }, layer }: Sample, pieceIndex: number) {
  const chainingValue = layer.subarray(pieceIndex * 32, pieceIndex * 32 + 32)
  return { sizeBytes, pieceIndex, chainingValue }
}

/** A piece as a peer leaves it: in the memory of the work. */
function arrive({ memory }: PieceWork, sample: Sample, pieceIndex: number): Uint8Array {
  const piece = sample.piece(pieceIndex)
  const bytes = memory.take(piece.length)
  bytes.set(piece)
  return bytes
}

/** Each test of the group has an empty file. */
function openFileAround(): void {
  beforeEach(async () => {
    folder = await makeFolder()
    file = await open(join(folder.path, 'data'), 'w+')
  })
  afterEach(async () => {
    await file.close()
    await folder[Symbol.asyncDispose]()
  })
}

describe('piece work', () => {
  openFileAround()

  it('writes every piece that is right to its place, from shared memory and from elsewhere', async () => {
    await using work = openPieceWork({ clock: systemClock, log: silentLog })
    const sample = sampleOf(WORKER_BLOB_BYTES_MIN + 300_001)
    const indexes = [...Array(sample.pieceCount).keys()].reverse()
    const written = indexes.map(async index => {
      const bytes = index % 2 === 0 ? arrive(work, sample, index) : sample.piece(index)
      const isWritten = await work.writeVerified(file, bytes, expectedOf(sample, index))
      work.memory.give(bytes)
      return isWritten
    })
    expect((await Promise.all(written)).every(Boolean)).to.equal(true)
    expect(digestOf(await file.readFile())).to.equal(sample.id.digest)
  })

  it('writes nothing that is not the piece', async () => {
    await using work = openPieceWork({ clock: systemClock, log: silentLog })
    const sample = sampleOf(WORKER_BLOB_BYTES_MIN + 1)
    for (const place of [0, 100_000, 262_143]) {
      const bytes = arrive(work, sample, 3)
      bytes[place] = (bytes[place] ?? 0) ^ 1
      expect(await work.writeVerified(file, bytes, expectedOf(sample, 3))).to.equal(false)
    }
    const other = arrive(work, sample, 2)
    expect(await work.writeVerified(file, other, expectedOf(sample, 3))).to.equal(false)
    expect((await file.stat()).size).to.equal(0)
  })

  it('hashes pieces where they stand in a file, at any offset, and says when the file is short', async () => {
    await using work = openPieceWork({ clock: systemClock, log: silentLog })
    for (const sizeBytes of [700_000, WORKER_BLOB_BYTES_MIN + 70_000]) {
      const sample = sampleOf(sizeBytes)
      await file.write(sample.bytes, 0, sample.bytes.length, 5)
      for (let pieceIndex = 0; pieceIndex < sample.pieceCount; pieceIndex++) {
        const offset = pieceIndex * pieceSizeOf(sizeBytes) + 5
        const found = await work.hashPiece(file, { offset, sizeBytes, pieceIndex })
        const { chainingValue } = expectedOf(sample, pieceIndex)
        expect(found && Buffer.from(found).equals(chainingValue)).to.equal(true)
      }
      const pieceIndex = sample.pieceCount - 1
      const offset = (await file.stat()).size - pieceLengthOf(sizeBytes, pieceIndex) + 1
      const short = await work.hashPiece(file, { offset, sizeBytes, pieceIndex })
      expect(short).to.equal(undefined)
    }
  })

  it('agrees with the other implementations at every ragged end', async function () {
    this.timeout(20_000)
    await using work = openPieceWork({ clock: systemClock, log: silentLog })
    // Around chunks, rows of four chunks, and whole pieces.
    for (const end of [1, 1023, 1025, 4095, 4097, 65_537, 262_143, 262_145]) {
      const sample = sampleOf(WORKER_BLOB_BYTES_MIN + end, end)
      expect(sample.id.digest).to.equal(digestOf(sample.bytes))
      for (const index of [0, sample.pieceCount - 1]) {
        const bytes = arrive(work, sample, index)
        const isWritten = await work.writeVerified(file, bytes, expectedOf(sample, index))
        expect(isWritten, `piece ${index} of ${sample.bytes.length}`).to.equal(true)
        work.memory.give(bytes)
      }
    }
  })

  it('passes on what the file system refuses, and goes on', async () => {
    await using work = openPieceWork({ clock: systemClock, log: silentLog })
    const sample = sampleOf(WORKER_BLOB_BYTES_MIN)
    await using readOnly = await open(join(folder.path, 'data'), 'r')
    const bytes = arrive(work, sample, 0)
    const refused = work.writeVerified(readOnly, bytes, expectedOf(sample, 0))
    expect(await codeRejectedBy(refused)).to.equal('EBADF')
    expect(await work.writeVerified(file, bytes, expectedOf(sample, 0))).to.equal(true)
  })
})

/** Hashes in a thread, whatever the size: the whole blob when it has one piece. */
async function hashInThread(pool: PiecePool, bytes: Uint8Array, place: Place): Promise<string> {
  await file.write(bytes, 0, bytes.length, 0)
  const span = { byteOffset: 3 * MIB, lengthBytes: bytes.length }
  const result = await pool.run({ kind: 'hash', fd: file.fd, fileOffset: 0, ...span, ...place })
  if (result.kind !== 'hashed') throw new Error(result.kind)
  return Buffer.from(result.chainingValue).toString('hex')
}

describe('hashes of the threads', () => {
  let pool: PiecePool
  before(() => {
    const deps = { memory: createPieceMemory(1), clock: systemClock, log: silentLog }
    pool = new PiecePool(deps, 1)
  })
  after(() => pool[Symbol.asyncDispose]())
  openFileAround()

  it('are those of @noble/hashes and blake3-wasm for whole blobs of any size', async function () {
    this.timeout(30_000)
    const sizes = fc.oneof(fc.nat(9_000), fc.nat(262_144), fc.constantFrom(0, 1024, 4096, 262_144))
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(1000), async (sizeBytes, seed) => {
        const bytes = bytesOf(sizeBytes, seed)
        const found = await hashInThread(pool, bytes, { sizeBytes, pieceIndex: 0 })
        expect(found).to.equal(Buffer.from(blake3(bytes)).toString('hex'))
        expect(found).to.equal(hexOf(digestOf(bytes)))
      }),
      { numRuns: 40, interruptAfterTimeLimit: 5_000 },
    )
  })

  it('are those of the plain code for pieces of every size, anywhere in the largest blob', async function () {
    this.timeout(30_000)
    const plain = createTree(undefined)
    const lengths = fc.oneof(
      fc.integer({ min: 1, max: 4 * MIB }),
      fc.integer({ min: 1, max: 5000 }),
      fc.constantFrom(MIB - 1, MIB, MIB + 1, 4 * MIB - 1, 4 * MIB),
    )
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 3000, max: 262_143 }), async (length, index) => {
        const bytes = bytesOf(length, index)
        const place = { sizeBytes: index * 4 * MIB + length, pieceIndex: index }
        const expected = plain.foldBytes(bytes, index * 4096, false)
        expect(await hashInThread(pool, bytes, place)).to.equal(
          Buffer.from(expected).toString('hex'),
        )
      }),
      { numRuns: 20, interruptAfterTimeLimit: 5_000 },
    )
  })

  if (existsSync(VECTORS)) {
    it('meet the official vectors', async () => {
      const { cases } = readVectors(VECTORS)
      expect(cases).to.have.length.above(30)
      for (const { input_len: sizeBytes, hash } of cases) {
        const bytes = new Uint8Array(sizeBytes).map((_, index) => index % 251)
        const found = await hashInThread(pool, bytes, { sizeBytes, pieceIndex: 0 })
        expect(found, `${sizeBytes} bytes`).to.equal(hash.slice(0, 64))
      }
    })
  } else {
    console.log(`left out: official BLAKE3 vectors in threads (no ${VECTORS})`)
  }
})

const job: JobRequest = {
  kind: 'hash',
  fd: 0,
  fileOffset: 0,
  byteOffset: 0,
  lengthBytes: MIB,
  sizeBytes: MIB,
  pieceIndex: 0,
}

describe('piece pool', () => {
  it('rejects every job of a thread that fails, and has a new thread for the next one', async () => {
    const memory = createPieceMemory(1)
    const deps = { memory, clock: systemClock, log: silentLog }
    await using pool = new PiecePool(deps, 1, BROKEN_WORKER)
    for (const round of [1, 2]) {
      const outcomes = await Promise.allSettled([pool.run(job), pool.run(job), pool.run(job)])
      expect(
        outcomes.map(({ status }) => status),
        `round ${round}`,
      ).to.deep.equal(['fulfilled', 'rejected', 'rejected'])
    }
    await pool.run(job)
    expect(await codeRejectedBy(pool.run(job))).to.equal('PIECE_WORKER_FAILED')
  })

  it('rejects the jobs of a thread that cannot start', async () => {
    const deps = { memory: createPieceMemory(1), clock: systemClock, log: silentLog }
    await using pool = new PiecePool(deps, 1, new URL('missing.ts', BROKEN_WORKER))
    expect(await codeRejectedBy(pool.run(job))).to.equal('PIECE_WORKER_FAILED')
  })

  it('starts threads when there is work, no more than it may, and ends them when there is none', async () => {
    const clock = createManualClock()
    const memory = createPieceMemory(2)
    await using pool = new PiecePool({ memory, clock, log: silentLog }, 2)
    await using empty = await open(import.meta.filename)
    expect(pool.workerCount).to.equal(0)
    const short = { ...job, fd: empty.fd }
    const results = await Promise.all([pool.run(short), pool.run(short), pool.run(short)])
    expect(results.map(({ kind }) => kind)).to.deep.equal(['short', 'short', 'short'])
    expect(pool.workerCount).to.equal(2)
    await clock.advance(10_000)
    expect(pool.workerCount, 'used since it was looked at last').to.equal(2)
    await clock.advance(10_000)
    await waitFor('the end of the threads', 5_000, () => pool.workerCount === 0)
    expect((await pool.run(short)).kind).to.equal('short')
  })

  it('refuses jobs after it was closed, and waits for those before', async () => {
    const deps = { memory: createPieceMemory(1), clock: systemClock, log: silentLog }
    const pool = new PiecePool(deps, 1)
    await using empty = await open(import.meta.filename)
    const running = pool.run({ ...job, fd: empty.fd })
    await pool[Symbol.asyncDispose]()
    expect((await running).kind).to.equal('short')
    expect(await codeRejectedBy(pool.run(job))).to.equal('STORE_CLOSED')
  })
})
