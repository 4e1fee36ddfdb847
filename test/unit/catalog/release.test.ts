import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { CatalogEntry, SignedManifest } from '../../../catalog/entry.ts'
import { MANIFEST_API_VERSION } from '../../../catalog/manifest/schema.ts'
import { readManifest, releaseBlobs, verifyRelease } from '../../../catalog/release.ts'
import { type BlobRef, mintVerifiedBlob, type VerifiedBlob } from '../../../src/core/blob.ts'
import { canonicalJson } from '../../../src/core/canonical-json.ts'
import { type Digest, digestOf, parseSha256 } from '../../../src/core/digest.ts'
import { codeOf } from '../../../src/core/errors.ts'

function refOf(bytes: Uint8Array): BlobRef {
  const sha256 = parseSha256(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  return { blake3: digestOf(bytes), sha256, size: bytes.length, mediaType: 'application/x-test' }
}

const blob = (text: string): BlobRef => refOf(Buffer.from(text))
const base = blob('the layer that both images share')
const images = {
  web: {
    platforms: {
      amd64: { manifest: blob('web m'), config: blob('web c'), layers: [base, blob('web')] },
    },
  },
  db: { platforms: { amd64: { manifest: blob('db m'), config: blob('db c'), layers: [base] } } },
}
const published = {
  apiVersion: MANIFEST_API_VERSION,
  id: 'hello',
  version: '1.0',
  title: 'Hello',
  images,
  components: { web: { image: 'web' }, db: { image: 'db' } },
}

describe('a release', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-release-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function given(
    value: object,
  ): Promise<{ entry: CatalogEntry; manifestBlob: VerifiedBlob }> {
    const bytes = canonicalJson(value)
    const manifest = refOf(bytes)
    const path = join(folder, manifest.blake3.slice(7))
    await writeFile(path, bytes)
    return {
      entry: {
        publisher: 'core',
        app: 'hello',
        channel: 'stable',
        seq: 1,
        version: '1.0',
        totalSize: 1,
        manifest,
      },
      manifestBlob: mintVerifiedBlob(manifest.blake3, manifest.size, path),
    }
  }

  function held(refs: readonly BlobRef[]): Map<Digest, VerifiedBlob> {
    return new Map(refs.map(ref => [ref.blake3, mintVerifiedBlob(ref.blake3, ref.size, '/gone')]))
  }

  async function read(): Promise<{
    entry: CatalogEntry
    manifestBlob: VerifiedBlob
    manifest: SignedManifest
  }> {
    const { entry, manifestBlob } = await given(published)
    return { entry, manifestBlob, manifest: await readManifest(entry, manifestBlob) }
  }

  function codeFrom(act: () => unknown): string | undefined {
    try {
      act()
      return undefined
    } catch (error) {
      return codeOf(error)
    }
  }

  it('reads the manifest that the entry names', async () => {
    expect((await read()).manifest).to.include({ id: 'hello', version: '1.0' })
  })

  for (const change of [{ id: 'other' }, { version: '2.0' }]) {
    it(`refuses a manifest that is ${JSON.stringify(change)}`, async () => {
      const { entry, manifestBlob } = await given({ ...published, ...change })
      const error = await readManifest(entry, manifestBlob).catch((reason: unknown) => reason)
      expect(codeOf(error)).to.equal('MANIFEST_MISMATCH')
      expect(error).to.have.property('message').that.includes(Object.values(change)[0])
    })
  }

  it('refuses a manifest blob that is not the one of the entry', async () => {
    const { entry } = await given(published)
    const { manifestBlob } = await given({ ...published, title: 'Other' })
    const error = await readManifest(entry, manifestBlob).catch((reason: unknown) => reason)
    expect(codeOf(error)).to.equal('MANIFEST_MISMATCH')
  })

  it('refuses a manifest with an unknown key', async () => {
    const { entry, manifestBlob } = await given({ ...published, privileged: true })
    const error = await readManifest(entry, manifestBlob).catch((reason: unknown) => reason)
    expect(codeOf(error)).to.equal('MANIFEST_INVALID')
  })

  it('needs each blob once, also when two images share it', async () => {
    const digests = releaseBlobs((await read()).manifest, 'amd64').map(ref => ref.blake3)
    expect(digests).to.have.length(6)
    expect(new Set(digests).size).to.equal(6)
  })

  it('names the component that has no image for the platform', async () => {
    const { manifest } = await read()
    expect(() => releaseBlobs(manifest, 'arm64'))
      .to.throw('component "db" of hello 1.0 has no image for arm64, only for amd64')
      .with.property('code', 'MANIFEST_INVALID')
  })

  it('refuses a manifest that describes one blob with two sizes', async () => {
    const two = structuredClone(published)
    two.images.db.platforms.amd64.layers = [{ ...base, size: base.size + 1 }]
    const { entry, manifestBlob } = await given(two)
    const manifest = await readManifest(entry, manifestBlob)
    expect(codeFrom(() => releaseBlobs(manifest, 'amd64'))).to.equal('MANIFEST_INVALID')
  })

  it('is proven when every blob is there, and holds no other', async () => {
    const parts = await read()
    const blobs = held([...releaseBlobs(parts.manifest, 'amd64'), blob('of another app')])
    const release = verifyRelease({ ...parts, platform: 'amd64', blobs })
    expect(release.blobs.size).to.equal(6)
  })

  it('is not proven when a blob is missing, or has another size', async () => {
    const parts = await read()
    const [first, ...rest] = releaseBlobs(parts.manifest, 'amd64')
    const missing = held(rest)
    const wrong = held([{ ...first!, size: first!.size + 1 }, ...rest])
    for (const blobs of [missing, wrong]) {
      const code = codeFrom(() => verifyRelease({ ...parts, platform: 'amd64', blobs }))
      expect(code).to.equal('MANIFEST_MISMATCH')
    }
  })

  it('is not proven for the entry of another version', async () => {
    const parts = await read()
    const blobs = held(releaseBlobs(parts.manifest, 'amd64'))
    const entry = { ...parts.entry, version: '1.1' }
    const code = codeFrom(() => verifyRelease({ ...parts, entry, platform: 'amd64', blobs }))
    expect(code).to.equal('MANIFEST_MISMATCH')
  })
})
