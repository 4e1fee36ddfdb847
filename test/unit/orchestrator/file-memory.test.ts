import { rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createFileMemory, type FileMemory } from '../../../orchestrator/file-memory.ts'
import { makeTempFolder, type TempFolder } from '../../support/temp-folder.ts'

const AN_HOUR_MS = 3_600_000

describe('createFileMemory', () => {
  let folder: TempFolder
  let path: string
  let memory: FileMemory
  let made: number
  /** Files look an hour old, so that they have settled. */
  let nowMs: number
  beforeEach(async () => {
    folder = await makeTempFolder()
    path = join(folder.path, 'a')
    nowMs = Date.now() + AN_HOUR_MS
    memory = createFileMemory({ nowMs: () => nowMs })
    made = 0
  })
  afterEach(() => folder[Symbol.asyncDispose]())
  const read = (): Promise<{ text: string } | undefined> =>
    memory.read(path, 100, bytes => {
      made++
      return { text: Buffer.from(bytes).toString('utf8') }
    })

  it('makes nothing anew while the file is the same, and lets nobody change what it made', async () => {
    await writeFile(path, 'one')
    await read()
    const again = await read()
    expect([again?.text, made]).to.deep.equal(['one', 1])
    expect(() => Object.assign(again ?? {}, { text: 'x' })).to.throw(TypeError)
  })

  it('sees another size, another file in its place, and a change that hides its time', async () => {
    await writeFile(path, 'one')
    await read()
    await writeFile(path, 'longer')
    expect((await read())?.text).to.equal('longer')
    await writeFile(`${path}.new`, 'rename')
    await rename(`${path}.new`, path)
    expect((await read())?.text).to.equal('rename')
    await writeFile(path, 'hidden')
    await utimes(path, 1, 1)
    expect((await read())?.text).to.equal('hidden')
  })

  it('reads a file again that was written a moment ago', async () => {
    nowMs = Date.now()
    await writeFile(path, 'one')
    await read()
    await read()
    expect(made).to.equal(2)
  })

  it('forgets a file that is gone', async () => {
    await writeFile(path, 'one')
    await read()
    await rm(path)
    expect(await read()).to.equal(undefined)
    await writeFile(path, 'two')
    expect((await read())?.text).to.equal('two')
  })

  it('does not remember a failure', async () => {
    await writeFile(path, 'one')
    const failing = memory.read(path, 100, () => {
      throw new Error('bad')
    })
    expect(await failing.catch(() => 'failed')).to.equal('failed')
    expect((await read())?.text).to.equal('one')
  })
})
