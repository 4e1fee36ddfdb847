/** Publishing to where an origin is served from: a folder, and a bucket of a real S3-compatible server. */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCatalog } from '../../catalog/index.ts'
import type { Destination } from '../../catalog/publish/destination/destination.ts'
import { openFolderDestination } from '../../catalog/publish/destination/folder.ts'
import { openS3Destination } from '../../catalog/publish/destination/s3.ts'
import { addApp, initOrigin, originFolder, publishOrigin } from '../../catalog/publish/index.ts'
import { digestOf } from '../../src/core/digest.ts'
import { silentLog } from '../../src/core/log.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { publishAndKill } from '../support/publish/publish-and-kill.ts'
import { S3_CREDENTIALS, type S3Server, startS3 } from '../support/publish/s3-server.ts'
import { NOW_MS, openWorkshop, type Workshop } from '../support/publish/workshop.ts'

/** Three parts and a bit. */
const BIG_LAYER_BYTES = 16 * 2 ** 20 + 5
const PART_BYTES = 5 * 2 ** 20

interface Stage extends AsyncDisposable {
  open(): Promise<Destination>
}

const credentialNames = {
  AWS_ACCESS_KEY_ID: 'accessKeyId',
  AWS_SECRET_ACCESS_KEY: 'secretAccessKey',
} as const

describe('publishing to a place', () => {
  let shop: Workshop
  let s3: S3Server
  const kept: Record<string, string | undefined> = {}
  before(async () => {
    s3 = await startS3('apps')
    for (const [name, key] of Object.entries(credentialNames)) {
      kept[name] = process.env[name]
      process.env[name] = S3_CREDENTIALS[key]
    }
  })
  after(async () => {
    for (const [name, value] of Object.entries(kept)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await s3[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    shop = await openWorkshop()
    await initOrigin(shop.origin, { nowMs: NOW_MS })
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  let stageCount = 0
  const openBucket = (url: string) =>
    openS3Destination(url, { endpoint: s3.endpoint, partBytes: PART_BYTES })
  const stages: Readonly<Record<string, () => Stage>> = {
    'a folder': () => {
      const path = join(shop.path, 'served')
      return {
        open: () => openFolderDestination(path),
        [Symbol.asyncDispose]: async () => undefined,
      }
    },
    'a bucket': () => {
      stageCount += 1
      const url = `s3://apps/home/${stageCount}`
      return { open: async () => openBucket(url), [Symbol.asyncDispose]: async () => undefined }
    },
  }
  const outcome = async (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'no failure',
      (error: unknown) => `${(error as { code?: string }).code}: ${(error as Error).message}`,
    )
  async function app(version: string, layer = Buffer.from(`layer of ${version}`)) {
    return (await shop.app(version, { layers: [layer] })).folder
  }

  for (const [name, makeStage] of Object.entries(stages)) {
    describe(name, () => {
      async function publish(stage: Stage, options: { expectHead?: number; origin?: string } = {}) {
        const destination = await stage.open()
        try {
          const { origin = shop.origin, ...rest } = options
          return await publishOrigin(origin, { nowMs: NOW_MS, destination, ...rest })
        } finally {
          await destination.close()
        }
      }

      it('holds the whole origin after it, and takes only what is new the next time', async () => {
        await using stage = makeStage()
        await addApp(shop.origin, await app('1', Buffer.alloc(BIG_LAYER_BYTES, 7)))
        const first = await publish(stage)
        const { public: own } = originFolder(shop.origin)
        await using served = await opened(stage)
        expect(await namesIn(served.destination)).to.deep.equal(await filesIn(own))
        for (const file of await namesIn(served.destination)) {
          const bytes = await served.destination.get(file, 2 ** 26)
          expect(digestOf(bytes!), file).to.equal(digestOf(await readFile(join(own, file))))
        }
        await addApp(shop.origin, await app('2'))
        const second = await publish(stage)
        expect(first.deployment?.uploadedBytes).to.be.greaterThan(BIG_LAYER_BYTES)
        expect(second.deployment?.uploadedBytes).to.be.lessThan(50_000)
        expect(await namesIn(served.destination)).to.deep.equal(await filesIn(own))
      })

      it('keeps drafts to itself', async () => {
        await using stage = makeStage()
        await addApp(shop.origin, await app('1'))
        await publish(stage)
        await using served = await opened(stage)
        const before = (await served.destination.list('blobs/')).size
        await addApp(shop.origin, await app('2', Buffer.from('secret plans')), { isStaged: true })
        await publish(stage)
        expect((await served.destination.list('blobs/')).size).to.equal(before)
      })

      it('refuses when another head is served than this folder left there', async () => {
        await using stage = makeStage()
        await publish(stage)
        const copy = join(shop.path, 'copy')
        await cp(shop.origin, copy, { recursive: true })
        await publish(stage)
        const old = await outcome(publish(stage, { origin: copy }))
        expect(old).to.match(
          /^HEAD_UNEXPECTED: .* serves catalog 3, which this folder never published/,
        )
        // The copy goes on by itself, so that both have a catalog 3.
        await publishOrigin(copy, { nowMs: NOW_MS + 1000 })
        const twin = await outcome(publish(stage, { origin: copy }))
        expect(twin).to.match(/^HEAD_UNEXPECTED: .* another catalog 3/)
        expect(await outcome(publish(stage, { expectHead: 2 }))).to.match(
          /^HEAD_UNEXPECTED: .* it serves catalog 3, not 2/,
        )
        expect((await publish(stage, { expectHead: 3 })).versions.timestamp).to.equal(4)
      })

      it('brings what an interrupted run left out', async () => {
        await using stage = makeStage()
        await publish(stage)
        await addApp(shop.origin, await app('1'))
        const real = await stage.open()
        let writes = 0
        const dying: Destination = {
          ...real,
          put: async (...args) => {
            writes += 1
            if (writes > 4) throw new Error('the power failed')
            await real.put(...args)
          },
        }
        const lost = await outcome(
          publishOrigin(shop.origin, { nowMs: NOW_MS, destination: dying }),
        )
        expect(lost).to.match(/the power failed/)
        const timestamp = await real.get('catalog/timestamp.json', 99_999)
        expect(JSON.parse(Buffer.from(timestamp!).toString()).signed.version).to.equal(2)
        await real.close()
        expect((await publish(stage)).versions.timestamp).to.equal(4)
      })

      it('notices what is served wrongly', async () => {
        await using stage = makeStage()
        await addApp(shop.origin, await app('1'))
        const real = await stage.open()
        const lying = (lie: (name: string, bytes: Uint8Array) => Uint8Array): Destination => ({
          ...real,
          get: async (file, max) => {
            const bytes = await real.get(file, max)
            return bytes && lie(file, bytes)
          },
        })
        let isServed = false
        const destination = lying((file, bytes) => {
          if (!isServed || !file.endsWith('.core.json')) return bytes
          return Buffer.concat([bytes, Buffer.from(' ')])
        })
        const put = destination.put
        const broken = {
          ...destination,
          put: async (...args: Parameters<Destination['put']>) => {
            isServed = true
            await put(...args)
          },
        }
        const found = await outcome(
          publishOrigin(shop.origin, { nowMs: NOW_MS, destination: broken }),
        )
        expect(found).to.match(/^PUBLICATION_UNVERIFIED: what .* serves was read back and is not/)
        await real.close()
      })
    })
  }

  it('writes blobs before metadata and the timestamp last, each with how long it may be kept', async () => {
    const url = 's3://apps/order'
    await addApp(shop.origin, await app('1', Buffer.alloc(BIG_LAYER_BYTES, 1)))
    const from = s3.requests.length
    await publishOrigin(shop.origin, { nowMs: NOW_MS, destination: openBucket(url) })
    const writes = s3.requests.slice(from).filter(request => request.startsWith('PUT '))
    const places = writes.map(
      text => /order\/(blobs|catalog\/timestamp\.json|catalog)/.exec(text)?.[1],
    )
    expect(places.lastIndexOf('blobs')).to.be.lessThan(places.indexOf('catalog'))
    expect(places.at(-1)).to.equal('catalog/timestamp.json')
    expect(writes.filter(text => text.includes('partNumber'))).to.have.length(4)
    const headers = async (file: string) =>
      (await fetch(`${s3.endpoint}/apps/order/${file}`)).headers.get('cache-control')
    expect(await headers('catalog/timestamp.json')).to.equal('no-cache')
    expect(await headers('catalog/1.root.json')).to.match(/immutable/)
  })

  it('tries again when the store fails for a moment, and says what failed when it does not recover', async () => {
    s3.failNext('PUT', /retry\/catalog\/1\.root/, 503, 2)
    const destination = openBucket('s3://apps/retry')
    await publishOrigin(shop.origin, { nowMs: NOW_MS, destination })
    const missing = openBucket('s3://no-such-bucket/x')
    const failure = await outcome(
      publishOrigin(shop.origin, { nowMs: NOW_MS, destination: missing }),
    )
    expect(failure).to.match(
      /^DESTINATION_FAILED: s3:\/\/no-such-bucket\/x: reading .* failed: NoSuchBucket/,
    )
    expect(() => openS3Destination('s3:/apps')).to.throw(/not of the form s3:\/\/bucket\/prefix/)
  })

  it('survives kill -9 between any two writes to the place: it serves the old or the new catalog', async () => {
    const place = join(shop.path, 'served')
    const publish = async () => {
      const destination = await openFolderDestination(place)
      return publishOrigin(shop.origin, { nowMs: NOW_MS, destination })
    }
    await publish()
    let killed = 0
    for (const changes of [1, 3, 5, 9]) {
      await addApp(shop.origin, await app(`${changes}`))
      const destination = await openFolderDestination(place)
      const before = await servedVersion(destination)
      if (await publishAndKill(shop.origin, place, changes)) killed += 1
      const { versions } = JSON.parse(await readFile(originFolder(shop.origin).state, 'utf8'))
      expect(await servedVersion(destination)).to.be.oneOf([before, versions.timestamp])
      const get = (name: string, max: number) => destination.get(`catalog/${name}`, max)
      const root = await readFile(join(place, 'catalog/1.root.json'))
      const catalog = await createCatalog({
        sources: () => [{ name: 'served', kind: 'origin', get }],
        folder: join(shop.path, `node-${changes}`),
        root,
        clock: createManualClock(NOW_MS),
        log: silentLog,
      })
      await catalog.refresh()
    }
    expect(killed).to.be.greaterThan(1)
    const { versions } = await publish()
    expect(await servedVersion(await openFolderDestination(place))).to.equal(versions.timestamp)
  })

  it('refuses a folder whose public part is gone or was replaced', async () => {
    const { catalog } = originFolder(shop.origin)
    const timestamp = await readFile(join(catalog, 'timestamp.json'))
    await publishOrigin(shop.origin, { nowMs: NOW_MS })
    await writeFile(join(catalog, 'timestamp.json'), timestamp)
    const restored = await outcome(publishOrigin(shop.origin, { nowMs: NOW_MS }))
    expect(restored).to.match(
      /^HEAD_UNEXPECTED: the live catalog .* is 1, but this folder published 2/,
    )
    await rm(join(catalog, 'timestamp.json'))
    const gone = await outcome(publishOrigin(shop.origin, { nowMs: NOW_MS }))
    expect(gone).to.match(/^HEAD_UNEXPECTED: the live catalog .* is gone/)
  })
})

async function opened(stage: Stage) {
  const destination = await stage.open()
  return { destination, [Symbol.asyncDispose]: () => destination.close() }
}

async function namesIn(destination: Destination): Promise<readonly string[]> {
  const lists = [await destination.list('catalog/'), await destination.list('blobs/')]
  return lists.flatMap(list => [...list.keys()]).sort()
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

async function servedVersion(destination: Destination): Promise<number> {
  const bytes = await destination.get('catalog/timestamp.json', 99_999)
  return JSON.parse(Buffer.from(bytes ?? '').toString('utf8')).signed.version
}
