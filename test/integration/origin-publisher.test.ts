/** Publishers without an origin: their one signed file, how an origin lists it, and what becomes of their keys. */
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { delegateTo } from '../../catalog/publish/delegate.ts'
import {
  addApp,
  endDelegation,
  initOrigin,
  initPublisher,
  openPublisherFolder,
  originFolder,
  publishFeed,
  publishOrigin,
  rotatePublisher,
} from '../../catalog/publish/index.ts'
import { readLiveCatalog } from '../../catalog/publish/live-catalog.ts'
import { readPublisherFile } from '../../catalog/publish/publisher/file.ts'
import { shelvesOf } from '../../catalog/shelves.ts'
import { silentLog } from '../../src/core/log.ts'
import { serveOrigin } from '../../src/http/origin-server.ts'
import { openPublisherSite } from '../../src/http/publisher-site.ts'
import { DAY_MS } from '../support/catalog/signed-origin.ts'
import { NOW_MS, openWorkshop, type Workshop } from '../support/publish/workshop.ts'

describe('a publisher without an origin', () => {
  let shop: Workshop
  let publisher: string
  const nowMs = NOW_MS
  beforeEach(async () => {
    shop = await openWorkshop()
    publisher = join(shop.path, 'publisher')
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  const outcome = async (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'no failure',
      (error: unknown) => `${(error as { code?: string }).code}: ${(error as Error).message}`,
    )
  const feedOf = (id: string) => join(originFolder(publisher).feeds, `${id}.json`)
  async function release(version: string) {
    const layers = [Buffer.from(`layer of ${version}`)]
    await addApp(publisher, (await shop.app(version, { layers })).folder)
    return publishFeed(publisher, { nowMs })
  }
  async function listed() {
    const live = await readLiveCatalog(originFolder(shop.origin))
    return live?.delegated.map(({ chain, targets }) => `${chain.join('/')} ${targets.targets.size}`)
  }

  for (const type of ['ed25519', 'p256'] as const) {
    it(`is one ${type} key and one file, whose bytes an origin lists unchanged`, async () => {
      await initOrigin(shop.origin, { nowMs })
      const { did, id } = await initPublisher(publisher, { nowMs, type })
      await release('1')
      const added = await delegateTo(shop.origin, {
        did,
        tier: 'claimed',
        source: await openPublisherFolder(publisher),
        nowMs,
      })
      expect(added).to.deep.include({ outcome: 'added', version: 2, apps: ['hello'] })
      const { versions } = await publishOrigin(shop.origin, { nowMs })
      expect(versions).to.include({ targets: 1, registry: 1, claimed: 2, [`pub-${id}`]: 2 })
      expect(await listed()).to.include(`claimed/pub-${id} 1`)
      const bytes = await readFile(feedOf(id))
      const role = await readFile(join(originFolder(shop.origin).catalog, `2.pub-${id}.json`))
      expect(role.equals(bytes)).to.equal(true)
      const { offers } = readPublisherFile(did, bytes)
      expect(offers.map(({ publisher: own, app }) => [own, app])).to.deep.equal([[id, 'hello']])
    })
  }

  it('is imported from any web server, with every blob, and updated when it signs something newer', async () => {
    await initOrigin(shop.origin, { nowMs })
    const { did, id } = await initPublisher(publisher, { nowMs })
    await release('1')
    const address = { host: '127.0.0.1', port: 0, log: silentLog }
    await using server = await serveOrigin(originFolder(publisher).public, address)
    const missing = `${server.url}elsewhere/`
    expect(
      await outcome(
        delegateTo(shop.origin, {
          did,
          tier: 'registry',
          source: openPublisherSite(missing),
          nowMs,
        }),
      ),
    ).to.match(/^PUBLISHER_REFUSED: .* there is no feeds\//)
    const source = openPublisherSite(server.url)
    await delegateTo(shop.origin, { did, tier: 'registry', source, nowMs })
    await publishOrigin(shop.origin, { nowMs })
    await release('2')
    const updated = await delegateTo(shop.origin, { did, tier: 'registry', source, nowMs })
    expect(updated).to.deep.include({ outcome: 'updated', version: 3 })
    await publishOrigin(shop.origin, { nowMs })
    expect(await listed()).to.include(`registry/pub-${id} 1`)
    const again = await delegateTo(shop.origin, { did, tier: 'registry', source, nowMs })
    expect(again).to.deep.include({ outcome: 'unchanged', newBytes: 0 })
  })

  it('moves to the key that it committed to, and the origin follows by the chain', async () => {
    await initOrigin(shop.origin, { nowMs })
    const { did, id, recovery } = await initPublisher(publisher, { nowMs })
    await release('1')
    await delegateTo(shop.origin, {
      did,
      tier: 'claimed',
      source: await openPublisherFolder(publisher),
      nowMs,
    })
    const first = readPublisherFile(did, await readFile(feedOf(id)))
    const second = await rotatePublisher(publisher, recovery)
    await release('2')
    await rotatePublisher(publisher, second.recovery)
    await release('3')
    const third = readPublisherFile(did, await readFile(feedOf(id)))
    expect(third.targets.publisher?.rotations).to.have.length(3)
    expect(third.key).not.to.deep.equal(first.key)
    await delegateTo(shop.origin, {
      did,
      tier: 'claimed',
      source: await openPublisherFolder(publisher),
      nowMs,
    })
    await publishOrigin(shop.origin, { nowMs })
    expect(await listed()).to.include(`claimed/pub-${id} 1`)
    expect(await outcome(rotatePublisher(publisher, recovery))).to.match(
      /not the key that the publisher committed/,
    )
    expect(await outcome(rotatePublisher(publisher, second.recovery))).to.match(/signs already/)
    const slip = second.recovery.replace(/.$/, digit => (digit === '0' ? '1' : '0'))
    expect(await outcome(rotatePublisher(publisher, slip))).to.match(/a digit is wrong/)
  })

  it('can take the same sheet again when nothing was published with the key yet', async () => {
    const { recovery } = await initPublisher(publisher, { nowMs })
    const lost = await rotatePublisher(publisher, recovery)
    const again = await rotatePublisher(publisher, recovery)
    expect(again.recovery).not.to.equal(lost.recovery)
    expect((await publishFeed(publisher, { nowMs })).version).to.equal(2)
  })

  it('is refused when its file is not of its key, older, changed, expired, or the blobs are others', async () => {
    await initOrigin(shop.origin, { nowMs })
    const { did, id } = await initPublisher(publisher, { nowMs })
    await release('1')
    const old = await readFile(feedOf(id))
    const delegate = async (options: { did?: string; nowMs?: number } = {}) =>
      outcome(
        delegateTo(shop.origin, {
          did,
          tier: 'registry',
          source: await openPublisherFolder(publisher),
          nowMs,
          ...options,
        }),
      )
    const stranger = await initPublisher(join(shop.path, 'stranger'), { nowMs })
    await writeFile(feedOf(stranger.id), old)
    expect(await delegate({ did: stranger.did })).to.match(
      /^PUBLISHER_REFUSED: .* of another publisher/,
    )
    expect(await delegate({ nowMs: nowMs + 181 * DAY_MS })).to.match(/its file is expired/)
    const text = old.toString('utf8')
    await writeFile(feedOf(id), text.replace('"version":2', '"version":9'))
    expect(await delegate()).to.match(/^PUBLISHER_REFUSED: .*signature/)
    await writeFile(feedOf(id), old)
    const { manifest } = readPublisherFile(did, old).offers[0]!.head
    const hex = manifest.blake3.slice('blake3:'.length)
    const blob = join(originFolder(publisher).blobs, hex.slice(0, 2), hex.slice(2, 4), hex)
    const whole = await readFile(blob)
    await truncate(blob, 10)
    expect(await delegate()).to.match(/^BLOB_REFUSED: .* is shorter/)
    await writeFile(
      blob,
      whole.map(byte => byte ^ 1),
    )
    expect(await delegate()).to.match(/^BLOB_REFUSED: .* has the hash/)
    await writeFile(blob, whole)
    expect(await delegate()).to.equal('no failure')
    await release('2')
    expect(await delegate()).to.equal('no failure')
    await writeFile(feedOf(id), old)
    expect(await delegate()).to.match(/its file is 2, older than 3 that is listed/)
  })

  it('is revoked for good: its apps stand revoked and it is never listed again', async () => {
    await initOrigin(shop.origin, { nowMs })
    const { did, id } = await initPublisher(publisher, { nowMs })
    await release('1')
    await delegateTo(shop.origin, {
      did,
      tier: 'registry',
      source: await openPublisherFolder(publisher),
      nowMs,
    })
    await publishOrigin(shop.origin, { nowMs })
    await endDelegation(shop.origin, did)
    await publishOrigin(shop.origin, { nowMs })
    const live = await readLiveCatalog(originFolder(shop.origin))
    expect(live?.targets.revokedDids).to.deep.equal([did])
    expect(live?.snapshot.meta.has(`pub-${id}`), 'a snapshot never drops a role').to.equal(true)
    const trusted = { ...live!, problems: [] }
    const shelves = shelvesOf(trusted, { roles: live!.delegated, problems: [] })
    expect(shelves.map(({ role }) => role)).not.to.include(`pub-${id}`)
    expect(
      await outcome(
        delegateTo(shop.origin, {
          did,
          tier: 'claimed',
          source: await openPublisherFolder(publisher),
          nowMs,
        }),
      ),
    ).to.match(/^PUBLISHER_REFUSED: .* revoked/)
  })
})
