/** Publishers that no origin lists, behind a catalog: on disk, over restarts, and once an origin does list them. */
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Catalog } from '../../catalog/catalog.ts'
import { createCatalog } from '../../catalog/client.ts'
import { openFeeds } from '../../catalog/feeds/feeds.ts'
import { withFeeds } from '../../catalog/feeds/with-feeds.ts'
import { roleOfPublisher } from '../../catalog/trust/did-key.ts'
import type { Clock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { makePublisher } from '../support/catalog/feed.ts'
import {
  appTarget,
  createSignedOrigin,
  DAY_MS,
  makeKey,
  type SignedOrigin,
  START_MS,
  type TestRole,
} from '../support/catalog/signed-origin.ts'

describe('a catalog with feeds', () => {
  const publisher = makePublisher()
  const { did, id } = publisher
  const app = `${id}.notes`
  let folder: string
  let nowMs: number
  let origin: SignedOrigin
  let feed: Uint8Array | undefined
  /** What the publisher waits for before it answers. */
  let answer: Promise<void> | undefined
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-feeds-'))
    nowMs = START_MS + DAY_MS
    origin = createSignedOrigin()
    origin.publishSet(1)
    feed = publisher.file(1)
    answer = undefined
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function open(): Promise<Catalog> {
    const root = origin.files.get('1.root.json') ?? new Uint8Array()
    const own = await createCatalog({
      sources: () => [origin],
      folder,
      root,
      clock,
      log: silentLog,
    })
    const source = {
      name: 'the publisher',
      kind: 'origin' as const,
      get: async (name: string) => {
        await answer
        return name === `feeds/${id}.json` ? feed : undefined
      },
    }
    const place = { folder: join(folder, 'feeds'), nowMs: () => own.status().nowMs }
    const feeds = await openFeeds({ ...place, log: silentLog }, [{ did, source }])
    return withFeeds(own, feeds)
  }
  async function opened(): Promise<Catalog> {
    const catalog = await open()
    await catalog.refresh()
    return catalog
  }
  const delegated = (bytes = 1): readonly TestRole[] => [
    { name: 'registry', keys: [makeKey()], paths: ['apps/z*/*'] },
    {
      name: roleOfPublisher(did),
      by: 'registry',
      keys: [publisher.keys[0]!],
      paths: [`apps/${id}.*/*`],
      targets: { [publisher.path]: appTarget(bytes, `${bytes}.0.0`) },
      extra: { 'x-did': did },
    },
  ]

  it('offers the apps of a stranger as such, also after a restart without the publisher', async () => {
    expect((await opened()).find(app, 'stable')).to.include({ tier: 'feed', did, publisher: id })
    feed = undefined
    const again = await open()
    expect(again.find(app, 'stable').head.seq).to.equal(1)
    await again.refresh()
    expect(again.status().notices.join()).to.include('has no feed of')
    expect(again.find(app, 'stable').head.seq).to.equal(1)
  })

  it('never lets a stranger stand before an app of the origin', async () => {
    feed = publisher.file(1, { targets: { 'apps/core.hello/stable': appTarget(99, '99.0.0') } })
    const catalog = await opened()
    expect(catalog.find('hello', 'stable')).to.include({ tier: 'core' })
    expect(catalog.offers()).to.have.length(1)
    expect(catalog.status().notices.join()).to.include('not below its own id')
  })

  it('hears the origin alone once it lists the publisher, with the same bytes', async () => {
    const catalog = await opened()
    origin.publishSet(2, { roles: delegated() })
    feed = publisher.file(2)
    await catalog.refresh()
    expect(catalog.find(app, 'stable')).to.include({ tier: 'registry', did })
    expect(catalog.find(app, 'stable').head.seq).to.equal(1)
    expect(catalog.offers().filter(offer => offer.app === 'notes')).to.have.length(1)
    expect(catalog.status().notices.join()).to.include('not needed any more')
  })

  it('marks a stranger whose did the origin revoked, and one whose file is expired', async () => {
    const catalog = await opened()
    origin.publishSet(2, { extra: { targets: { 'x-revoked-dids': [did] } } })
    await catalog.refresh()
    expect(catalog.find(app, 'stable').standing).to.equal('revoked')
    origin.publishSet(3)
    await catalog.refresh()
    expect(catalog.find(app, 'stable').standing).to.equal('current')
    nowMs = START_MS + 90 * DAY_MS
    expect(catalog.find(app, 'stable').standing).to.equal('stale')
  })

  it('keeps its floor when the file is lost, and never lets the feed hurt the catalog', async () => {
    feed = publisher.file(5)
    await opened()
    const files = join(folder, 'feeds')
    expect(await readdir(files)).to.have.length(2)
    await truncate(join(files, `${id}.json`), 10)
    feed = publisher.file(4)
    const catalog = await opened()
    expect(catalog.offers().map(offer => offer.app)).to.deep.equal(['hello'])
    expect(catalog.status().notices.join()).to.include('version 4')
    feed = publisher.file(6, { rotated: 1 })
    await catalog.refresh()
    expect(catalog.find(app, 'stable').head.seq).to.equal(6)
  })

  for (const damage of [rm, truncate]) {
    it(`knows from the file what a floor said that was lost (${damage.name})`, async () => {
      feed = publisher.file(5)
      await opened()
      await damage(join(folder, 'feeds', `${id}.floor.json`))
      await opened()
      feed = publisher.file(3)
      const catalog = await opened()
      expect(catalog.find(app, 'stable').head.seq).to.equal(5)
      expect(catalog.status().notices.join()).to.include('version 3')
    })
  }

  for (const [what, damage] of [
    ['cannot be read', (path: string) => truncate(path, 10)],
    ['is gone', (path: string) => rm(path)],
  ] as const) {
    it(`says that it does not know what a publisher offers whose file ${what}, until a new one comes`, async () => {
      expect((await opened()).status().unknownFeeds).to.deep.equal([])
      await damage(join(folder, 'feeds', `${id}.json`))
      const again = await open()
      expect(again.status().unknownFeeds).to.deep.equal([did])
      expect(again.status().notices.join()).to.include('its stored file cannot be read')
      feed = publisher.file(2)
      await again.refresh()
      expect(again.status().unknownFeeds).to.deep.equal([])
    })
  }

  it('does not miss the file of a publisher whom the origin lists', async () => {
    await opened()
    await truncate(join(folder, 'feeds', `${id}.json`), 10)
    await truncate(join(folder, 'feeds', `${id}.floor.json`), 10)
    feed = undefined
    const catalog = await opened()
    expect(catalog.status().unknownFeeds).to.deep.equal([did])
    origin.publishSet(2, { roles: delegated() })
    await catalog.refresh()
    expect(catalog.status().unknownFeeds).to.deep.equal([])
  })

  it('waits for the publisher also when no origin answers', async () => {
    const catalog = await open()
    origin.files.clear()
    let isAnswered = false
    answer = new Promise(resolve => {
      setTimeout(() => {
        isAnswered = true
        resolve()
      }, 50)
    })
    await catalog.refresh().catch(() => undefined)
    expect(isAnswered).to.equal(true)
    expect(catalog.find(app, 'stable').head.seq).to.equal(1)
  })

  it('goes by the time that the origin proved, when the clock is a year behind', async () => {
    nowMs -= 365 * DAY_MS
    const catalog = await opened()
    expect(catalog.find(app, 'stable')).to.include({ standing: 'current' })
  })

  it('starts with files that no publisher could have signed', async () => {
    await opened()
    for (const name of [`${id}.json`, `${id}.floor.json`]) {
      await truncate(join(folder, 'feeds', name), 2 ** 23)
    }
    expect((await opened()).find(app, 'stable').head.seq).to.equal(1)
  })

  it('writes one floor at a time', async () => {
    const catalog = await open()
    let release = (): void => {}
    answer = new Promise(resolve => {
      release = resolve
    })
    feed = publisher.file(9)
    const first = catalog.refresh()
    const second = catalog.refresh()
    release()
    await Promise.all([first, second])
    const floor = JSON.parse(await readFile(join(folder, 'feeds', `${id}.floor.json`), 'utf8'))
    expect(floor.version).to.equal(9)
  })

  it('takes no word of a publisher whom the origin lists, though a mirror withholds its file', async () => {
    const catalog = await opened()
    origin.publishSet(2, { roles: delegated() })
    for (const name of origin.files.keys()) {
      if (name.includes(roleOfPublisher(did))) origin.files.delete(name)
    }
    await catalog.refresh()
    expect(catalog.offers().map(offer => offer.app)).to.deep.equal(['hello'])
  })

  it('says when the origin lists less than the publisher had said', async () => {
    feed = publisher.file(5)
    const catalog = await opened()
    origin.publishSet(2, { roles: delegated(3) })
    await catalog.refresh()
    expect(catalog.status().notices.join()).to.include('an older file')
  })

  it('refuses a publisher that is no did:key', async () => {
    const open = openFeeds({ folder, nowMs: clock.nowMs, log: silentLog }, [
      { did: 'did:web:x', source: origin },
    ])
    expect(await open.catch((error: { code: string }) => error.code)).to.equal('DID_MALFORMED')
  })
})
