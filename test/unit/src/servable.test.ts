import { expect } from 'chai'
import type { AppManifest, AppOffer, CatalogEntry } from '../../../catalog/index.ts'
import { type Digest, digestOf } from '../../../src/core/digest.ts'
import { createServable, servableReleases } from '../../../src/servable.ts'

const named = (name: string): Digest => digestOf(Buffer.from(name))

function entryOf(release: Digest): CatalogEntry {
  return { manifest: { blake3: release } } as CatalogEntry
}

function manifestWith(...blobs: readonly Digest[]): AppManifest {
  const [manifest, config, ...layers] = blobs.map((blake3, index) => ({ blake3, size: index }))
  return {
    images: { web: { platforms: { amd64: { manifest, config, layers } } } },
  } as unknown as AppManifest
}

describe('servableReleases', () => {
  const [head, next, older] = ['head', 'next', 'older'].map(name => entryOf(named(name)))
  const offer = (changed: object): AppOffer =>
    ({
      head,
      next: { entry: next },
      older: [older],
      tier: 'core',
      ...changed,
    }) as unknown as AppOffer

  it('are the head, the staged and the older ones, but none of a publisher that was revoked', () => {
    const none = new Set<string>()
    expect(servableReleases([offer({})], none)).to.deep.equal([head, next, older])
    expect(servableReleases([offer({ next: undefined })], none)).to.deep.equal([head, older])
    expect(servableReleases([offer({ standing: 'revoked' })], none)).to.deep.equal([])
  })

  it('are those of a stranger only where the owner trusts exactly that one', () => {
    const stranger = offer({ tier: 'feed', did: 'did:key:z6Mk1' })
    expect(servableReleases([stranger], new Set(['did:key:z6Mk2']))).to.deep.equal([])
    expect(servableReleases([stranger], new Set(['did:key:z6Mk1']))).to.have.length(3)
    expect(servableReleases([offer({ tier: 'feed' })], new Set())).to.deep.equal([])
  })
})

describe('createServable', () => {
  const release = named('release')
  const blobs = ['manifest', 'config', 'layer'].map(named)

  it('serves nothing before there is a catalog', () => {
    const servable = createServable()
    servable.addManifest(release, manifestWith(...blobs))
    expect([release, ...blobs].some(digest => servable.mayServe(digest))).to.equal(false)
  })
  it('serves the manifests of the catalog, and what a known manifest names', () => {
    const servable = createServable()
    servable.setEntries([entryOf(release)])
    expect(servable.mayServe(release)).to.equal(true)
    expect(servable.mayServe(blobs[2] as Digest)).to.equal(false)
    servable.addManifest(release, manifestWith(...blobs))
    expect(blobs.every(digest => servable.mayServe(digest))).to.equal(true)
    expect(servable.releases()).to.deep.equal([release])
    expect(servable.blobs(release)).to.deep.equal(blobs)
    expect(servable.blobs(named('unknown'))).to.deep.equal([])
    expect(servable.find(blobs[2] as Digest)).to.deep.equal({ sizeBytes: 2, release })
    expect(servable.find(named('unknown'))).to.equal(undefined)
  })
  it('stops serving what the catalog no longer reaches, and keeps what another release shares', () => {
    const servable = createServable()
    const next = named('next')
    servable.setEntries([entryOf(release), entryOf(next)])
    servable.addManifest(release, manifestWith(...blobs))
    servable.addManifest(next, manifestWith(named('new manifest'), ...blobs.slice(1)))
    servable.setEntries([entryOf(next)])
    expect(servable.mayServe(blobs[0] as Digest)).to.equal(false)
    expect(servable.mayServe(blobs[2] as Digest)).to.equal(true)
    expect(servable.releases()).to.deep.equal([next])
  })
  it('forgets what a manifest names when the manifest is gone from this node', () => {
    const servable = createServable()
    servable.setEntries([entryOf(release)])
    servable.addManifest(release, manifestWith(...blobs))
    servable.addManifest(release, manifestWith(...blobs))
    servable.dropManifest(release)
    expect(servable.knows(release)).to.equal(false)
    expect(servable.mayServe(release)).to.equal(true)
    expect(blobs.some(digest => servable.mayServe(digest))).to.equal(false)
  })
})
