import { expect } from 'chai'
import type { AppManifest, AppOffer, CatalogEntry } from '../../../catalog/index.ts'
import type { InstalledRelease } from '../../../orchestrator/index.ts'
import type { VerifiedBlob } from '../../../src/core/blob.ts'
import { type Digest, digestOf } from '../../../src/core/digest.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { createNeededReader, pinnedReleases, wantedReleases } from '../../../src/needed.ts'
import type { PinSet } from '../../../src/pins.ts'
import type { WantedApp } from '../../../src/wanted.ts'

const named = (name: string): Digest => digestOf(Buffer.from(name))

function entry(version: string, app = 'notes'): CatalogEntry {
  return {
    publisher: 'core',
    app,
    version,
    manifest: { blake3: named(`${app} ${version}`) },
  } as CatalogEntry
}

const offer = {
  publisher: 'core',
  app: 'notes',
  channel: 'stable',
  head: entry('2'),
  next: { entry: entry('3') },
  older: [entry('1')],
} as unknown as AppOffer
const wish: WantedApp = { id: 'notes', publisher: 'core', channel: 'stable' }
const installed: InstalledRelease = {
  app: 'notes',
  version: '2',
  manifest: named('notes 2'),
  place: 'installed',
}

/** One image with one layer, named after its release. */
function manifestOf(release: string): AppManifest {
  const platforms = Object.fromEntries(
    ['amd64', 'arm64'].map(platform => {
      const ref = (what: string) => ({ blake3: named(`${release} ${what} ${platform}`), size: 1 })
      return [
        platform,
        { manifest: ref('manifest'), config: ref('config'), layers: [ref('layer')] },
      ]
    }),
  )
  const manifest: unknown = {
    components: { web: { image: 'web' } },
    images: { web: { platforms } },
  }
  return manifest as AppManifest
}

function versionsOf(releases: readonly { readonly manifest: Digest }[]): readonly string[] {
  const names = ['1', '2', '3'].map(version => [named(`notes ${version}`), version] as const)
  return releases.map(({ manifest }) => new Map(names).get(manifest) ?? '?')
}

describe('wantedReleases', () => {
  it('are what an app may be brought to: head and staged release', () => {
    expect(versionsOf(wantedReleases([offer], [wish], []))).to.deep.equal(['2', '3'])
  })
  it('has the version to which the owner pinned the app, in whatever channel', () => {
    const elsewhere = { ...offer, channel: 'beta' }
    const pinned = { ...wish, pin: '1' }
    expect(versionsOf(wantedReleases([elsewhere], [pinned], []))).to.deep.equal(['1'])
  })
  it('leaves out what nobody wants, and another publisher with the same app', () => {
    expect(wantedReleases([offer], [{ ...wish, id: 'other' }], [])).to.deep.equal([])
    expect(wantedReleases([offer], [{ ...wish, publisher: 'acme' }], [])).to.deep.equal([])
  })
  it('has the manifest that the owner keeps on this machine', () => {
    expect(versionsOf(wantedReleases([], [wish], [entry('1')]))).to.deep.equal(['1'])
  })
})

describe('pinnedReleases', () => {
  it('are all listed releases of a pinned app, or the one whose manifest is pinned', () => {
    const byApp = pinnedReleases([offer], { apps: ['notes'], blobs: [] })
    expect(versionsOf(byApp)).to.deep.equal(['2', '3', '1'])
    const byManifest = pinnedReleases([offer], { apps: [], blobs: [named('notes 1')] })
    expect(versionsOf(byManifest)).to.deep.equal(['1'])
  })
})

describe('what this node needs of its store', () => {
  interface World {
    offers: readonly AppOffer[] | undefined
    installed: () => Promise<readonly InstalledRelease[]>
    pins: () => Promise<PinSet>
    lost: readonly string[]
    readCount: number
    parse: (release: string) => AppManifest
  }
  function createWorld(): World & { read: ReturnType<typeof createNeededReader> } {
    const world: World = {
      offers: [offer],
      installed: async () => [
        installed,
        { ...installed, version: '1', manifest: named('notes 1'), place: 'previous' },
      ],
      pins: async () => ({ apps: [], blobs: [named('mine')] }),
      lost: [],
      readCount: 0,
      parse: manifestOf,
    }
    const here = new Map(['notes 1', 'notes 2'].map(name => [named(name), name]))
    const read = createNeededReader({
      offers: () => world.offers,
      unknownFeeds: () => world.lost,
      wanted: () => [wish],
      localManifests: () => [entry('5', 'own')],
      installed: () => world.installed(),
      pins: () => world.pins(),
      manifestBlob: digest =>
        here.has(digest) ? ({ digest } as unknown as VerifiedBlob) : undefined,
      async readManifest({ digest }) {
        world.readCount += 1
        return world.parse(here.get(digest) ?? '')
      },
      platform: 'amd64',
    })
    return Object.assign(world, { read })
  }
  const failure = async (world: ReturnType<typeof createWorld>): Promise<string> =>
    await world.read().then(
      () => 'no failure',
      error => `${codeOf(error)}: ${error.message}`,
    )

  it('are the running and the previous release whole, what is wanted, pins and own manifests', async () => {
    const needed = await createWorld().read()
    expect(needed.get(named('notes 2'))).to.equal('installed: notes 2')
    expect(needed.get(named('notes 2 layer amd64'))).to.equal('installed: notes 2')
    expect(needed.get(named('notes 1 layer amd64'))).to.equal('previous: notes 1')
    expect(needed.get(named('notes 3'))).to.equal('wanted: notes 3')
    expect(needed.get(named('mine'))).to.equal('pinned')
    expect(needed.get(named('own 5'))).to.equal('local manifest of own')
    expect(needed.has(named('notes 2 layer arm64'))).to.equal(false)
  })

  it('reads a manifest once', async () => {
    const world = createWorld()
    await world.read()
    await world.read()
    expect(world.readCount).to.equal(2)
  })

  it('are unknown without a catalog, without the pins, and without one record of an app', async () => {
    const noCatalog = createWorld()
    noCatalog.offers = undefined
    expect(await failure(noCatalog)).to.match(/^NEEDS_UNKNOWN: .*there is no catalog yet/)
    const noPins = createWorld()
    noPins.pins = () => Promise.reject(new Error('pins.json is damaged'))
    expect(await failure(noPins)).to.match(/^NEEDS_UNKNOWN: .*pins\.json is damaged/)
    const noRecord = createWorld()
    noRecord.installed = () => Promise.reject(new Error('notes.json is not a record'))
    expect(await failure(noRecord)).to.match(/^NEEDS_UNKNOWN: .*notes\.json is not a record/)
  })

  it('are unknown while the last file of a followed publisher cannot be read: it may say what is wanted', async () => {
    const world = createWorld()
    world.lost = ['did:key:zA']
    expect(await failure(world)).to.match(/^NEEDS_UNKNOWN: .*the last file of did:key:zA cannot be/)
    world.lost = []
    expect(await failure(world)).to.equal('no failure')
  })

  it('are unknown when the manifest of a release that must be kept cannot be understood', async () => {
    const world = createWorld()
    world.parse = () => {
      throw new Error('not a manifest')
    }
    expect(await failure(world)).to.match(/^NEEDS_UNKNOWN: .*not a manifest/)
  })
})
