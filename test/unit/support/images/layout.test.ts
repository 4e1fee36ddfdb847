import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { arrangeLayer, fileOf } from '../../../support/images/entry.ts'
import { type Layer, writeLayer } from '../../../support/images/layer.ts'
import { type ImageDigests, writeLayout } from '../../../support/images/layout.ts'

interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

describe('writeLayout', () => {
  let folder = ''
  let layers: readonly Layer[] = []
  let digests: ImageDigests
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archy-layout-'))
    layers = await Promise.all(
      ['one', 'two'].map(name => writeLayer(folder, arrangeLayer([fileOf(name, name)]))),
    )
    digests = await write('layout')
  })
  after(async () => {
    await rm(folder, { recursive: true })
  })

  function write(name: string): Promise<ImageDigests> {
    return writeLayout(join(folder, name), {
      architecture: 'amd64',
      run: { User: '999:999', Entrypoint: ['/one'] },
      layers,
      refName: 'app-web',
    })
  }

  const readJson = async (path: string) =>
    JSON.parse(await readFile(join(folder, 'layout', path), 'utf8'))

  async function blobOf({ digest, size }: Descriptor): Promise<Buffer> {
    const bytes = await readFile(join(folder, 'layout/blobs', digest.replace(':', '/')))
    expect(bytes).to.have.length(size)
    expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).to.equal(digest)
    return bytes
  }

  it('is marked as a layout of version 1.0.0', async () => {
    expect(await readJson('oci-layout')).to.deep.equal({ imageLayoutVersion: '1.0.0' })
  })

  it('leads from the index to every blob, each with the digest and size that name it', async () => {
    const index = await readJson('index.json')
    expect(index).to.include({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
    })
    const [entry] = index.manifests
    expect(entry).to.deep.include({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digests.manifest,
      platform: { architecture: 'amd64', os: 'linux' },
      annotations: { 'org.opencontainers.image.ref.name': 'app-web' },
    })
    const manifest = JSON.parse((await blobOf(entry)).toString())
    expect(manifest).to.include({ schemaVersion: 2, mediaType: entry.mediaType })
    expect(manifest.config).to.include({
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digests.config,
    })
    const config = JSON.parse((await blobOf(manifest.config)).toString())
    expect(config).to.deep.include({
      architecture: 'amd64',
      os: 'linux',
      config: { User: '999:999', Entrypoint: ['/one'] },
    })
    const diffIds = await Promise.all(
      manifest.layers.map(async (layer: Descriptor) => {
        expect(layer.mediaType).to.equal('application/vnd.oci.image.layer.v1.tar')
        await blobOf(layer)
        return layer.digest
      }),
    )
    expect(config.rootfs).to.deep.equal({ type: 'layers', diff_ids: diffIds })
    expect(config.history).to.have.length(diffIds.length)
    expect(await readdir(join(folder, 'layout/blobs/sha256'))).to.have.length(4)
  })

  it('writes the same bytes from the same image', async () => {
    expect(await write('again')).to.deep.equal(digests)
    const indexes = ['layout', 'again'].map(name =>
      readFile(join(folder, name, 'index.json'), 'utf8'),
    )
    const [first, second] = await Promise.all(indexes)
    expect(second).to.equal(first)
  })
})
