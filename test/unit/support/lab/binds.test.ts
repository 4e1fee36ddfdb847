import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { projectBinds } from '../../../support/lab/binds.ts'

describe('what nodes see of the project', () => {
  let folder: string
  let project: string

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'binds-')))
    project = join(folder, 'project')
    await mkdir(project)
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is the project alone when its packages are inside, or not there', async () => {
    const alone = [{ from: project, to: '/opt/archy' }]
    expect(await projectBinds(project)).to.deep.equal(alone)
    await mkdir(join(project, 'node_modules'))
    expect(await projectBinds(project)).to.deep.equal(alone)
  })

  it('has the packages at the place that a link to them means', async () => {
    const packages = join(folder, 'packages')
    await mkdir(packages)
    await symlink(packages, join(project, 'node_modules'))
    expect((await projectBinds(project))[1]).to.deep.equal({ from: packages, to: packages })
    await rm(join(project, 'node_modules'))
    await symlink('../packages', join(project, 'node_modules'))
    expect((await projectBinds(project))[1]).to.deep.equal({ from: packages, to: '/opt/packages' })
  })
})
