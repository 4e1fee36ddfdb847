import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { applySteps, planCommit, readCache } from '../../catalog/cache.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import { createCatalog } from '../../catalog/client.ts'
import type { Clock } from '../../src/core/clock.ts'
import { codeOf } from '../../src/core/errors.ts'
import { silentLog } from '../../src/core/log.ts'
import {
  appTarget,
  createSignedOrigin,
  DAY_MS,
  makeKey,
  type SignedOrigin,
  START_MS,
} from '../support/catalog/signed-origin.ts'

describe('catalog client', () => {
  let folder: string
  let nowMs: number
  let origin: SignedOrigin
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-catalog-'))
    nowMs = START_MS + DAY_MS
    origin = createSignedOrigin()
    origin.publishSet(1)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  function open(source: SignedOrigin = origin, root = '1.root.json'): Promise<Catalog> {
    const bytes = origin.files.get(root) ?? new Uint8Array()
    return createCatalog({ sources: () => [source], folder, root: bytes, clock, log: silentLog })
  }
  async function opened(): Promise<Catalog> {
    const catalog = await open()
    await catalog.refresh()
    return catalog
  }
  async function refusal(catalog: Catalog): Promise<string | undefined> {
    const error = await catalog.refresh().catch((reason: unknown) => reason)
    return codeOf(error)
  }

  it('is empty before the first refresh', async () => {
    const catalog = await open()
    expect(catalog.offers()).to.deep.equal([])
    expect(catalog.status()).to.include({ root: 1, timestamp: undefined, freshness: 'none' })
  })

  it('knows the apps of the origin after a refresh', async () => {
    const catalog = await open()
    expect(await catalog.refresh()).to.equal('updated')
    expect(catalog.find('hello', 'stable').head).to.include({
      seq: 1,
      version: '1.0.1',
      publisher: 'core',
    })
    expect(catalog.status()).to.include({
      root: 1,
      timestamp: 1,
      snapshot: 1,
      targets: 1,
      issuedMs: START_MS,
      expiresMs: START_MS + 7 * DAY_MS,
      freshness: 'fresh',
      source: 'the test origin',
    })
  })

  it('asks only for the timestamp when nothing is new', async () => {
    const catalog = await opened()
    origin.asked.length = 0
    expect(await catalog.refresh()).to.equal('unchanged')
    expect(origin.asked).to.deep.equal(['2.root.json', 'timestamp.json'])
  })

  it('refuses a catalog that other keys signed, and keeps its own', async () => {
    const catalog = await opened()
    origin.publishSet(2, { keys: { timestamp: [makeKey()] } })
    expect(await refusal(catalog)).to.equal('SIGNATURE_THRESHOLD')
    expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
  })

  it('survives a new start without the origin', async () => {
    await opened()
    origin.beforeAnswer = () => {
      throw new Error('no route')
    }
    const catalog = await open()
    expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
    expect(await refusal(catalog)).to.equal('METADATA_UNREACHABLE')
    expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
  })

  it('refuses an expired catalog from the origin, and keeps its own', async () => {
    const catalog = await opened()
    nowMs = START_MS + 8 * DAY_MS
    origin.publishSet(2)
    expect(await refusal(catalog)).to.equal('METADATA_EXPIRED')
    expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
  })

  for (const role of ['root', 'snapshot', 'targets'] as const) {
    it(`refuses a newer catalog whose ${role} is expired`, async () => {
      const catalog = await opened()
      const expiresMs = START_MS + DAY_MS - 1000
      if (role === 'root') origin.publishRoot(2, { expiresMs })
      origin.publishSet(2, { expiresMs: { [role]: expiresMs } })
      expect(await refusal(catalog)).to.equal('METADATA_EXPIRED')
      expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
    })
  }

  it('tells fresh, stale and expired apart, and keeps its entries in each', async () => {
    const catalog = await opened()
    const seen = [6, 8, 36, 38].map(days => {
      nowMs = START_MS + days * DAY_MS
      return catalog.status().freshness
    })
    expect(seen).to.deep.equal(['fresh', 'stale', 'stale', 'expired'])
    expect((await open()).find('hello', 'stable').head.seq).to.equal(1)
  })

  for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
    it(`refuses an older ${role}`, async () => {
      origin.publishSet(5)
      const catalog = await opened()
      const newer = { timestamp: 6, snapshot: 6, targets: 6 }
      origin.publishSet(6, { versions: { ...newer, [role]: 4 } })
      expect(await refusal(catalog)).to.equal('VERSION_ROLLBACK')
      expect(catalog.find('hello', 'stable').head.seq).to.equal(5)
    })
  }

  it('refuses an older catalog after its cache was wiped', async () => {
    const old = new Map(origin.files)
    origin.publishSet(2)
    await opened()
    await rm(join(folder, 'cache'), { recursive: true })
    for (const [name, bytes] of old) origin.files.set(name, bytes)
    expect(await refusal(await open())).to.equal('VERSION_ROLLBACK')
  })

  it('refuses other content under a version it has seen, also after its cache was wiped', async () => {
    const catalog = await opened()
    origin.publishSet(1, { targets: { 'apps/core.hello/stable': appTarget(9, '9.9.9') } })
    expect(await refusal(catalog)).to.equal('CATALOG_FORKED')
    await rm(join(folder, 'cache'), { recursive: true })
    expect(await refusal(await open())).to.equal('VERSION_REUSED')
  })

  it('does not take a second signing of the same content for other content', async () => {
    const timestamp = [makeKey('p256')]
    origin.publishRoot(2, { keys: { timestamp } })
    origin.publishSet(2)
    const catalog = await opened()
    const before = Buffer.from(origin.files.get('timestamp.json') ?? [])
    origin.publishSet(2)
    expect(before.equals(origin.files.get('timestamp.json') ?? before)).to.equal(false)
    expect(await catalog.refresh()).to.equal('unchanged')
  })

  const damages: Readonly<Record<string, [name: string, change: (bytes: Buffer) => Uint8Array]>> = {
    LENGTH_MISMATCH: ['1.targets.json', bytes => bytes.subarray(0, -1)],
    HASH_MISMATCH: [
      '1.targets.json',
      bytes => Buffer.from(bytes.toString().replace('1.0.1', '1.0.2')),
    ],
    METADATA_TOO_LARGE: ['1.snapshot.json', bytes => Buffer.concat([bytes, bytes])],
    METADATA_MALFORMED: ['timestamp.json', bytes => bytes.subarray(0, -20)],
    SIGNATURE_THRESHOLD: [
      'timestamp.json',
      bytes => Buffer.from(bytes.toString().replace('2026', '2036')),
    ],
  }
  for (const [code, [name, change]] of Object.entries(damages)) {
    it(`refuses a changed ${name} with ${code}`, async () => {
      origin.files.set(name, change(Buffer.from(origin.files.get(name) ?? [])))
      const catalog = await open()
      expect(await refusal(catalog)).to.equal(code)
      expect(catalog.offers()).to.deep.equal([])
    })
  }

  for (const name of ['timestamp.json', '1.snapshot.json', '1.targets.json']) {
    it(`says that ${name} is missing at the origin`, async () => {
      origin.files.delete(name)
      expect(await refusal(await open())).to.equal('METADATA_MISSING')
    })
  }

  for (const name of ['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json']) {
    it(`heals a truncated ${name} on disk`, async () => {
      origin.publishRoot(2, { keys: { timestamp: [makeKey()] } })
      origin.publishSet(1)
      await opened()
      await truncate(join(folder, 'cache', name), 100)
      const catalog = await open()
      // The chain of timestamps has the newest one too.
      expect(catalog.offers()).to.have.length(name === 'timestamp.json' ? 1 : 0)
      await catalog.refresh()
      expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
      expect((await open()).find('hello', 'stable').head.seq).to.equal(1)
    })
  }

  it('starts new floors from its cache when the floors file is damaged', async () => {
    origin.publishSet(2)
    await opened()
    await writeFile(join(folder, 'floors.json'), '{"root"')
    await open()
    await rm(join(folder, 'cache'), { recursive: true })
    const catalog = await open()
    origin.publishSet(1)
    expect(await refusal(catalog)).to.equal('VERSION_ROLLBACK')
  })

  it('keeps its floors when the cache is wiped after a change of keys', async () => {
    const keys = { timestamp: [makeKey()], snapshot: [makeKey()] }
    origin.publishRoot(2, { keys })
    origin.publishSet(7)
    await opened()
    await rm(join(folder, 'cache'), { recursive: true })
    origin.publishSet(6)
    expect(await refusal(await open())).to.equal('VERSION_ROLLBACK')
  })

  it('accepts lower versions once a new root has replaced the keys that signed too high ones', async () => {
    origin.publishSet(9000)
    const catalog = await opened()
    origin.publishRoot(2, { keys: { timestamp: [makeKey()], snapshot: [makeKey()] } })
    origin.publishSet(2)
    expect(await catalog.refresh()).to.equal('updated')
    expect(catalog.status()).to.include({ root: 2, timestamp: 2, targets: 2 })
  })

  it('believes a replaced key no longer, even when the rest of the refresh fails', async () => {
    const catalog = await opened()
    origin.publishRoot(2, { keys: { timestamp: [makeKey()] } })
    expect(await refusal(catalog)).to.equal('SIGNATURE_THRESHOLD')
    expect(catalog.status()).to.include({ root: 2, timestamp: undefined })
    expect((await open()).status()).to.include({ root: 2, timestamp: undefined })
  })

  it('refuses an origin that is back at an older root', async () => {
    origin.publishRoot(2)
    origin.publishSet(2)
    await opened()
    await rm(join(folder, 'cache'), { recursive: true })
    origin.files.delete('2.root.json')
    expect(await refusal(await open())).to.equal('VERSION_ROLLBACK')
  })

  it('goes on from an embedded root that is newer than its cache', async () => {
    await opened()
    origin.publishRoot(2)
    origin.publishRoot(3)
    const catalog = await open(origin, '3.root.json')
    expect(catalog.status().root).to.equal(3)
    expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
  })

  it('keeps on disk the files of the set it trusts, every root and the chain of timestamps', async () => {
    const catalog = await opened()
    origin.publishRoot(2)
    origin.publishSet(2)
    await catalog.refresh()
    expect((await readdir(join(folder, 'cache'))).sort()).to.deep.equal([
      '1.timestamp.json',
      '2.root.json',
      '2.snapshot.json',
      '2.targets.json',
      '2.timestamp.json',
      'timestamp.json',
    ])
  })

  it('rejects with the reason of the caller who gave up, and works again after', async () => {
    const catalog = await open()
    const stop = new AbortController()
    origin.beforeAnswer = () => stop.abort(new Error('enough'))
    const error = await catalog.refresh(stop.signal).catch((reason: unknown) => reason)
    expect(error).to.have.property('message', 'enough')
    origin.beforeAnswer = () => undefined
    expect(await catalog.refresh()).to.equal('updated')
  })

  it('runs two refreshes one after another', async () => {
    const catalog = await open()
    expect(await Promise.all([catalog.refresh(), catalog.refresh()])).to.deep.equal([
      'updated',
      'unchanged',
    ])
  })

  it('leaves out an entry that it cannot use, says why, and keeps the others', async () => {
    const good = appTarget(1, '1.0.0')
    origin.publishSet(1, {
      targets: {
        'apps/core.hello/stable': good,
        'apps/core.later/stable': { ...good, custom: { v: 2 } },
        'index/en': good,
      },
    })
    const catalog = await opened()
    expect(catalog.offers().map(entry => entry.app)).to.deep.equal(['hello'])
    expect(() => catalog.find('later', 'stable')).to.throw(/cannot be used/)
  })

  it('refuses an embedded root that another key signed', async () => {
    const other = createSignedOrigin()
    const bytes = Buffer.from(other.files.get('1.root.json') ?? [])
    origin.files.set('1.root.json', Buffer.from(bytes.toString().replace('2027', '2028')))
    const error = await open().catch((reason: unknown) => reason)
    expect(codeOf(error)).to.equal('ROOT_INVALID')
  })

  it('has a whole catalog on disk after each single write of a commit', async () => {
    origin.publishSet(1)
    await opened()
    const before = await readCache(join(folder, 'cache'), silentLog)
    origin.publishRoot(2)
    origin.publishSet(2)
    await opened()
    const steps = planCommit(before, await readCache(join(folder, 'cache'), silentLog))
    expect(steps.map(step => step.name)).to.deep.equal([
      '2.snapshot.json',
      '2.targets.json',
      '2.timestamp.json',
      '2.root.json',
      'timestamp.json',
      '1.snapshot.json',
      '1.targets.json',
    ])
    for (let count = 0; count <= steps.length; count += 1) {
      await rm(join(folder, 'cache'), { recursive: true })
      await applySteps(join(folder, 'cache'), planCommit(new Map(), before))
      await applySteps(join(folder, 'cache'), steps.slice(0, count))
      const catalog = await open()
      const seq = count < 5 ? 1 : 2
      expect(catalog.find('hello', 'stable').head.seq, `${count} steps`).to.equal(seq)
      await catalog.refresh()
      expect(catalog.find('hello', 'stable').head.seq).to.equal(2)
    }
  })

  it('removes what a killed process left half written', async () => {
    await opened()
    const left = join(folder, 'cache', '.timestamp.json.aabbcc.tmp')
    await writeFile(left, 'half')
    await open()
    expect(await readdir(join(folder, 'cache'))).to.not.include('.timestamp.json.aabbcc.tmp')
  })

  it('keeps its catalog when the disk refuses the new one', async () => {
    const catalog = await opened()
    await rm(join(folder, 'cache'), { recursive: true })
    await writeFile(join(folder, 'cache'), 'not a folder')
    origin.publishSet(2)
    expect(await refusal(catalog)).to.be.a('string')
    expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
    await rm(join(folder, 'cache'))
    expect(await catalog.refresh()).to.equal('updated')
    expect((await open()).find('hello', 'stable').head.seq).to.equal(2)
  })

  it('opens although a stored file is far too large', async () => {
    await opened()
    await truncate(join(folder, 'cache', '1.targets.json'), 20_000_000)
    const catalog = await open()
    expect(catalog.offers()).to.deep.equal([])
    await catalog.refresh()
    expect((await open()).find('hello', 'stable').head.seq).to.equal(1)
  })
})
