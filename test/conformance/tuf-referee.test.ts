/**
 * A second opinion on our catalog files: tuf-js, an independent TUF client.
 * Goal: any conformant client can read what we publish, and refuses what we refuse.
 * Method: tuf-js refreshes from an origin in memory and looks up an app.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { BaseFetcher, Updater } from 'tuf-js'
import { DownloadHTTPError } from 'tuf-js/dist/error.js'
import { formatTime } from '../../catalog/trust/document.ts'
import {
  createSignedOrigin,
  DAY_MS,
  makeKey,
  makeKeys,
  type SignedOrigin,
} from '../support/catalog/signed-origin.ts'

/** tuf-js reads the machine's clock, so documents that it must accept expire after that. */
const expiresMs = Date.now() + DAY_MS
const valid = {
  expiresMs: { root: expiresMs, timestamp: expiresMs, snapshot: expiresMs, targets: expiresMs },
}

class MemoryFetcher extends BaseFetcher {
  readonly #origin: SignedOrigin
  constructor(origin: SignedOrigin) {
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

  async function referee(origin: SignedOrigin): Promise<Updater> {
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
})
