import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Catalog, createCatalog } from '../../../catalog/client.ts'
import type { Clock } from '../../../src/core/clock.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import {
  createSignedOrigin,
  DAY_MS,
  makeKey,
  type SignedOrigin,
  START_MS,
} from '../../support/catalog/signed-origin.ts'

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
    return createCatalog({ source, folder, root: bytes, clock, log: silentLog })
  }
  async function opened(): Promise<Catalog> {
    const catalog = await open()
    await catalog.refresh()
    return catalog
  }
  async function refusal(catalog: Catalog): Promise<string | undefined> {
    const error = await catalog.refresh().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    return codeOf(error)
  }

  it('is empty before the first refresh', async () => {
    const catalog = await open()
    expect(catalog.entries()).to.deep.equal([])
    expect(catalog.status()).to.include({ root: 1, timestamp: undefined, freshness: 'none' })
  })

  it('knows the apps of the origin after a refresh', async () => {
    const catalog = await open()
    expect(await catalog.refresh()).to.equal('updated')
    expect(catalog.find('hello', 'stable')).to.include({
      seq: 1,
      version: '1.0.1',
      publisher: 'core',
    })
    expect(catalog.status()).to.deep.equal({
      root: 1,
      timestamp: 1,
      snapshot: 1,
      targets: 1,
      issuedMs: START_MS,
      expiresMs: START_MS + 7 * DAY_MS,
      freshness: 'fresh',
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
    expect(catalog.find('hello', 'stable').seq).to.equal(1)
  })

  it('survives a new start without the origin', async () => {
    await opened()
    origin.beforeAnswer = () => {
      throw new Error('no route')
    }
    const catalog = await open()
    expect(catalog.find('hello', 'stable').seq).to.equal(1)
    expect(await refusal(catalog)).to.equal('METADATA_UNREACHABLE')
    expect(catalog.find('hello', 'stable').seq).to.equal(1)
  })
})
