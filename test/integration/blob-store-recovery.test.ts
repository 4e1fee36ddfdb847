/** Checks what the disk store makes of its files after a clean stop, a kill, damage, and a full disk. Real files. */
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { blobPathsOf } from '../../swarm/store/paths.ts'
import {
  createKeptLog,
  makeFolder,
  openTestStore,
  startWriterProcess,
} from '../support/store/open.ts'
import {
  checkedPieces,
  codeRejectedBy,
  fill,
  type Sample,
  sampleOf,
  writePieces,
} from '../support/store/samples.ts'

const SAMPLE = sampleOf(700_000)
const MIB = 1024 * 1024

function pathsOf(folder: string, sample: Sample) {
  return blobPathsOf(join(folder, 'blobs'), sample.id.digest)
}

/** A closed store that holds the given pieces of the sample. */
async function prepare(folder: string, pieceIndexes: readonly number[]): Promise<void> {
  await using store = await openTestStore(folder)
  await using writer = await store.openWriter(SAMPLE.id)
  await writePieces(writer, SAMPLE, pieceIndexes)
}

/** Takes the mark of a clean stop away, as a crash does. */
async function markUnclean(folder: string): Promise<void> {
  await rm(join(folder, 'index'), { recursive: true })
}

async function flipByte(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[offset] = (bytes[offset] ?? 0) ^ 0x40
  await writeFile(path, bytes)
}

describe('disk blob store, opened again', () => {
  it('holds what it held, and continues', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0, 2])
    await using store = await openTestStore(folder.path)
    expect(await checkedPieces(store, SAMPLE)).to.deep.equal([0, 2])
    await using writer = await store.openWriter(SAMPLE.id)
    expect(writer.hasPieceLayer).to.equal(true)
    expect(await writer.writePiece(2, SAMPLE.piece(2))).to.equal('present')
    await writer.writePiece(1, SAMPLE.piece(1))
    expect((await writer.finish()).digest).to.equal(SAMPLE.id.digest)
  })

  it('opens no file of a complete blob after a clean stop', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0, 1, 2])
    await rm(pathsOf(folder.path, SAMPLE).bitfield)
    const log = createKeptLog()
    await using store = await openTestStore(folder.path, { log })
    expect(store.verified(SAMPLE.id.digest)?.sizeBytes).to.equal(700_000)
    expect(log.messages).to.deep.equal(['blob store opened'])
  })

  it('finds everything in the files when the index is gone or damaged', async () => {
    for (const damage of ['gone', 'damaged'] as const) {
      await using folder = await makeFolder()
      await prepare(folder.path, [0, 1, 2])
      const index = join(folder.path, 'index')
      if (damage === 'gone') await rm(index, { recursive: true })
      for (const name of damage === 'gone' ? [] : await readdir(index)) {
        await writeFile(join(index, name), 'not what level wrote')
      }
      await using store = await openTestStore(folder.path)
      expect(store.verified(SAMPLE.id.digest)?.sizeBytes, damage).to.equal(700_000)
      expect(await checkedPieces(store, SAMPLE), damage).to.have.length(3)
    }
  })

  it('keeps values beside the blobs', async () => {
    await using folder = await makeFolder()
    const first = await openTestStore(folder.path)
    await first.setMeta('totals', '{"peer":5}')
    await first[Symbol.asyncDispose]()
    await using second = await openTestStore(folder.path)
    expect(await second.getMeta('totals')).to.equal('{"peer":5}')
  })

  it('remembers when a blob was last used', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0, 1, 2])
    const first = await openTestStore(folder.path)
    const usedMs = first.held(SAMPLE.id.digest)?.lastUsedMs ?? 0
    await first[Symbol.asyncDispose]()
    await using second = await openTestStore(folder.path)
    expect(usedMs).to.be.above(0)
    expect(second.held(SAMPLE.id.digest)?.lastUsedMs).to.equal(usedMs)
  })

  it('deletes bytes after a crash of which nobody can say what they are', async () => {
    await using folder = await makeFolder()
    await using before = await openTestStore(folder.path)
    await fill(before, SAMPLE)
    await before[Symbol.asyncDispose]()
    const paths = pathsOf(folder.path, SAMPLE)
    await rm(paths.bitfield)
    await rm(paths.layer)
    await writeFile(paths.data, 'the first half of a bl')
    await markUnclean(folder.path)
    await using store = await openTestStore(folder.path)
    expect(store.list()).to.deep.equal([])
    expect(await readdir(paths.folder)).to.deep.equal([])
  })

  it('deletes what an interrupted write left behind, and nothing else', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0])
    const paths = pathsOf(folder.path, SAMPLE)
    const leftover = join(paths.folder, '.x.bitfield.0123456789ab.tmp')
    await writeFile(leftover, 'half')
    await writeFile(join(paths.folder, 'notes.txt'), 'mine')
    await markUnclean(folder.path)
    await using store = await openTestStore(folder.path)
    const names = await readdir(paths.folder)
    expect(names).to.include('notes.txt')
    expect(names.filter(name => name.endsWith('.tmp'))).to.deep.equal([])
    expect(await checkedPieces(store, SAMPLE)).to.deep.equal([0])
  })
})

describe('disk blob store, damaged', () => {
  it('hashes the data again when the bitfield is damaged or missing', async () => {
    for (const damage of ['damaged', 'empty', 'missing']) {
      await using folder = await makeFolder()
      await prepare(folder.path, [0, 2])
      const { bitfield } = pathsOf(folder.path, SAMPLE)
      if (damage === 'damaged') await flipByte(bitfield, 16)
      if (damage === 'empty') await truncate(bitfield)
      if (damage === 'missing') await rm(bitfield)
      await markUnclean(folder.path)
      await using store = await openTestStore(folder.path)
      expect(await checkedPieces(store, SAMPLE), damage).to.deep.equal([0, 2])
    }
  })

  it('keeps only the pieces that are right when bytes changed and the bitfield is gone', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0, 1, 2])
    const paths = pathsOf(folder.path, SAMPLE)
    await flipByte(paths.data, 300_000)
    await rm(paths.bitfield)
    await markUnclean(folder.path)
    await using store = await openTestStore(folder.path)
    expect(await checkedPieces(store, SAMPLE)).to.deep.equal([0, 2])
    expect(store.verified(SAMPLE.id.digest)).to.equal(undefined)
  })

  it('keeps the whole pieces of a truncated data file and fetches the rest', async () => {
    for (const stop of ['clean', 'unclean']) {
      await using folder = await makeFolder()
      await prepare(folder.path, [0, 1, 2])
      await truncate(pathsOf(folder.path, SAMPLE).data, 300_000)
      if (stop === 'unclean') await markUnclean(folder.path)
      await using store = await openTestStore(folder.path)
      expect(store.verified(SAMPLE.id.digest), stop).to.equal(undefined)
      await using writer = await store.openWriter(SAMPLE.id)
      expect(await checkedPieces(store, SAMPLE), stop).to.deep.equal([0])
      await writePieces(writer, SAMPLE, [1, 2])
      await writer.finish()
      expect(await checkedPieces(store, SAMPLE), stop).to.have.length(3)
    }
  })

  it('notices while it runs that a data file became shorter', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0, 1, 2])
    await using store = await openTestStore(folder.path)
    await truncate(pathsOf(folder.path, SAMPLE).data, 10)
    const read = store.read(SAMPLE.id.digest, 0, 100)
    expect(await codeRejectedBy(read)).to.equal('BLOB_DAMAGED')
    expect(store.held(SAMPLE.id.digest)).to.equal(undefined)
    await fill(store, SAMPLE)
    expect(await checkedPieces(store, SAMPLE)).to.have.length(3)
  })

  it('does not hand out a damaged piece layer, and makes it again from a complete blob', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0, 1, 2])
    await flipByte(pathsOf(folder.path, SAMPLE).layer, 40)
    await using store = await openTestStore(folder.path)
    const layer = await store.pieceLayer(SAMPLE.id.digest)
    expect(layer && Buffer.from(layer).equals(SAMPLE.layer)).to.equal(true)
  })

  it('asks for the layer again when a partial blob has a damaged one', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0])
    await flipByte(pathsOf(folder.path, SAMPLE).layer, 40)
    await using store = await openTestStore(folder.path)
    expect(await store.pieceLayer(SAMPLE.id.digest)).to.equal(undefined)
    await using writer = await store.openWriter(SAMPLE.id)
    expect(writer.hasPieceLayer).to.equal(false)
    await writePieces(writer, SAMPLE, [1, 2])
    expect((await writer.finish()).sizeBytes).to.equal(700_000)
  })

  it('proves a complete blob from its data alone', async () => {
    await using folder = await makeFolder()
    await prepare(folder.path, [0, 1, 2])
    const paths = pathsOf(folder.path, SAMPLE)
    await rm(paths.layer)
    await rm(paths.bitfield)
    await markUnclean(folder.path)
    await using store = await openTestStore(folder.path)
    expect(store.verified(SAMPLE.id.digest)?.sizeBytes).to.equal(700_000)
    expect(await store.pieceLayer(SAMPLE.id.digest)).to.have.length(96)
  })
})

describe('disk blob store, shared and killed', () => {
  it('refuses a second process and names the folder and the first one', async () => {
    await using folder = await makeFolder()
    const other = startWriterProcess(folder.path, 1 * MIB)
    try {
      expect((await other.lines.next()).value).to.equal('open')
      const attempt = openTestStore(folder.path)
      expect(await codeRejectedBy(attempt)).to.equal('STORE_LOCKED')
      await attempt.catch(error =>
        expect(String(error)).to.contain(folder.path).and.to.contain(`pid ${other.process.pid})`),
      )
    } finally {
      other.process.kill('SIGKILL')
      await other.exited
    }
    await using store = await openTestStore(folder.path)
    expect(store.list().length).to.be.at.most(1)
  })

  it('loses nothing that was stored when it is killed at any moment, synced or not, and continues', async () => {
    const sample = sampleOf(48 * MIB)
    for (const killAfter of [1, 70, 130, 185]) {
      await using folder = await makeFolder()
      const child = startWriterProcess(folder.path, sample.id.sizeBytes)
      let storedCount = 0
      for await (const line of child.lines) {
        if (line.startsWith('stored')) storedCount++
        if (storedCount === killAfter) child.process.kill('SIGKILL')
      }
      await child.exited
      await using store = await openTestStore(folder.path)
      const held = await checkedPieces(store, sample)
      expect(held.length, `killed after ${storedCount}`).to.be.at.least(storedCount)
      await fill(store, sample)
      expect(await checkedPieces(store, sample)).to.have.length(sample.pieceCount)
    }
  })

  it('refuses a blob that does not fit beside the minimum free space, before its first byte', async () => {
    await using folder = await makeFolder()
    await using store = await openTestStore(folder.path, { minFreeBytes: 2 ** 60 })
    expect(await codeRejectedBy(store.openWriter(SAMPLE.id))).to.equal('DISK_FULL')
    expect(await readdir(join(folder.path, 'blobs'))).to.deep.equal([])
  })
})

describe('the space of a disk blob store', () => {
  const first = sampleOf(2 * MIB, 1)
  const second = sampleOf(2 * MIB, 2)
  const third = sampleOf(2 * MIB, 3)

  it('lets one of two downloads begin at once when both together do not fit', async () => {
    await using folder = await makeFolder()
    await using store = await openTestStore(folder.path, { quotaBytes: 3 * MIB })
    const codes = await Promise.all([
      codeRejectedBy(store.openWriter(first.id)),
      codeRejectedBy(store.openWriter(second.id)),
    ])
    expect(codes.sort()).to.deep.equal(['QUOTA_EXCEEDED', undefined])
  })

  it('reserves all blobs of a release together, and gives the space back when it ends', async () => {
    await using folder = await makeFolder()
    await using store = await openTestStore(folder.path, { quotaBytes: 5 * MIB })
    const reserved = await store.reserve([first.id, second.id])
    expect((await store.usage()).promisedBytes).to.be.above(4 * MIB)
    expect(await codeRejectedBy(store.openWriter(third.id))).to.equal('QUOTA_EXCEEDED')
    await fill(store, first)
    expect(await codeRejectedBy(store.reserve([third.id]))).to.equal('QUOTA_EXCEEDED')
    reserved[Symbol.dispose]()
    await fill(store, third)
    const { usedBytes, promisedBytes } = await store.usage()
    expect(promisedBytes).to.equal(0)
    expect(usedBytes).to.equal(2 * (2 * MIB + 2 * 4096))
  })

  it('names the sizes and the way out when the quota is full', async () => {
    await using folder = await makeFolder()
    await using store = await openTestStore(folder.path, { quotaBytes: 3 * MIB })
    await fill(store, first)
    const error = await store.openWriter(second.id).then(() => undefined, String)
    expect(error).to.match(
      /2\.0 MiB do not fit in .*: 2\.0 MiB are used and storage\.quota is 3\.0 MiB/,
    )
    expect(error).to.match(/raise storage\.quota, unpin blobs, or uninstall an app/)
  })

  it('asks for room once, and goes on when there is some', async () => {
    await using folder = await makeFolder()
    await using store = await openTestStore(folder.path, { quotaBytes: 5 * MIB })
    const asked: number[] = []
    store.whenShort(async missingBytes => {
      asked.push(missingBytes)
      if (store.held(first.id.digest) !== undefined) await store.remove(first.id.digest)
    })
    for (const sample of [first, second, third]) await fill(store, sample)
    expect(asked).to.deep.equal([6 * MIB + 6 * 4096 - 5 * MIB])
    expect(store.list().map(({ digest }) => digest)).to.deep.equal([
      second.id.digest,
      third.id.digest,
    ])
    expect(await codeRejectedBy(store.openWriter(first.id))).to.equal('QUOTA_EXCEEDED')
    expect(asked).to.have.length(2)
  })

  it('keeps no lease and no reservation over the end of a process', async () => {
    await using folder = await makeFolder()
    const other = startWriterProcess(folder.path, 4 * MIB)
    expect((await other.lines.next()).value).to.equal('open')
    other.process.kill('SIGKILL')
    await other.exited
    await using store = await openTestStore(folder.path)
    expect((await store.usage()).promisedBytes).to.equal(0)
    const budget = { bytes: 2 ** 40, ms: 60_000 }
    await store.collect(() => ({ kind: 'unreachable' }), {
      unreachableBeforeMs: Number.POSITIVE_INFINITY,
      isDryRun: false,
      budget,
    })
    expect(store.list()).to.deep.equal([])
    const left = await readdir(join(folder.path, 'blobs'), { recursive: true, withFileTypes: true })
    expect(left.filter(entry => entry.isFile())).to.deep.equal([])
  })
})
