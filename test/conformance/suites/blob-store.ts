/** The contract of the `BlobStore` port, as facts; every store calls it with a way to open itself. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { BlobStore } from '../../../swarm/ports.ts'
import { WORKER_BLOB_BYTES_MIN } from '../../../swarm/store/piece-work/piece-work.ts'
import { codeRejectedBy, fill, sampleOf, writePieces } from '../../support/store/samples.ts'

const KIB = 1024

export function blobStoreSuite(open: () => Promise<BlobStore>): void {
  fillingFacts(open)
  parallelFacts(open)
  refusalFacts(open)
  readingFacts(open)
  otherFacts(open)
  keepingFacts(open)
  scrubbingFacts(open)
}

function fillingFacts(open: () => Promise<BlobStore>): void {
  it('keeps blobs of every shape', async () => {
    await using store = await open()
    for (const sizeBytes of [0, 1, 1024, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 700_000]) {
      const sample = sampleOf(sizeBytes)
      const path = await fill(store, sample)
      expect(sample.bytes.length).to.equal(sizeBytes)
      expect((await readFile(path)).equals(sample.bytes), `${sizeBytes} bytes`).to.equal(true)
      expect(store.verified(sample.id.digest)?.path).to.equal(path)
    }
    expect(store.list()).to.have.length(7)
  })

  it('completes the empty blob as soon as it is opened', async () => {
    await using store = await open()
    await using writer = await store.openWriter(sampleOf(0).id)
    expect(writer.blob.isComplete).to.equal(true)
    expect((await writer.finish()).sizeBytes).to.equal(0)
  })

  it('shows pieces as they arrive, in a view that is live', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    await using writer = await store.openWriter(sample.id)
    expect(store.held(sample.id.digest)).to.equal(undefined)
    await writePieces(writer, sample, [2])
    const held = store.held(sample.id.digest)
    expect([0, 1, 2].map(index => held?.hasPiece(index))).to.deep.equal([false, false, true])
    await writePieces(writer, sample, [0, 1])
    expect(held?.isComplete).to.equal(true)
  })

  it('lets two writers fill one blob, and keeps a piece that came twice once', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    await using first = await store.openWriter(sample.id)
    await using second = await store.openWriter(sample.id)
    await first.setPieceLayer(sample.layer)
    expect(second.hasPieceLayer).to.equal(true)
    const outcomes = await Promise.all([
      first.writePiece(1, sample.piece(1)),
      second.writePiece(1, sample.piece(1)),
    ])
    expect(outcomes).to.deep.equal(['stored', 'present'])
    await first[Symbol.asyncDispose]()
    expect(await second.writePiece(0, sample.piece(0))).to.equal('stored')
    await second.writePiece(2, sample.piece(2))
    expect((await second.finish()).digest).to.equal(sample.id.digest)
  })
}

/** Large enough for the threads. */
function parallelFacts(open: () => Promise<BlobStore>): void {
  const sizeBytes = WORKER_BLOB_BYTES_MIN + 300_000

  it('takes all pieces at once, each from several sources, wrong ones among them', async () => {
    await using store = await open()
    const sample = sampleOf(sizeBytes)
    await using writer = await store.openWriter(sample.id)
    await writer.setPieceLayer(sample.layer)
    const bring = async (index: number, isWrong: boolean) => {
      const piece = sample.piece(index)
      const bytes = store.memory.take(piece.length)
      bytes.set(piece)
      if (isWrong) bytes[index] = (bytes[index] ?? 0) ^ 1
      const outcome = await writer.writePiece(index, bytes)
      store.memory.give(bytes)
      return outcome
    }
    const indexes = [...Array(sample.pieceCount).keys()]
    const outcomes = await Promise.all(
      indexes.map(index =>
        Promise.all([bring(index, true), bring(index, false), bring(index, false)]),
      ),
    )
    const expected = indexes.map(() => ['mismatch', 'stored', 'present'])
    expect(outcomes).to.deep.equal(expected)
    const { path } = await writer.finish()
    expect((await readFile(path)).equals(sample.bytes)).to.equal(true)
  })

  it('finishes only when the pieces under way are written, and closes after them', async () => {
    await using store = await open()
    const sample = sampleOf(sizeBytes)
    const writer = await store.openWriter(sample.id)
    await writer.setPieceLayer(sample.layer)
    const indexes = [...Array(sample.pieceCount).keys()]
    const writing = indexes.map(index => writer.writePiece(index, sample.piece(index)))
    expect((await writer.finish()).sizeBytes).to.equal(sizeBytes)
    expect(await Promise.all(writing)).to.deep.equal(indexes.map(() => 'stored'))
    await writer[Symbol.asyncDispose]()
    await store.remove(sample.id.digest)

    const second = await store.openWriter(sample.id)
    await second.setPieceLayer(sample.layer)
    const begun = indexes.map(index => second.writePiece(index, sample.piece(index)))
    await second[Symbol.asyncDispose]()
    expect(await Promise.all(begun)).to.deep.equal(indexes.map(() => 'stored'))
    expect(store.verified(sample.id.digest)?.sizeBytes).to.equal(sizeBytes)
  })
}

function refusalFacts(open: () => Promise<BlobStore>): void {
  it('refuses bytes that are not the piece, and takes the right ones after', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    await using writer = await store.openWriter(sample.id)
    await writePieces(writer, sample, [])
    const changed = sample.piece(0)
    changed[100_000] = (changed[100_000] ?? 0) ^ 1
    expect(await writer.writePiece(0, changed)).to.equal('mismatch')
    expect(await writer.writePiece(0, sample.piece(1))).to.equal('mismatch')
    expect(await writer.writePiece(2, sample.piece(0))).to.equal('mismatch')
    expect(store.list()).to.deep.equal([])
    expect(await writer.writePiece(0, sample.piece(0))).to.equal('stored')
  })

  it('refuses a blob of one piece that has another digest', async () => {
    await using store = await open()
    await using writer = await store.openWriter(sampleOf(5000, 1).id)
    expect(await writer.writePiece(0, sampleOf(5000, 2).bytes)).to.equal('mismatch')
  })

  it('refuses a piece layer that does not fold to the address', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    await using writer = await store.openWriter(sample.id)
    for (const layer of [sampleOf(700_000, 2).layer, sample.layer.slice(1), new Uint8Array()]) {
      const attempt = writer.setPieceLayer(layer)
      expect(await codeRejectedBy(attempt)).to.equal('PIECE_LAYER_MISMATCH')
    }
    const early = writer.writePiece(0, sample.piece(0))
    expect(await codeRejectedBy(early)).to.equal('PIECE_LAYER_MISSING')
    expect(writer.hasPieceLayer).to.equal(false)
  })

  it('does not finish a blob that lacks pieces, and does not call it verified', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    await using writer = await store.openWriter(sample.id)
    await writePieces(writer, sample, [0, 2])
    expect(await codeRejectedBy(writer.finish())).to.equal('PIECE_ABSENT')
    expect(store.verified(sample.id.digest)).to.equal(undefined)
  })

  it('refuses another size for a blob that it holds', async () => {
    await using store = await open()
    const sample = sampleOf(5000)
    await fill(store, sample)
    const attempt = store.openWriter({ ...sample.id, sizeBytes: 5001 })
    expect(await codeRejectedBy(attempt)).to.equal('BLOB_SIZE_CONFLICT')
  })

  it('forgets a partial blob whose size turns out to be wrong', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    const wrong = await store.openWriter({ ...sample.id, sizeBytes: 700_001 })
    await writePieces(wrong, sample, [0])
    await wrong[Symbol.asyncDispose]()
    await fill(store, sample)
    expect(store.verified(sample.id.digest)?.sizeBytes).to.equal(700_000)
  })
}

function readingFacts(open: () => Promise<BlobStore>): void {
  it('reads any range of held pieces, across their borders', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    await fill(store, sample)
    for (const [offset, length] of [
      [0, 700_000],
      [262_143, 2],
      [699_999, 1],
      [700_000, 0],
      [10, 0],
    ] as const) {
      const bytes = await store.read(sample.id.digest, offset, length)
      expect(Buffer.from(bytes).equals(sample.bytes.subarray(offset, offset + length))).to.equal(
        true,
      )
    }
  })

  it('reads nothing that is not held, and nothing outside the blob', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    await using writer = await store.openWriter(sample.id)
    await writePieces(writer, sample, [1])
    const ranges = [
      [262_143, 2],
      [0, 1],
      [-1, 1],
      [524_287, 2],
      [262_144, -1],
      [262_144, 0.5],
      [700_000, 1],
    ] as const
    for (const [offset, length] of ranges) {
      const attempt = store.read(sample.id.digest, offset, length)
      expect(await codeRejectedBy(attempt), `${offset}+${length}`).to.equal('PIECE_ABSENT')
    }
    expect(await store.read(sample.id.digest, 262_144, 262_144)).to.have.length(262_144)
  })

  it('gives the piece layer of what it holds', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    const small = sampleOf(100)
    expect(await store.pieceLayer(sample.id.digest)).to.equal(undefined)
    await fill(store, sample)
    await fill(store, small)
    const layer = await store.pieceLayer(sample.id.digest)
    expect(layer && Buffer.from(layer).equals(sample.layer)).to.equal(true)
    expect(await store.pieceLayer(small.id.digest)).to.equal(undefined)
  })
}

function otherFacts(open: () => Promise<BlobStore>): void {
  it('imports a file, and refuses one that is not the blob', async () => {
    await using store = await open()
    const path = join(tmpdir(), `archy-import-${process.pid}`)
    try {
      for (const sample of [sampleOf(700_000), sampleOf(0), sampleOf(9)]) {
        await writeFile(path, sample.bytes)
        expect((await store.importFile(sample.id, path)).sizeBytes).to.equal(sample.id.sizeBytes)
        expect((await store.importFile(sample.id, path)).digest).to.equal(sample.id.digest)
      }
      for (const other of [sampleOf(9, 2), sampleOf(8)]) {
        expect(await codeRejectedBy(store.importFile(other.id, path))).to.equal('BLOB_MISMATCH')
        expect(store.held(other.id.digest)).to.equal(undefined)
      }
    } finally {
      await rm(path, { force: true })
    }
  })

  it('removes a blob whole, but not while it is being filled', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    const writer = await store.openWriter(sample.id)
    await writePieces(writer, sample, [0])
    expect(await codeRejectedBy(store.remove(sample.id.digest))).to.equal('BLOB_IN_USE')
    await writer[Symbol.asyncDispose]()
    await store.read(sample.id.digest, 0, 10)
    await store.remove(sample.id.digest)
    expect(store.held(sample.id.digest)).to.equal(undefined)
    const read = store.read(sample.id.digest, 0, 10)
    expect(await codeRejectedBy(read)).to.equal('PIECE_ABSENT')
    await fill(store, sample)
  })

  it('keeps small values beside the blobs, and refuses large ones', async () => {
    await using store = await open()
    expect(await store.getMeta('bytes')).to.equal(undefined)
    await store.setMeta('bytes', '5')
    expect(await store.getMeta('bytes')).to.equal('5')
    const large = store.setMeta('bytes', 'x'.repeat(70_000))
    expect(await codeRejectedBy(large)).to.equal('META_TOO_LARGE')
  })

  it('refuses work after it was closed', async () => {
    const store = await open()
    const sample = sampleOf(5000)
    const writer = await store.openWriter(sample.id)
    await store[Symbol.asyncDispose]()
    const write = writer.writePiece(0, sample.bytes)
    expect(await codeRejectedBy(write)).to.equal('STORE_CLOSED')
    expect(await codeRejectedBy(store.openWriter(sample.id))).to.equal('STORE_CLOSED')
    await writer[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })
}

const NO_BOUND = { bytes: Number.POSITIVE_INFINITY, ms: Number.POSITIVE_INFINITY }
const EVERYTHING = {
  unreachableBeforeMs: Number.POSITIVE_INFINITY,
  isDryRun: false,
  budget: NO_BOUND,
}

function keepingFacts(open: () => Promise<BlobStore>): void {
  const samples = [sampleOf(300_000, 1), sampleOf(300_000, 2), sampleOf(300_000, 3)] as const
  const digests = samples.map(({ id }) => id.digest)
  const filled = async (store: BlobStore): Promise<void> => {
    for (const sample of samples) await fill(store, sample)
  }
  const heldNow = (store: BlobStore): readonly number[] =>
    digests.flatMap((digest, index) => (store.held(digest) === undefined ? [] : [index]))

  it('collects what nobody keeps and nobody uses', async () => {
    await using store = await open()
    await filled(store)
    using _lease = store.lease([samples[1].id.digest])
    const report = await store.collect(
      digest =>
        digest === digests[0] ? { kind: 'keep', why: 'installed' } : { kind: 'unreachable' },
      EVERYTHING,
    )
    expect(heldNow(store)).to.deep.equal([0, 1])
    expect(report.removed.map(({ digest }) => digest)).to.deep.equal([digests[2]])
    // Data, layer and bitfield, in whole blocks of the disk.
    expect(report.freedBytes).to.equal(74 * 4096 + 4096 + 4096)
  })

  it('says what it would collect and touches nothing in a dry run', async () => {
    await using store = await open()
    await filled(store)
    const report = await store.collect(() => ({ kind: 'seed' }), {
      ...EVERYTHING,
      roomBytes: 400_000,
      isDryRun: true,
    })
    expect(report.removals.map(({ digest }) => digest)).to.deep.equal(digests.slice(0, 2))
    expect(heldNow(store)).to.deep.equal([0, 1, 2])
  })

  it('stops when its budget is spent, and goes on from there', async () => {
    await using store = await open()
    await filled(store)
    const pass = async () =>
      await store.collect(() => ({ kind: 'unreachable' }), {
        ...EVERYTHING,
        budget: { ...NO_BOUND, bytes: 400_000 },
      })
    expect((await pass()).isFinished).to.equal(false)
    expect(heldNow(store)).to.deep.equal([2])
    expect((await pass()).isFinished).to.equal(true)
    expect(heldNow(store)).to.deep.equal([])
  })

  it('does not collect what is being filled', async () => {
    await using store = await open()
    await filled(store)
    const partial = sampleOf(700_000, 4)
    await using writer = await store.openWriter(partial.id)
    await writePieces(writer, partial, [0])
    await store.collect(() => ({ kind: 'unreachable' }), EVERYTHING)
    expect(heldNow(store)).to.deep.equal([])
    expect(store.held(partial.id.digest)?.heldPieceCount).to.equal(1)
  })

  it('refuses to delete a leased blob at once, and deletes it when the lease ended', async () => {
    await using store = await open()
    await fill(store, samples[0])
    const lease = store.lease([samples[0].id.digest])
    expect(await codeRejectedBy(store.remove(samples[0].id.digest))).to.equal('BLOB_IN_USE')
    lease[Symbol.dispose]()
    await store.remove(samples[0].id.digest)
    expect(heldNow(store)).to.deep.equal([])
  })
}

function scrubbingFacts(open: () => Promise<BlobStore>): void {
  const options = { throttle: async () => {} }

  it('finds every damaged piece, holds it no longer, and goes on giving the others', async () => {
    await using store = await open()
    const sample = sampleOf(900_000)
    const path = await fill(store, sample)
    expect(await store.scrub(sample.id.digest, options)).to.deep.include({ damaged: [] })
    const bytes = Buffer.from(sample.bytes)
    for (const index of [1, 3])
      bytes.writeUInt8(bytes.readUInt8(index * 256 * KIB) ^ 1, index * 256 * KIB)
    await writeFile(path, bytes)
    expect(await store.scrub(sample.id.digest, options)).to.deep.include({ damaged: [1, 3] })
    expect(store.verified(sample.id.digest)).to.equal(undefined)
    expect(await codeRejectedBy(store.read(sample.id.digest, 256 * KIB, 1))).to.equal(
      'PIECE_ABSENT',
    )
    const good = await store.read(sample.id.digest, 0, 256 * KIB)
    expect(Buffer.from(good).equals(sample.piece(0))).to.equal(true)
    await using writer = await store.openWriter(sample.id)
    await writePieces(writer, sample, [1, 3])
    expect((await readFile((await writer.finish()).path)).equals(sample.bytes)).to.equal(true)
  })

  it('forgets a blob of which nothing is right any more', async () => {
    await using store = await open()
    const sample = sampleOf(1_000)
    await writeFile(await fill(store, sample), 'something else')
    expect(await store.scrub(sample.id.digest, options)).to.deep.include({ damaged: [0] })
    expect(store.list()).to.deep.equal([])
    await fill(store, sample)
    expect(store.verified(sample.id.digest)?.sizeBytes).to.equal(1_000)
  })

  it('leaves a blob that is being filled alone', async () => {
    await using store = await open()
    const sample = sampleOf(700_000)
    await using writer = await store.openWriter(sample.id)
    await writePieces(writer, sample, [0])
    expect(await store.scrub(sample.id.digest, options)).to.equal(undefined)
  })
}
