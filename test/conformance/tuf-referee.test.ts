/**
 * A second opinion on our catalog files: tuf-js, an independent TUF client.
 * Goal: any conformant client can read what we publish, and refuses what we refuse.
 * Method: tuf-js refreshes from an origin in memory and looks up an app.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { BaseFetcher, Updater } from 'tuf-js'
import { DownloadHTTPError } from 'tuf-js/dist/error.js'
import {
  addApp,
  decideRelease,
  delegateTo,
  initOrigin,
  initPublisher,
  openPublisherFolder,
  originFolder,
  publishFeed,
  publishOrigin,
  rollBackTo,
  rotatePublisher,
  stageNext,
  yankRelease,
} from '../../catalog/publish/index.ts'
import { formatTime } from '../../catalog/trust/document.ts'
import {
  createSignedOrigin,
  DAY_MS,
  makeKey,
  makeKeys,
  type SignedOrigin,
} from '../support/catalog/signed-origin.ts'
import { openWorkshop, type Workshop } from '../support/publish/workshop.ts'

/** tuf-js reads the machine's clock, so documents that it must accept expire after that. */
const expiresMs = Date.now() + DAY_MS
const valid = {
  expiresMs: { root: expiresMs, timestamp: expiresMs, snapshot: expiresMs, targets: expiresMs },
}

class MemoryFetcher extends BaseFetcher {
  readonly #origin: Pick<SignedOrigin, 'files'>
  constructor(origin: Pick<SignedOrigin, 'files'>) {
    super()
    this.#origin = origin
  }
  override async fetch(url: string) {
    const bytes = this.#origin.files.get(new URL(url).pathname.slice(1))
    if (bytes === undefined) throw new DownloadHTTPError('not found', 404)
    return new Blob([Buffer.from(bytes)]).stream()
  }
}

describe('tuf-js reads our catalog', () => {
  let metadataDir: string
  beforeEach(async () => {
    metadataDir = await mkdtemp(join(tmpdir(), 'archy-referee-'))
  })
  afterEach(() => rm(metadataDir, { recursive: true, force: true }))

  async function referee(origin: Pick<SignedOrigin, 'files'>): Promise<Updater> {
    await writeFile(join(metadataDir, 'root.json'), origin.files.get('1.root.json') ?? '')
    return new Updater({
      metadataDir,
      metadataBaseUrl: 'http://origin.test/',
      fetcher: new MemoryFetcher(origin),
    })
  }

  it('finds an app after a root with ECDSA and Ed25519 keys, two of three', async () => {
    const keys = { ...makeKeys(), root: [makeKey(), makeKey('p256'), makeKey('p256')] }
    const origin = createSignedOrigin(keys)
    const thresholds = { root: 2 }
    origin.publishRoot(1, { thresholds, expiresMs, signers: keys.root.slice(1) })
    origin.publishRoot(2, { thresholds, expiresMs, keys: { timestamp: [makeKey('p256')] } })
    origin.publishSet(3, {
      ...valid,
      extra: { timestamp: { 'x-prev': { version: 2, sha256: 'ab'.repeat(32) } } },
    })
    const updater = await referee(origin)
    await updater.refresh()
    const target = await updater.getTargetInfo('apps/core.hello/stable')
    expect(target?.custom).to.have.nested.property('release.seq', 3)
  })

  it('refuses an expired one, as we do', async () => {
    const origin = createSignedOrigin()
    const past = Date.now() - DAY_MS
    origin.publishRoot(1, { expiresMs })
    origin.publishSet(1, { expiresMs: { ...valid.expiresMs, timestamp: past } })
    const error = await (await referee(origin)).refresh().catch((reason: unknown) => reason)
    expect(String(error), formatTime(past)).to.match(/expired/i)
  })

  describe("as the publisher's tool writes it", function () {
    this.timeout(30_000)
    /** tuf-js reads the machine's clock. */
    const nowMs = Date.now()
    let shop: Workshop
    beforeEach(async () => {
      shop = await openWorkshop()
      await initOrigin(shop.origin, { nowMs })
    })
    afterEach(() => shop[Symbol.asyncDispose]())

    async function add(version: string, folder = shop.origin, isStaged = false) {
      const layers = [Buffer.from(`layer of ${version}`)]
      await addApp(folder, (await shop.app(version, { layers })).folder, { isStaged })
    }
    async function published(folder = shop.origin) {
      const { catalog } = originFolder(folder)
      const names = await readdir(catalog)
      const files = await Promise.all(
        names.map(async name => [name, await readFile(join(catalog, name))] as const),
      )
      return { files: new Map<string, Uint8Array>(files) }
    }
    async function refereeSees(path: string): Promise<object> {
      const updater = await referee(await published())
      await updater.refresh()
      const target = await updater.getTargetInfo(path)
      await rm(metadataDir, { recursive: true })
      metadataDir = await mkdtemp(join(tmpdir(), 'archy-referee-'))
      return target?.custom ?? expect.fail(`tuf-js does not find ${path}`)
    }
    const decide = (change: Parameters<typeof decideRelease>[1]) =>
      decideRelease(shop.origin, change)

    it('reads every decision on a release after each publication', async () => {
      const path = 'apps/core.hello/stable'
      for (const version of ['1', '2']) {
        await add(version)
        await publishOrigin(shop.origin, { nowMs })
        expect(await refereeSees(path)).to.have.nested.property('release.version', version)
      }
      await add('3', shop.origin, true)
      const steps = [[0, 50]] as const
      const next = {
        app: 'hello',
        channel: 'stable',
        version: '3',
        steps,
        startMs: nowMs,
        salt: 'x',
      }
      await decide(draft => stageNext(draft, next))
      await publishOrigin(shop.origin, { nowMs })
      expect(await refereeSees(path)).to.have.nested.property('next.version', '3')
      const yank = { severity: 'high', action: 'replace', reason: 'loses data' } as const
      await decide(draft => yankRelease(draft, 'hello', '2', yank))
      await decide(draft => rollBackTo(draft, 'hello', 'stable', '1', { dataCompatible: true }))
      await publishOrigin(shop.origin, { nowMs })
      expect(await refereeSees(path)).to.have.nested.property('rollbackTo.to', 1)
    })

    for (const [tier, type] of [
      ['claimed', 'p256'],
      ['registry', 'ed25519'],
    ] as const) {
      it(`finds the app of a ${tier} publisher with a ${type} key, also after it rotated`, async () => {
        const folder = join(shop.path, tier)
        const { did, id, recovery } = await initPublisher(folder, { nowMs, type })
        for (const version of ['1', '2']) {
          await add(version, folder)
          await publishFeed(folder, { nowMs })
          const source = await openPublisherFolder(folder)
          await delegateTo(shop.origin, { did, tier, source, nowMs })
          await publishOrigin(shop.origin, { nowMs })
          const seen = await refereeSees(`apps/${id}.hello/stable`)
          expect(seen).to.have.nested.property('release.version', version)
          if (version === '1') await rotatePublisher(folder, recovery)
        }
      })
    }

    it('is the same bytes whenever the same keys sign the same draft at the same time', async () => {
      await add('1')
      const copy = join(shop.path, 'copy')
      await cp(shop.origin, copy, { recursive: true })
      await publishOrigin(shop.origin, { nowMs: nowMs + DAY_MS })
      await publishOrigin(copy, { nowMs: nowMs + DAY_MS })
      const [one, two] = [await published(), await published(copy)]
      expect([...two.files.keys()].sort()).to.deep.equal([...one.files.keys()].sort())
      for (const [name, bytes] of one.files) {
        expect(Buffer.compare(bytes, two.files.get(name)!), name).to.equal(0)
      }
    })
  })
})
