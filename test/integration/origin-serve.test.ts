/** Serving an origin: ranges, what is hidden, and an independent TUF client that reads it over HTTP. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import { Updater } from 'tuf-js'
import { addApp, initOrigin, originFolder, publishOrigin } from '../../catalog/publish/index.ts'
import { digestOf, hexOf } from '../../src/core/digest.ts'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import { openWorkshop, type Workshop } from '../support/publish/workshop.ts'

const BIG = Buffer.from(Array.from({ length: 600_000 }, (_, index) => index % 251))

describe('origin serve', () => {
  let shop: Workshop
  let server: OriginServer
  let manifest: Awaited<ReturnType<typeof addApp>>['manifest']
  const listen = { host: '127.0.0.1', port: 0, log: silentLog }
  const hex = hexOf(digestOf(BIG))
  const blob = `blobs/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`

  before(async () => {
    shop = await openWorkshop()
    // tuf-js reads the machine's clock, so what it reads is signed for today.
    const nowMs = Date.now()
    await initOrigin(shop.origin, { nowMs })
    const app = await shop.app('1', { layers: [BIG] })
    manifest = (await addApp(shop.origin, app.folder)).manifest
    await publishOrigin(shop.origin, { nowMs })
  })
  after(() => shop[Symbol.asyncDispose]())
  beforeEach(async () => {
    server = await serveOrigin(originFolder(shop.origin).public, listen)
  })
  afterEach(() => server.close())

  const get = (path: string, init?: RequestInit) => fetch(new URL(path, server.url), init)

  it('serves a blob and its piece layer whole, and forever', async () => {
    const response = await get(blob)
    expect(response.status).to.equal(200)
    expect(response.headers.get('cache-control')).to.match(/immutable/)
    expect(response.headers.get('content-type')).to.equal('application/octet-stream')
    expect(Buffer.from(await response.arrayBuffer()).equals(BIG)).to.equal(true)
    expect((await (await get(`${blob}.pieces`)).arrayBuffer()).byteLength).to.equal(96)
  })

  it('serves a part of a blob, and says what it is a part of', async () => {
    const response = await get(blob, { headers: { range: 'bytes=262144-262243' } })
    expect(response.status).to.equal(206)
    expect(response.headers.get('content-range')).to.equal(`bytes 262144-262243/${BIG.length}`)
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(bytes.equals(BIG.subarray(262_144, 262_244))).to.equal(true)
  })

  it('refuses a range that begins behind the end', async () => {
    const response = await get(blob, { headers: { range: `bytes=${BIG.length}-` } })
    expect(response.status).to.equal(416)
  })

  it('answers HEAD with the size, and 304 to a reader that has the newest', async () => {
    const head = await get(blob, { method: 'HEAD' })
    expect(head.headers.get('content-length')).to.equal(String(BIG.length))
    const first = await get('catalog/timestamp.json')
    expect(first.headers.get('cache-control')).to.equal('no-cache')
    const etag = first.headers.get('etag') ?? ''
    await first.arrayBuffer()
    const path = '/catalog/timestamp.json'
    expect(await rawStatus(server.port, path, { 'if-none-match': etag })).to.equal(304)
  })

  it('counts the bytes of blobs, not of the catalog', async () => {
    await (await get(blob, { headers: { range: 'bytes=0-999' } })).arrayBuffer()
    await (await get(`${blob}.pieces`)).arrayBuffer()
    await (await get('catalog/timestamp.json')).arrayBuffer()
    await server.close()
    expect(server.stats()).to.deep.equal({ requests: 3, blobBytes: 1096 })
  })

  it('takes GET and HEAD only', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await get(blob, { method })).status, method).to.equal(404)
    }
  })

  it('serves nothing but the catalog and blobs', async () => {
    const folder = originFolder(shop.origin).public
    await mkdir(join(folder, '.git'), { recursive: true })
    await writeFile(join(folder, '.git/config'), 'secret')
    await writeFile(join(folder, 'catalog/.hidden.json'), 'secret')
    await writeFile(join(folder, 'notes.txt'), 'secret')
    for (const path of [
      '/',
      '/catalog',
      '/catalog/',
      '/.git/config',
      '/catalog/.hidden.json',
      '/notes.txt',
      '/../draft/state.json',
      '/catalog/../../draft/state.json',
      '/catalog/..%2f..%2fkeys%2froot.key',
      '/%2e%2e/keys/root.key',
      '//etc/passwd',
      `/blobs/blake3/00/00/${hex}`,
      '/catalog/timestamp.json%00',
    ]) {
      expect(await rawStatus(server.port, path), path).to.equal(404)
    }
  })

  it('follows no symbolic link out of the folder', async () => {
    await symlink('/etc/passwd', join(originFolder(shop.origin).catalog, 'link.json'))
    expect((await get('catalog/link.json')).status).to.equal(404)
  })

  it('names a port that is taken, and a folder that is no origin', async () => {
    const options = { ...listen, port: server.port }
    const taken = await serveOrigin(originFolder(shop.origin).public, options).catch(
      (error: unknown) => error,
    )
    expect(taken).to.include({
      code: 'ORIGIN_LISTEN_FAILED',
      message: `cannot serve on 127.0.0.1 port ${server.port}: another program listens there; give another --port`,
    })
    const missing = await serveOrigin(shop.path, listen).catch((error: unknown) => error)
    expect(missing).to.have.property('code', 'ORIGIN_PUBLIC_MISSING')
  })

  it('is read by tuf-js, which finds the release manifest', async () => {
    const metadataDir = join(shop.path, 'tuf')
    await mkdir(metadataDir)
    const root = await readFile(join(originFolder(shop.origin).catalog, '1.root.json'))
    await writeFile(join(metadataDir, 'root.json'), root)
    const updater = new Updater({ metadataDir, metadataBaseUrl: `${server.url}catalog` })
    await updater.refresh()
    const target = await updater.getTargetInfo('apps/core.hello/stable')
    expect(target?.length).to.equal(manifest.size)
    expect(`sha256:${target?.hashes.sha256}`).to.equal(manifest.sha256)
  })
})

/** Sends a path as it is; `fetch` would tidy up the path, and ask for no cached answer. */
function rawStatus(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, agent: false }
    const request = httpRequest(options, response => {
      response.resume()
      response.once('end', () => resolve(response.statusCode))
    })
    request.once('error', reject)
    request.end()
  })
}
