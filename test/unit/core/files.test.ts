import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { codeOf } from '../../../src/core/errors.ts'
import { namesIn, pathExists } from '../../../src/core/files.ts'

describe('what is on disk', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-files-'))
    await writeFile(join(folder, 'a'), '')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is there or not; what cannot be looked at is neither', async () => {
    const paths = ['a', 'b', 'a/below-a-file', '.']
    const found = await Promise.all(paths.map(path => pathExists(join(folder, path))))
    expect(found).to.deep.equal([true, false, false, true])
    expect(await pathExists(join(folder, 'x'.repeat(300))).catch(codeOf)).to.equal('ENAMETOOLONG')
  })

  it('has names in folders, none in one that is not there, and an error for what is no folder', async () => {
    expect(await namesIn(folder)).to.deep.equal(['a'])
    expect(await namesIn(join(folder, 'b'))).to.deep.equal([])
    expect(await namesIn(join(folder, 'a')).catch(codeOf)).to.equal('ENOTDIR')
  })
})
