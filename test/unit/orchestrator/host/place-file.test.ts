import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { placeFile } from '../../../../orchestrator/host/place-file.ts'
import { run } from '../../../../orchestrator/host/run.ts'
import { makeTempFolder, type TempFolder } from '../../../support/temp-folder.ts'

describe('placeFile', () => {
  let temp: TempFolder
  let folder: string
  let outside: string
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const place = (path: string, overwrite = false, text = 'new'): void =>
    placeFile({ folder, path, text, owner, mode: '0640', overwrite })

  beforeEach(async () => {
    temp = await makeTempFolder()
    folder = join(temp.path, 'data')
    outside = join(temp.path, 'outside')
    mkdirSync(folder)
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'untouched')
  })
  afterEach(() => temp[Symbol.asyncDispose]())

  it('makes the folders on the way, and the file with its mode', () => {
    place('/etc/app/my.conf')
    expect(readFileSync(join(folder, 'etc/app/my.conf'), 'utf8')).to.equal('new')
    expect(statSync(join(folder, 'etc/app/my.conf')).mode & 0o777).to.equal(0o640)
  })

  it('keeps what is there, unless it is to be overwritten', () => {
    writeFileSync(join(folder, 'file'), 'old')
    place('/file')
    expect(readFileSync(join(folder, 'file'), 'utf8')).to.equal('old')
    place('/file', true)
    expect(readFileSync(join(folder, 'file'), 'utf8')).to.equal('new')
  })

  it('follows no link on the way', () => {
    symlinkSync(outside, join(folder, 'link'))
    expect(() => place('/link/file', true)).to.throw(/ELOOP|ENOTDIR/)
    expect(() => place('/link/other/file', true)).to.throw(/ELOOP|ENOTDIR/)
    expect(readFileSync(join(outside, 'file'), 'utf8')).to.equal('untouched')
  })

  it('replaces a link in the place of the file, and not what it leads to', () => {
    symlinkSync(join(outside, 'file'), join(folder, 'file'))
    place('/file')
    expect(lstatSync(join(folder, 'file')).isSymbolicLink(), 'kept as it is').to.equal(true)
    place('/file', true)
    expect(lstatSync(join(folder, 'file')).isFile()).to.equal(true)
    expect(readFileSync(join(outside, 'file'), 'utf8')).to.equal('untouched')
  })

  it('follows no link in the place of its own half-made file', () => {
    symlinkSync(join(outside, 'file'), join(folder, '.file.archy-new'))
    place('/file')
    expect(readFileSync(join(outside, 'file'), 'utf8')).to.equal('untouched')
  })

  it('refuses a path that leads out, and writes to adopted data, which is behind a link of the node', () => {
    expect(() => place('/../outside/file', true)).to.throw('names no file below')
    symlinkSync(folder, join(temp.path, 'adopted'))
    const file = { text: 'x', owner, mode: '0640', overwrite: true }
    placeFile({ ...file, folder: join(temp.path, 'adopted'), path: '/a' })
    expect(readFileSync(join(folder, 'a'), 'utf8')).to.equal('x')
  })

  it('runs as a program that reads what to write', async () => {
    const file = { folder, path: '/by/program', text: 'ü', owner, mode: '0600', overwrite: false }
    const result = await run([process.execPath, 'orchestrator/host/place-file-main.ts'], {
      input: Buffer.from(JSON.stringify(file)),
    })
    expect(result).to.deep.equal({ code: 0, stdout: '', stderr: '' })
    expect(readFileSync(join(folder, 'by/program'), 'utf8')).to.equal('ü')
  })
})
