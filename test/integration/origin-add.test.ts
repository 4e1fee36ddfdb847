/** Adding apps to an origin: real layouts and archives on a real disk, right and wrong. */
import { mkdir, readdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parsePublishedManifest } from '../../catalog/manifest/parse.ts'
import { addApp, initOrigin, originFolder } from '../../catalog/publish/index.ts'
import { foldPieceLayer } from '../../src/core/blake3/index.ts'
import { type Digest, digestOf, hexOf } from '../../src/core/digest.ts'
import { codeOf, NodeError } from '../../src/core/errors.ts'
import { blobFile, tarOf, writeArchive, writeLayout } from '../support/publish/oci-layout.ts'
import { NOW_MS, openWorkshop, type Workshop } from '../support/publish/workshop.ts'

describe('origin add', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await openWorkshop()
    await initOrigin(shop.origin, { nowMs: NOW_MS })
  })
  afterEach(() => shop[Symbol.asyncDispose]())

  function blobPath(digest: Digest): string {
    const hex = hexOf(digest)
    return join(originFolder(shop.origin).blobs, hex.slice(0, 2), hex.slice(2, 4), hex)
  }

  /** The error of adding `folder`; the draft must be as it was. */
  async function failure(folder: string): Promise<NodeError> {
    const state = originFolder(shop.origin).state
    const before = await readFile(state, 'utf8')
    try {
      await addApp(shop.origin, folder)
    } catch (error) {
      expect(error).to.be.instanceOf(NodeError)
      expect(await readFile(state, 'utf8')).to.equal(before)
      expect(await readdir(originFolder(shop.origin).draft)).to.deep.equal(['state.json'])
      return error as NodeError
    }
    throw new Error('it was added')
  }

  it('writes every blob at its address, with a piece layer where there is more than one piece', async () => {
    const big = Buffer.alloc(700_000, 7)
    const app = await shop.app('1', { layers: [big, Buffer.from('small')] })
    const added = await addApp(shop.origin, app.folder)
    expect(added).to.deep.include({ app: 'hello', version: '1', seq: 1, outcome: 'added' })
    const bytes = await readFile(blobPath(added.manifest.blake3))
    const { platforms } = parsePublishedManifest(bytes).images.web ?? { platforms: {} }
    const image = platforms.amd64
    expect(image?.manifest.sha256).to.equal(app.manifest)
    expect(image?.config.sha256).to.equal(app.config)
    expect(image?.layers.map(layer => layer.sha256)).to.deep.equal(app.layers)
    const [first, second] = image?.layers.map(layer => layer.blake3) ?? []
    expect(first).to.equal(digestOf(big))
    expect(await readFile(blobPath(first!))).to.deep.equal(big)
    const layer = await readFile(`${blobPath(first!)}.pieces`)
    expect(foldPieceLayer(layer, big.length)).to.equal(first)
    expect(await readFile(`${blobPath(second!)}.pieces`).catch(codeOf)).to.equal('ENOENT')
  })

  it('gives the same result for an archive as for the folder it was packed from', async () => {
    const app = await shop.app('1')
    const first = await addApp(shop.origin, app.folder)
    await writeArchive(app.layout, join(app.folder, 'image.tar'))
    const manifest = join(app.folder, 'archy.yaml')
    await writeFile(
      manifest,
      (await readFile(manifest, 'utf8')).replace('oci: image', 'oci: image.tar'),
    )
    expect(await addApp(shop.origin, app.folder)).to.deep.include({
      manifest: first.manifest,
      outcome: 'unchanged',
      newBytes: 0,
    })
  })

  it('copies only what a new version changes, and says how far it is', async () => {
    const base = Buffer.alloc(2_000_000, 1)
    await addApp(shop.origin, (await shop.app('1', { layers: [base] })).folder)
    const next = await shop.app('2', { layers: [base, Buffer.from('page')] })
    const seen: number[] = []
    const added = await addApp(shop.origin, next.folder, {
      onProgress: ({ doneBytes, totalBytes }) => seen.push(doneBytes / totalBytes),
    })
    expect(added.seq).to.equal(2)
    expect(added.newBytes).to.be.lessThan(2000)
    expect(added.totalSize).to.be.greaterThan(base.length)
    expect(seen.at(-1)).to.equal(1)
  })

  it('finds the images of two platforms in nested indexes and passes attestations over', async () => {
    const app = await shop.app('1', { image: '{ oci: image, platforms: [amd64, arm64] }' })
    const [amd64] = JSON.parse(await readFile(join(app.layout, 'index.json'), 'utf8')).manifests
    await writeLayout(app.layout, { architecture: 'arm64', layers: [Buffer.from('arm')] })
    const [arm64] = JSON.parse(await readFile(join(app.layout, 'index.json'), 'utf8')).manifests
    const attestation = { ...arm64, platform: { os: 'unknown', architecture: 'unknown' } }
    const manifests = [amd64, arm64, attestation]
    await writeFile(join(app.layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
    const added = await addApp(shop.origin, app.folder)
    const published = parsePublishedManifest(await readFile(blobPath(added.manifest.blake3)))
    expect(published.images.web?.platforms).to.have.keys('amd64', 'arm64')
  })

  it('names image, declared and found platform when one is missing', async () => {
    const app = await shop.app('1', { architecture: 'arm64' })
    expect(await failure(app.folder)).to.include({
      code: 'OCI_PLATFORM_MISSING',
      message:
        'image "web" (image): the manifest declares the platform amd64, but the image holds linux/arm64',
    })
  })

  it('refuses an archive that was cut off, wherever', async () => {
    const app = await shop.app('1', { image: '{ oci: image.tar }' })
    const path = join(app.folder, 'image.tar')
    const whole = await writeArchive(app.layout, path)
    for (const size of [whole.length - 1, whole.length - 1024, 1536, 100, 0]) {
      await writeFile(path, whole.subarray(0, size))
      expect(await failure(app.folder), String(size)).to.have.property('code', 'OCI_TRUNCATED')
    }
  })

  it('refuses a blob that is too short, too long, or not what its digest says', async () => {
    const app = await shop.app('1')
    const path = blobFile(app.layout, app.layers[0]!)
    const whole = await readFile(path)
    const changed = Buffer.from(whole)
    changed[0] = 1 + (changed[0] ?? 0)
    for (const [bytes, code, message] of [
      [whole.subarray(1), 'OCI_TRUNCATED', /has \d+ bytes; its descriptor says/],
      [Buffer.concat([whole, whole]), 'OCI_INVALID', /has \d+ bytes; its descriptor says/],
      [changed, 'OCI_INVALID', /is damaged: its bytes have the digest sha256:/],
    ] as const) {
      await writeFile(path, bytes)
      const error = await failure(app.folder)
      expect(error).to.have.property('code', code)
      expect(error.message).to.match(message).and.to.contain(app.layers[0])
    }
  })

  it('refuses a config or manifest that is not what its digest says', async () => {
    for (const document of ['config', 'manifest'] as const) {
      const app = await shop.app('1')
      const path = blobFile(app.layout, app[document])
      await writeFile(
        path,
        (await readFile(path, 'utf8')).replace('linux', 'linus').replace('2', '3'),
      )
      expect(await failure(app.folder)).to.have.property('code', 'OCI_INVALID')
    }
  })

  for (const [what, name, header, message] of [
    ['a symbolic link', 'index.json', { type: 'symlink', linkname: '/etc/passwd' }, /is a symlink/],
    ['a hard link', 'index.json', { type: 'link', linkname: '/etc/passwd' }, /is a link/],
    ['a path that leads out', '../../escape', {}, /which no OCI archive has/],
    ['an absolute path', '/escape', {}, /which no OCI archive has/],
    ['a file of another kind', 'blobs/sha256/readme', {}, /which no OCI archive has/],
  ] as const) {
    it(`refuses an archive with ${what}`, async () => {
      const app = await shop.app('1', { image: '{ oci: image.tar }' })
      const whole = await writeArchive(app.layout, join(app.folder, 'image.tar'))
      const planted = await tarOf({ [name]: Buffer.alloc(0) }, header)
      const bytes = Buffer.concat([planted.subarray(0, 512), whole])
      await writeFile(join(app.folder, 'image.tar'), bytes)
      const error = await failure(app.folder)
      expect(error).to.have.property('code', 'OCI_INVALID')
      expect(error.message).to.match(message)
    })
  }

  it('follows no link out of the app folder or the layout', async () => {
    const app = await shop.app('1')
    await writeFile(join(shop.path, 'index.json'), await readFile(join(app.layout, 'index.json')))
    await rename(join(app.layout, 'index.json'), join(app.layout, 'kept.json'))
    await symlink(join(shop.path, 'index.json'), join(app.layout, 'index.json'))
    expect((await failure(app.folder)).message).to.match(/index.json leads out of the layout/)
    await rename(app.layout, join(shop.path, 'elsewhere'))
    await symlink(join(shop.path, 'elsewhere'), app.layout)
    expect((await failure(app.folder)).message).to.match(/leads out of the app folder/)
  })

  it('refuses layers that Podman would fetch from elsewhere, and image kinds that are not OCI', async () => {
    const elsewhere = await shop.app('1', {
      editManifest: manifest => {
        const [layer] = manifest.layers as object[]
        return { ...manifest, layers: [{ ...layer, urls: ['https://example.org/layer'] }] }
      },
    })
    const error = await failure(elsewhere.folder)
    expect(error.problems.join()).to.match(/layers\[0\]\.urls: must not send the node to other/)
    const docker = await shop.app('1', {
      editIndex: ({ manifests: [only] }) => ({
        schemaVersion: 2,
        manifests: [{ ...only, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }],
      }),
    })
    expect((await failure(docker.folder)).message).to.match(/only OCI images can be published/)
  })

  it('refuses a volume of the image that no mount covers, and takes it with one', async () => {
    const bare = await shop.app('1', { volumes: ['/data'] })
    const error = await failure(bare.folder)
    expect(error).to.have.property('code', 'MANIFEST_INVALID')
    expect(error.problems[0]).to.match(
      /components\.main\.mounts: image web has the volume "\/data"/,
    )
    const components = '  main: { image: web, mounts: [{ data: files, path: /data }] }'
    const mounted = await shop.app('1', { volumes: ['/data/'], components })
    expect(await addApp(shop.origin, mounted.folder)).to.have.property('outcome', 'added')
  })

  it('names file, line and column of a wrong manifest', async () => {
    const app = await shop.app('release')
    expect((await failure(app.folder)).problems).to.deep.equal([
      'app-1/archy.yaml:3:10: version: must contain a digit [form.value]',
    ])
    expect(await failure(shop.path)).to.have.property('code', 'MANIFEST_INVALID')
  })

  it('refuses a folder that is no origin, and one that another process is changing', async () => {
    const app = await shop.app('1')
    const error = await addApp(shop.path, app.folder).catch((thrown: unknown) => thrown)
    expect(error).to.have.property('code', 'ORIGIN_MISSING')
    const lock = join(originFolder(shop.origin).draft, 'lock')
    await writeFile(lock, String(process.pid))
    const busy = await addApp(shop.origin, app.folder).catch((thrown: unknown) => thrown)
    expect(busy).to.have.property('code', 'ORIGIN_BUSY')
  })

  it('takes over the lock of a process that is gone, and removes what it left', async () => {
    const { draft, work } = originFolder(shop.origin)
    await mkdir(work)
    await writeFile(join(work, 'half'), 'half')
    await writeFile(join(draft, 'lock'), '4194303')
    const app = await shop.app('1')
    expect(await addApp(shop.origin, app.folder)).to.have.property('outcome', 'added')
    expect(await readdir(draft)).to.deep.equal(['state.json'])
  })

  it('says that the state is damaged instead of starting over', async () => {
    await truncate(originFolder(shop.origin).state, 10)
    const app = await shop.app('1')
    const error = await addApp(shop.origin, app.folder).catch((thrown: unknown) => thrown)
    expect(error).to.have.property('code', 'ORIGIN_DAMAGED')
  })
})
