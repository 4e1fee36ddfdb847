/** Publishers that no origin lists, behind a catalog: on disk, over restarts, and once an origin does list them. */
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
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
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-feeds-'))
    nowMs = START_MS + DAY_MS
    origin = createSignedOrigin()
    origin.publishSet(1)
    feed = publisher.file(1)
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
      get: async (name: string) => (name === `feeds/${id}.json` ? feed : undefined),
    }
    const feeds = await openFeeds({ folder: join(folder, 'feeds'), clock, log: silentLog }, [
      { did, source },
    ])
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
})
