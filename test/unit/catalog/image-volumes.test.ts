import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { VerifiedRelease } from '../../../catalog/entry.ts'
import { ManifestError } from '../../../catalog/errors.ts'
import { checkImageVolumes } from '../../../catalog/image-volumes.ts'
import { readManifest, verifyRelease } from '../../../catalog/release.ts'
import { mintVerifiedBlob } from '../../../src/core/blob.ts'
import { canonicalJson } from '../../../src/core/canonical-json.ts'
import { digestOf, parseSha256 } from '../../../src/core/digest.ts'

describe('checkImageVolumes', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-volumes-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  async function blob(bytes: Uint8Array) {
    const hash = createHash('sha256').update(bytes).digest('hex')
    const blake3 = digestOf(bytes)
    const path = join(folder, hash)
    await writeFile(path, bytes)
    const mediaType = 'application/x-test'
    const ref = { blake3, sha256: parseSha256(`sha256:${hash}`), size: bytes.length, mediaType }
    return { ref, held: mintVerifiedBlob(blake3, bytes.length, path) }
  }

  /** A release of one component, with these mounts and an image with this config. */
  async function release(config: string, mounts: readonly object[]): Promise<VerifiedRelease> {
    const [imageManifest, imageConfig] = [
      await blob(Buffer.from('m')),
      await blob(Buffer.from(config)),
    ]
    const image = { manifest: imageManifest.ref, config: imageConfig.ref, layers: [] }
    const published = await blob(
      canonicalJson({
        ...{ apiVersion: 'archy.app/v1', id: 'app', version: '1', title: 'App' },
        images: { db: { platforms: { amd64: image } }, unused: { platforms: {} } },
        data: { db: {} },
        components: { main: { image: 'db', mounts } },
      }),
    )
    const entry = {
      ...{ publisher: 'core', app: 'app', channel: 'stable', seq: 1, version: '1', totalSize: 1 },
      manifest: published.ref,
    }
    const manifest = await readManifest(entry, published.held)
    const blobs = new Map([imageManifest, imageConfig].map(({ held }) => [held.digest, held]))
    return verifyRelease({
      entry,
      manifestBlob: published.held,
      manifest,
      platform: 'amd64',
      blobs,
    })
  }

  async function problemsOf(config: string, mounts: readonly object[] = []) {
    try {
      await checkImageVolumes(await release(config, mounts))
    } catch (error) {
      expect(error).to.be.instanceOf(ManifestError).and.have.property('code', 'MANIFEST_INVALID')
      return [(error as ManifestError).message, ...(error as ManifestError).problems]
    }
    return []
  }

  it('takes an image without volumes, and one whose volumes are mounted', async () => {
    for (const config of ['{}', '{"config":null}', '{"config":{"Volumes":null}}']) {
      expect(await problemsOf(config), config).to.deep.equal([])
    }
    const mounts = [{ data: 'db', path: '/data' }]
    expect(await problemsOf('{"config":{"Volumes":{"/data/":{}}}}', mounts)).to.deep.equal([])
  })

  it('names component, image and path of a volume that would lose its data, and what to write', async () => {
    const [, problem] = await problemsOf('{"config":{"Volumes":{"/data":{}}}}')
    expect(problem).to.match(/^app 1: components\.main\.mounts: image db has the volume "\/data"/)
    expect(problem).to.match(/add \{ data: <name>, path: \/data \}.*\[image\.volumes\]$/)
  })

  it('refuses an image whose config nobody can read', async () => {
    for (const config of ['{', '[]', '{"config":{"Volumes":["/data"]}}']) {
      expect((await problemsOf(config))[0], config).to.match(/the config of the image db of app 1/)
    }
  })
})
