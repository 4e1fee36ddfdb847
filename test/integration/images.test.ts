import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { addApp, initOrigin } from '../../catalog/publish/index.ts'
import { buildAppFolders, buildLargeApp } from '../support/images/index.ts'
import { APPS } from '../support/images/recipes.ts'
import { labMissing } from '../support/lab/index.ts'

const missing = await labMissing()
const realMissing = process.arch === 'x64' ? missing : 'images of programs are built on x64 only'
if (realMissing !== undefined) console.log(`left out: real app images: ${realMissing}`)

describe('app images', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-images-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  const cache = (name: string) => join(folder, name)

  it('have the same digests when they are built twice from nothing', async () => {
    const first = await buildAppFolders({ mode: 'stub', cacheFolder: cache('a') })
    const second = await buildAppFolders({ mode: 'stub', cacheFolder: cache('b') })
    const recipes = Object.values(APPS).flatMap(Object.keys)
    expect(Object.keys(first.images)).to.have.length(recipes.length)
    expect(second.images).to.deep.equal(first.images)
    expect(first.runnable).to.equal(false)
  })

  it('are not built again while nothing has changed', async () => {
    const options = { mode: 'stub', cacheFolder: cache('a') } as const
    const first = await buildAppFolders(options)
    const before = await lstat(first.folders.notes)
    const lines: string[] = []
    const second = await buildAppFolders({ ...options, onProgress: line => lines.push(line) })
    expect(second).to.deep.equal(first)
    expect(lines).to.deep.equal([])
    expect((await lstat(first.folders.notes)).ino).to.equal(before.ino)
  })

  it('are built by two callers at once without harm', async () => {
    const options = { mode: 'stub', cacheFolder: cache('a') } as const
    const [first, second] = await Promise.all([buildAppFolders(options), buildAppFolders(options)])
    expect(second).to.deep.equal(first)
    expect(await readdir(cache('a'))).to.have.length(1)
  })

  it('drop what a killed build left, and keep what another build is making', async () => {
    const [dead, living] = ['building-dead', 'building-living']
    for (const name of [dead, living]) await mkdir(join(cache('a'), name), { recursive: true })
    const longAgo = new Date(Date.now() - 2 * 3_600_000)
    await utimes(join(cache('a'), dead), longAgo, longAgo)
    await buildAppFolders({ mode: 'stub', cacheFolder: cache('a') })
    const left = (await readdir(cache('a'))).filter(name => name.startsWith('building-'))
    expect(left).to.deep.equal([living])
  })

  it('drop a result that nobody used for a week when another is built', async () => {
    const first = await buildAppFolders({ mode: 'stub', cacheFolder: cache('a') })
    const [result = ''] = await readdir(cache('a'))
    const [old, recent] = ['apps-stub-old', 'apps-stub-recent']
    const days = (count: number) => new Date(Date.now() - count * 24 * 3_600_000)
    for (const [name, date] of [
      [old, days(8)],
      [recent, days(6)],
    ] as const) {
      await cp(join(cache('a'), result), join(cache('a'), name), { recursive: true })
      await utimes(join(cache('a'), name, 'images.json'), date, date)
    }
    await rm(join(cache('a'), result), { recursive: true })
    expect(await buildAppFolders({ mode: 'stub', cacheFolder: cache('a') })).to.deep.equal(first)
    expect((await readdir(cache('a'))).sort()).to.deep.equal([result, recent].sort())
  })

  it('share their lower layers as one file on disk', async () => {
    const { folders } = await buildAppFolders({ mode: 'stub', cacheFolder: cache('a') })
    const blobs = async (layout: string) => {
      const path = join(layout, 'blobs/sha256')
      const names = await readdir(path)
      return Promise.all(names.map(async name => ({ name, ...(await stat(join(path, name))) })))
    }
    const [db, web] = await Promise.all(
      ['db', 'web'].map(key => blobs(join(folders.notes, 'images', key))),
    )
    const shared = db?.filter(({ ino }) => web?.some(other => other.ino === ino))
    expect(shared).to.have.length(2)
  })

  it('are taken by the publisher, who stores the layers that two versions share once', async () => {
    const { folders } = await buildAppFolders({ mode: 'stub', cacheFolder: cache('a') })
    const origin = cache('origin')
    await initOrigin(origin, { nowMs: Date.now() })
    const first = await addApp(origin, folders['hello-web'])
    const second = await addApp(origin, folders['hello-web-2'])
    const notes = await addApp(origin, folders.notes)
    const added = [first, second, notes].map(({ app, version, seq }) => `${app} ${version} ${seq}`)
    expect(added).to.deep.equal(['hello-web 1.0.0 1', 'hello-web 2.0.0 2', 'notes 1.0.0 1'])
    expect(second.newBytes).to.be.lessThan(first.newBytes / 2)
  })

  describe('of a large app', () => {
    it('hold as many bytes as asked, which do not compress and follow from the seed', async () => {
      const apps = await buildAppFolders({ mode: 'stub', cacheFolder: cache('a') })
      const options = { mib: 2, seed: 'one', id: 'large-one', apps }
      const [first, again, other] = await Promise.all([
        buildLargeApp(cache('first'), options),
        buildLargeApp(cache('again'), options),
        buildLargeApp(cache('other'), { ...options, seed: 'two' }),
      ])
      expect(again.image).to.deep.equal(first.image)
      expect(other.layer.digest).not.to.equal(first.layer.digest)
      const path = join(first.folder, 'images/web/blobs', first.layer.digest.replace(':', '/'))
      const bytes = await readFile(path)
      expect(bytes).to.have.length(first.layer.sizeBytes)
      expect(bytes.length).to.be.greaterThan(2 * 1024 * 1024)
      expect(gzipSync(bytes, { level: 1 }).length).to.be.greaterThan(2 * 1024 * 1024)
      expect((await readdir(first.folder)).sort()).to.deep.equal(['archy.yaml', 'images'])
    })
  })

  if (realMissing === undefined) {
    it('of real programs have the same digests when they are built again from nothing', async function () {
      this.timeout(600_000)
      const cached = await buildAppFolders({ mode: 'real' })
      const again = await buildAppFolders({ mode: 'real', cacheFolder: cache('real') })
      const isCurrent = isDeepStrictEqual(again.packages, cached.packages)
      // The cached images may be older than the newest packages: then a third build is compared.
      const known = isCurrent
        ? cached
        : await buildAppFolders({ mode: 'real', cacheFolder: cache('third') })
      expect(again.images).to.deep.equal(known.images)
      expect(again.runnable).to.equal(true)
    })
  }
})
