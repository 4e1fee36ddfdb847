import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { extract, type Header } from 'tar-stream'
import { arrangeLayer, fileOf, folderOf, linkOf } from '../../../support/images/entry.ts'
import { writeLayer } from '../../../support/images/layer.ts'
import { randomBytesOf } from '../../../support/images/random-bytes.ts'

const ENTRIES = arrangeLayer([
  fileOf('usr/bin/tool', '#!/bin/sh\n', { mode: 0o755 }),
  linkOf('bin', 'usr/bin'),
  folderOf('data', { mode: 0o700, uid: 999, gid: 999 }),
  fileOf('etc/motd', 'hello\n'),
])

/** What `sha256sum` printed for the file that `tar -tvf` listed as these entries. */
const KNOWN = 'sha256:5f7b747db71657a6a35fedc45260551475063ba01e1507c0f5028a33de8f3244'

describe('writeLayer', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-layer-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  async function listed(path: string): Promise<(Header & { text: string })[]> {
    const entries: (Header & { text: string })[] = []
    const reader = extract()
    reader.end(await readFile(path))
    for await (const entry of reader) {
      const chunks: Buffer[] = []
      for await (const chunk of entry as unknown as AsyncIterable<Buffer>) chunks.push(chunk)
      entries.push({ ...entry.header, text: Buffer.concat(chunks).toString('latin1') })
    }
    return entries
  }

  it('writes the same bytes today as on the day this test was written', async () => {
    expect((await writeLayer(folder, ENTRIES)).digest).to.equal(KNOWN)
  })

  it('names the file by the SHA-256 of its bytes and tells its size', async () => {
    const layer = await writeLayer(folder, ENTRIES)
    const bytes = await readFile(layer.path)
    const hex = createHash('sha256').update(bytes).digest('hex')
    expect(layer).to.deep.equal({
      digest: `sha256:${hex}`,
      sizeBytes: bytes.length,
      path: join(folder, hex),
    })
  })

  it('keeps modes, owners, links and content, and one time for all', async () => {
    const entries = await listed((await writeLayer(folder, ENTRIES)).path)
    const shown = entries.map(e => `${e.type} ${e.name} ${e.mode.toString(8)} ${e.uid}:${e.gid}`)
    expect(shown).to.deep.equal([
      'symlink bin 777 0:0',
      'directory data/ 700 999:999',
      'directory etc/ 755 0:0',
      'file etc/motd 644 0:0',
      'directory usr/ 755 0:0',
      'directory usr/bin/ 755 0:0',
      'file usr/bin/tool 755 0:0',
    ])
    expect(entries[0]?.linkname).to.equal('usr/bin')
    expect(entries[3]?.text).to.equal('hello\n')
    expect(new Set(entries.map(e => e.mtime.getTime()))).to.have.property('size', 1)
  })

  it('writes a file that is larger than what the streams hold', async () => {
    const sizeBytes = 3 * 1024 * 1024 + 1
    const large = {
      ...fileOf('large', ''),
      sizeBytes,
      open: () => randomBytesOf('seed', sizeBytes),
    }
    const [entry] = await listed((await writeLayer(folder, [large])).path)
    expect(entry?.text).to.have.length(sizeBytes)
  })

  it('keeps a path of more than 100 characters', async () => {
    const path = `${'long-name/'.repeat(15)}file`
    const entries = await listed((await writeLayer(folder, arrangeLayer([fileOf(path, '')]))).path)
    expect(entries.at(-1)?.name).to.equal(path)
  })

  it('leaves nothing behind when the content of a file ends early or fails', async () => {
    const short = { ...fileOf('short', 'abc'), sizeBytes: 4 }
    const failing = {
      ...fileOf('failing', 'abc'),
      async *open(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('a')
        throw new Error('the disk is gone')
      },
    }
    const outcomes = await Promise.allSettled([
      writeLayer(folder, [short]),
      writeLayer(folder, [failing]),
    ])
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    expect(await readdir(folder)).to.deep.equal([])
  })
})

describe('randomBytesOf', () => {
  const hashOf = async (seed: string, sizeBytes: number): Promise<string> => {
    const hash = createHash('sha256')
    for await (const chunk of Readable.from(randomBytesOf(seed, sizeBytes))) hash.update(chunk)
    return hash.digest('hex')
  }

  it('depends on the seed alone', async () => {
    expect(await hashOf('a', 2_000_001)).to.equal(await hashOf('a', 2_000_001))
    expect(await hashOf('a', 1000)).not.to.equal(await hashOf('b', 1000))
  })

  it('does not repeat itself from chunk to chunk', async () => {
    const chunks: string[] = []
    for await (const chunk of randomBytesOf('a', 2 * 1024 * 1024)) {
      chunks.push(createHash('sha256').update(chunk).digest('hex'))
    }
    expect(new Set(chunks)).to.have.property('size', 2)
  })
})
