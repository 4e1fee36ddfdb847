/** The catalog of a node that has many sources: roles, bad sources, forks, and what a clock or an outage does. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Catalog } from '../../catalog/catalog.ts'
import { createCatalog } from '../../catalog/client.ts'
import type { MetadataSource } from '../../catalog/source.ts'
import { didKeyOf, publisherIdOf, roleOfPublisher } from '../../catalog/trust/did-key.ts'
import type { Clock } from '../../src/core/clock.ts'
import { codeOf } from '../../src/core/errors.ts'
import { silentLog } from '../../src/core/log.ts'
import {
  appTarget,
  createSignedOrigin,
  DAY_MS,
  makeKey,
  type SetOptions,
  type SignedOrigin,
  START_MS,
  type TestRole,
} from '../support/catalog/signed-origin.ts'

describe('catalog of many sources', () => {
  let folder: string
  let nowMs: number
  let origin: SignedOrigin
  let refused: string[]
  const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-catalog-'))
    nowMs = START_MS + DAY_MS
    origin = createSignedOrigin()
    origin.publishSet(1)
    refused = []
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  async function open(...sources: readonly MetadataSource[]): Promise<Catalog> {
    const asked = sources.length === 0 ? [origin] : sources
    const root = origin.files.get('1.root.json') ?? new Uint8Array()
    const onRefused = (source: MetadataSource, error: unknown): void =>
      void refused.push(`${source.name}: ${codeOf(error)}`)
    const deps = { sources: () => asked, onRefused, folder, root, clock, log: silentLog }
    return await createCatalog(deps)
  }
  async function opened(...sources: readonly MetadataSource[]): Promise<Catalog> {
    const catalog = await open(...sources)
    await catalog.refresh()
    return catalog
  }
  /** Whoever has `files`, as a peer. */
  function peer(name: string, files: ReadonlyMap<string, Uint8Array>): MetadataSource {
    return { name, kind: 'peer', get: async file => files.get(file) }
  }
  const silentOrigin: MetadataSource = {
    name: 'a silent origin',
    kind: 'origin',
    get: async () => {
      throw new Error('no route')
    },
  }
  const refusal = async (catalog: Catalog) =>
    codeOf(await catalog.refresh().catch((error: unknown) => error))
  const previous = (version: number, content: string) => ({
    extra: { timestamp: { 'x-prev': { version, sha256: content } } },
  })

  describe('with delegated roles', () => {
    const key = makeKey()
    const did = didKeyOf(key.publicKey)
    const id = publisherIdOf(did)
    const path = `apps/${id}.notes/stable`
    const core: TestRole = {
      name: 'core',
      keys: [makeKey()],
      paths: ['apps/core.*/*'],
      terminating: true,
      targets: { 'apps/core.web/stable': appTarget(1, '1.0.0') },
    }
    const registry: TestRole = { name: 'registry', keys: [makeKey()], paths: ['apps/z*/*'] }
    const claimed: TestRole = { name: 'claimed', keys: [makeKey()], paths: ['apps/z*/*'] }
    const publisher: TestRole = {
      name: roleOfPublisher(did),
      by: 'registry',
      keys: [key],
      paths: [`apps/${id}.*/*`],
      terminating: true,
      targets: { [path]: appTarget(3, '3.0.0') },
      extra: { 'x-did': did },
    }
    const all = [core, claimed, registry, publisher]
    const publish = (version: number, roles: readonly TestRole[], more: SetOptions = {}) =>
      origin.publishSet(version, { targets: {}, roles, ...more })

    it('knows the apps of every role and who stands behind them', async () => {
      publish(2, all)
      const catalog = await opened()
      expect(catalog.find('web', 'stable')).to.include({
        role: 'core',
        tier: 'core',
        did: undefined,
      })
      expect(catalog.find(`${id}.notes`, 'stable')).to.include({
        role: roleOfPublisher(did),
        tier: 'registry',
        did,
        standing: 'current',
      })
    })

    it('tells a publisher that the offline keys confirmed from one that an online key listed', async () => {
      publish(2, [core, claimed, { ...publisher, by: 'claimed' }, registry])
      expect((await opened()).find(`${id}.notes`, 'stable').tier).to.equal('claimed')
    })

    it('hears nobody about paths that another role decides over, also where that one is silent', async () => {
      const greedy = {
        ...registry,
        paths: ['apps/*/*'],
        targets: { 'apps/core.evil/stable': appTarget(1, '1.0.0') },
      }
      publish(2, [
        core,
        greedy,
        {
          ...publisher,
          targets: {
            'apps/core.evil/stable': appTarget(1, '1.0.0'),
            [path]: appTarget(1, '1.0.0'),
          },
        },
      ])
      expect(
        (await opened())
          .offers()
          .map(offer => offer.app)
          .sort(),
      ).to.deep.equal(['notes', 'web'])
    })

    it('takes a role that two delegate from the first, and says so', async () => {
      publish(2, [
        core,
        claimed,
        { ...publisher, by: 'claimed' },
        registry,
        { ...publisher, by: 'registry', keys: [makeKey()], signers: [key] },
      ])
      const catalog = await opened()
      expect(catalog.find(`${id}.notes`, 'stable').tier).to.equal('claimed')
      expect(catalog.status().notices.join()).to.include('delegated twice')
    })

    it('keeps the last verified file of a role whose newest is missing, and all others go on', async () => {
      publish(2, all)
      const catalog = await opened()
      publish(3, [
        { ...core, targets: { 'apps/core.web/stable': appTarget(2, '2.0.0') } },
        claimed,
        registry,
        { ...publisher, isMissing: true },
      ])
      expect(await catalog.refresh()).to.equal('updated')
      expect(catalog.find('web', 'stable').head.seq).to.equal(2)
      expect(catalog.find(`${id}.notes`, 'stable')).to.include({ standing: 'kept' })
      expect(catalog.status().notices).to.have.length(1)
      const again = await open()
      expect(again.find(`${id}.notes`, 'stable')).to.include({ standing: 'kept' })
      publish(3, [
        { ...core, targets: { 'apps/core.web/stable': appTarget(2, '2.0.0') } },
        claimed,
        registry,
        publisher,
      ])
      expect(await again.refresh()).to.equal('updated')
      expect(again.find(`${id}.notes`, 'stable')).to.include({ standing: 'current' })
    })

    it('does not believe a kept file whose key its delegator replaced', async () => {
      publish(2, all)
      const catalog = await opened()
      const stolen = { ...publisher, keys: [makeKey()], isMissing: true }
      publish(3, [core, claimed, registry, stolen])
      await catalog.refresh()
      expect(() => catalog.find(`${id}.notes`, 'stable')).to.throw(/has no app/)
    })

    it('makes only the apps of a publisher stale whose role is expired', async () => {
      publish(2, [core, claimed, registry, { ...publisher, expiresMs: nowMs + 1000 }])
      const catalog = await opened()
      expect(catalog.find(`${id}.notes`, 'stable').standing).to.equal('current')
      nowMs += 1000
      expect(catalog.find(`${id}.notes`, 'stable').standing).to.equal('stale')
      expect(catalog.find('web', 'stable').standing).to.equal('current')
      expect(catalog.status().freshness).to.equal('fresh')
    })

    it('marks the apps of a publisher whose did the origin revoked', async () => {
      publish(2, all, { extra: { targets: { 'x-revoked-dids': [did] } } })
      publish(2, all)
      origin.publishSet(2, {
        targets: {},
        roles: all,
        extra: { targets: { 'x-revoked-dids': [did] } },
      })
      const catalog = await opened()
      expect(catalog.find(`${id}.notes`, 'stable').standing).to.equal('revoked')
      expect(catalog.status().notices.join()).to.include('withdrew this publisher')
    })

    it('refuses a role file that is not signed by the keys of its delegation', async () => {
      publish(2, [core, claimed, registry, { ...publisher, signers: [makeKey()] }])
      const catalog = await opened()
      expect(catalog.offers().map(offer => offer.app)).to.deep.equal(['web'])
      expect(catalog.status().notices[0]).to.include(roleOfPublisher(did))
    })

    it('does not end in a circle of delegations', async () => {
      const a: TestRole = { name: 'a', keys: [makeKey()], paths: ['apps/z*/*'] }
      publish(2, [a, { ...a, name: 'b', by: 'a' }, { ...a, by: 'b' }])
      expect((await opened()).status().notices.join()).to.include('the role a is delegated twice')
    })
  })

  describe('when the origin is silent', () => {
    it('gets the newest catalog from one honest peer among four liars, and names them', async () => {
      const old = new Map(origin.files)
      const catalog = await opened()
      origin.publishSet(2)
      const honest = peer('honest', new Map(origin.files))
      const other = createSignedOrigin()
      other.publishSet(9)
      const tampered = new Map(origin.files)
      tampered.set('2.targets.json', Buffer.from('{}'))
      const huge = new Map(origin.files).set('timestamp.json', new Uint8Array(100_000))
      const liars = [
        peer(
          'other keys',
          new Map([...other.files].filter(([name]) => !name.endsWith('root.json'))),
        ),
        peer('tampered', tampered),
        peer('huge', huge),
        peer('older', old),
      ]
      nowMs += DAY_MS
      const again = await open(silentOrigin, ...liars, honest)
      expect(await again.refresh()).to.equal('updated')
      expect(again.status()).to.include({ timestamp: 2, freshness: 'fresh', source: 'honest' })
      expect(again.status().origin.error?.code).to.equal('METADATA_UNREACHABLE')
      expect(refused.sort()).to.deep.equal([
        'a silent origin: METADATA_UNREACHABLE',
        'huge: METADATA_TOO_LARGE',
        'older: VERSION_ROLLBACK',
        'other keys: SIGNATURE_THRESHOLD',
        'tampered: LENGTH_MISMATCH',
      ])
      expect(catalog.status().timestamp).to.equal(1)
    })

    it('works from what it has without a newer one, and keeps trying', async () => {
      await opened()
      const catalog = await open(silentOrigin)
      expect(await refusal(catalog)).to.equal('METADATA_UNREACHABLE')
      expect(catalog.status()).to.include({ freshness: 'fresh', timestamp: 1 })
      expect(catalog.status().origin.error?.sinceMs).to.equal(nowMs)
    })

    it('takes an expired catalog when it has none at all, and says that it is stale', async () => {
      nowMs = START_MS + 8 * DAY_MS
      const catalog = await opened(silentOrigin, peer('a neighbour', origin.files))
      expect(catalog.status()).to.include({ freshness: 'stale', timestamp: 1 })
      expect(catalog.status().allows).to.include({ install: 'notice', update: false })
      expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
    })

    it('only raises its floors from a newer catalog that is expired', async () => {
      const catalog = await opened()
      const old = new Map(origin.files)
      origin.publishSet(2)
      nowMs = START_MS + 8 * DAY_MS
      expect(await refusal(catalog)).to.equal('METADATA_EXPIRED')
      expect(catalog.status()).to.include({ timestamp: 1, freshness: 'stale' })
      nowMs = START_MS + DAY_MS
      expect(await refusal(await open(peer('older', old)))).to.equal('VERSION_ROLLBACK')
    })

    it('gets a root that all but one peer withhold', async () => {
      const withheld = new Map(origin.files)
      const catalog = await opened()
      expect(catalog.status().root).to.equal(1)
      origin.publishRoot(2)
      origin.publishSet(2)
      const others = [1, 2, 3].map(index => peer(`withholds ${index}`, withheld))
      const again = await open(...others, peer('honest', origin.files))
      await again.refresh()
      expect(again.status()).to.include({ root: 2, timestamp: 2 })
    })

    it('asks peers although the origin answers, when one claims something newer', async () => {
      const old = { ...origin, get: async (name: string) => oldFiles.get(name) }
      const oldFiles = new Map(origin.files)
      origin.publishSet(2)
      const catalog = await open(old, peer('honest', origin.files))
      await catalog.refresh()
      expect(catalog.status().timestamp).to.equal(1)
      expect(
        catalog.noteClaim('honest', { root: 1, timestamp: 2, content: 'ab'.repeat(32) }),
      ).to.equal(true)
      await catalog.refresh()
      expect(catalog.status().timestamp).to.equal(2)
    })

    it('says after an hour that a root is withheld which a peer claims, until the peer leaves', async () => {
      const catalog = await opened()
      catalog.noteClaim('a peer', { root: 3, timestamp: 1, content: 'ab'.repeat(32) })
      nowMs += 3_600_000
      expect(catalog.status().flags.map(({ code }) => code)).to.deep.equal(['ROOT_STUCK'])
      catalog.noteClaim('a peer', undefined)
      expect(catalog.status().flags).to.be.empty
    })
  })

  describe('when the key of the origin signs two truths', () => {
    it('keeps the first, proves the fork, and installs nothing until a root settles it', async () => {
      const catalog = await opened()
      origin.publishSet(1, { targets: { 'apps/core.evil/stable': appTarget(1, '6.6.6') } })
      expect(await refusal(catalog)).to.equal('CATALOG_FORKED')
      expect(catalog.find('hello', 'stable').head.seq).to.equal(1)
      const [proof] = catalog.forks()
      expect(proof).to.include({ kind: 'same-version', version: 1 })
      expect(catalog.status().allows).to.include({ install: 'no', update: false })

      const again = await open()
      expect(again.status().flags.map(({ code }) => code)).to.deep.equal(['FORK'])
      origin.publishRoot(2, { keys: { timestamp: [makeKey()] } })
      origin.publishSet(2)
      await again.refresh()
      expect(again.status().flags).to.be.empty
      expect(again.forks()).to.have.length(1)
      expect(again.status().timestamp).to.equal(2)
    })

    it('sees two successors of one head although their numbers never meet', async () => {
      const catalog = await opened()
      const first = catalog.head()?.content ?? ''
      origin.publishSet(2, previous(1, first))
      await catalog.refresh()
      origin.publishSet(5, previous(1, first))
      expect(await refusal(catalog)).to.equal('CATALOG_FORKED')
      expect(catalog.forks()[0]).to.include({ kind: 'two-successors', version: 1 })
      expect(catalog.status().timestamp).to.equal(2)
    })

    it('is told by a peer: a whole timestamp, or a whole proof; and believes neither without signatures', async () => {
      const catalog = await opened()
      const other = new Map(origin.files)
      origin.publishSet(1, { targets: {} })
      const forged = origin.files.get('timestamp.json') ?? new Uint8Array()
      const known = other.get('timestamp.json') ?? new Uint8Array()
      const stranger = createSignedOrigin()
      stranger.publishSet(1)
      const unsigned = stranger.files.get('timestamp.json') ?? new Uint8Array()
      expect(await catalog.noteHead(known)).to.equal('known')
      expect(await catalog.noteHead(unsigned)).to.equal('refused')
      expect(await catalog.noteProof(known, unsigned)).to.equal(false)
      expect(await catalog.noteProof(known, known)).to.equal(false)
      expect(catalog.forks()).to.be.empty
      expect(await catalog.noteHead(forged)).to.equal('forked')
      expect(await catalog.noteProof(known, forged)).to.equal(false)
      expect(catalog.forks()).to.have.length(1)
    })

    it('raises no alarm for a second signature over the same content', async () => {
      const keys = { timestamp: [makeKey('p256')] }
      const p256 = createSignedOrigin({ ...origin.keys, ...keys })
      origin = p256
      p256.publishSet(1)
      const catalog = await opened()
      const before = p256.files.get('timestamp.json')
      p256.publishSet(1)
      expect(p256.files.get('timestamp.json')).to.not.deep.equal(before)
      expect(await catalog.refresh()).to.equal('unchanged')
      expect(catalog.forks()).to.be.empty
    })

    it('is settled by the offline keys when they list both heads', async () => {
      const catalog = await opened()
      origin.publishSet(1, { targets: {} })
      await refusal(catalog)
      const contents = catalog.forks()[0]?.contents
      origin.publishSet(2, { extra: { targets: { 'x-ack-forks': [contents] } } })
      await catalog.refresh()
      expect(catalog.status()).to.deep.include({ timestamp: 2, flags: [] })
    })
  })

  it('fills the chain of timestamps from the source, and says after a day when nobody has it', async () => {
    const catalog = await opened()
    let content = catalog.head()?.content ?? ''
    const contents = new Map<number, string>()
    for (const version of [2, 3, 4]) {
      origin.publishSet(version, previous(version - 1, content))
      const scout = await createCatalog({
        sources: () => [origin],
        folder: join(folder, `scout-${version}`),
        root: origin.files.get('1.root.json') ?? new Uint8Array(),
        clock,
        log: silentLog,
      })
      await scout.refresh()
      content = scout.head()?.content ?? ''
      contents.set(version, content)
    }
    await catalog.refresh()
    expect(['2', '3', '4'].map(v => catalog.file(`${v}.timestamp.json`))).to.not.include(undefined)
    origin.publishSet(7, previous(6, 'ab'.repeat(32)))
    await catalog.refresh()
    expect(catalog.status()).to.deep.include({ timestamp: 7, notices: [] })
    nowMs += DAY_MS
    expect(catalog.status().notices.join()).to.include('unlinked head')
  })

  it('goes on from the last root of a cycle: 300 at once, 1,100 in two', async function () {
    this.timeout(60_000)
    for (let version = 2; version <= 1100; version += 1) origin.publishRoot(version)
    origin.publishSet(2)
    const catalog = await open()
    await catalog.refresh()
    expect(catalog.status().root).to.equal(1025)
    await catalog.refresh()
    expect(catalog.status()).to.include({ root: 1100, timestamp: 2 })
  })

  it('comes back after two years: keys replaced, a hundred roots later, expired ones on the way', async () => {
    const catalog = await opened()
    nowMs = START_MS + 730 * DAY_MS
    for (let version = 2; version <= 101; version += 1) {
      const expiresMs = version === 101 ? nowMs + 365 * DAY_MS : START_MS + 365 * DAY_MS
      const keys = version === 50 ? { timestamp: [makeKey()], snapshot: [makeKey()] } : {}
      origin.publishRoot(version, { expiresMs, keys })
    }
    const later = nowMs + 5 * DAY_MS
    origin.publishSet(2, {
      expiresMs: { timestamp: later, snapshot: later, targets: later },
      extra: { timestamp: { 'x-issued': new Date(nowMs).toISOString().replace('.000', '') } },
    })
    await catalog.refresh()
    expect(catalog.status()).to.include({ root: 101, timestamp: 2, freshness: 'fresh' })
  })

  it('gives peers every file that it accepted, by name and by address, and nothing else', async () => {
    origin.publishRoot(2)
    origin.publishSet(2)
    const catalog = await opened()
    for (const name of [
      '1.root.json',
      '2.root.json',
      'timestamp.json',
      '2.timestamp.json',
      '2.snapshot.json',
      '2.targets.json',
    ]) {
      expect(catalog.file(name), name).to.deep.equal(origin.files.get(name))
    }
    for (const name of ['3.root.json', '../floors.json', 'floors.json', '1.snapshot.json', '']) {
      expect(catalog.file(name), name).to.equal(undefined)
    }
    const second = await mkdtemp(join(tmpdir(), 'archy-catalog-'))
    try {
      const mirror: MetadataSource = {
        name: 'node 1',
        kind: 'peer',
        get: async name => catalog.file(name),
      }
      const deps = { sources: () => [mirror], folder: second, clock, log: silentLog }
      const other = await createCatalog({
        ...deps,
        root: origin.files.get('1.root.json') ?? new Uint8Array(),
      })
      await other.refresh()
      expect(other.head()).to.deep.equal(catalog.head())
    } finally {
      await rm(second, { recursive: true, force: true })
    }
  })

  it('lets the owner accept exactly the expired catalog that it has', async () => {
    const catalog = await opened()
    nowMs = START_MS + 60 * DAY_MS
    const { content = '' } = catalog.head() ?? {}
    expect(catalog.status().allows.install).to.equal('accept-stale')
    const wrong = await catalog.acceptStale(1, 'ab'.repeat(32)).catch((error: unknown) => error)
    expect(codeOf(wrong)).to.equal('STALE_NOT_THIS')
    await catalog.acceptStale(1, content.slice(0, 16))
    expect(catalog.status().allows.install).to.equal('notice')
    expect((await open()).status().allows.install).to.equal('notice')
  })
})
