/** What `archy blob` says and does with a real node: why blobs are kept, what goes, pins, damage that heals from the origin. */
import { copyFile, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Collection } from '../../src/collector.ts'
import { parseDigest } from '../../src/core/digest.ts'
import { silentLog } from '../../src/core/log.ts'
import type { BlobListView, BlobView } from '../../src/http/blob-routes.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { Verification } from '../../src/scrubber.ts'
import { blobPathsOf } from '../../swarm/store/paths.ts'
import { buildAppFolders, buildLargeApp } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OriginFolder, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const LARGE_MIB = 6
/** One of the two apps fits, both do not. */
const QUOTA = '10MiB'
const TIMEOUT_MS = 30_000

describe('archy blob', function () {
  this.timeout(120_000)
  let folder: TempFolder
  let origin: OriginFolder
  let server: OriginServer
  let node: NodeProcess

  before(async () => {
    const apps = await buildAppFolders({ mode: 'stub' })
    folder = await makeTempFolder()
    const large = async (id: string): Promise<string> => {
      const path = join(folder.path, id)
      await buildLargeApp(path, { id, mib: LARGE_MIB, seed: id, apps })
      return path
    }
    origin = await runOrigin(
      join(folder.path, 'origin'),
      await large('large'),
      await large('other'),
    )
    server = await serveOrigin(origin.publicFolder, { host: '127.0.0.1', port: 0, log: silentLog })
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    node = await NodeProcess.make()
    await copyFile(origin.rootFile, join(node.configFile, '../root.json'))
    await node.configure(
      [
        'network: test',
        `origin: {urls: ["${server.url}"]}`,
        'apps: {large: {}}',
        'catalog: {refreshInterval: 1s}',
        'swarm: {listen: ["/ip4/127.0.0.1/tcp/0"], bulk: 0}',
        `storage: {quota: ${QUOTA}, minimumFree: 1MiB}`,
        'orchestrator: {mode: render}',
        '',
      ].join('\n'),
    )
    await node.start()
    await untilInstalled('large')
  })
  afterEach(() => node[Symbol.asyncDispose]())

  async function untilInstalled(id: string): Promise<void> {
    await waitFor(`${id} to be installed`, TIMEOUT_MS, async () => {
      const app = await node.app(id)
      return app?.version === '1.0.0' && app.next === undefined ? app : undefined
    })
  }
  async function archy<Answer>(...args: readonly string[]): Promise<Answer> {
    const { code, stdout, stderr } = await node.run([...args, '--json'])
    expect(code, stderr).to.equal(0)
    return JSON.parse(stdout) as Answer
  }
  const blobs = async (): Promise<readonly BlobView[]> =>
    (await archy<BlobListView>('blob', 'list')).blobs
  const largest = async (): Promise<readonly BlobView[]> =>
    (await blobs()).filter(({ sizeBytes }) => sizeBytes > 2 ** 20)
  const dataFileOf = (digest: string): string =>
    blobPathsOf(join(node.stateFolder, 'store/blobs'), parseDigest(digest)).data

  it('makes room from seeds by itself, but never from what is installed or pinned', async () => {
    const [first] = await largest()
    expect(first?.use).to.equal('installed: large 1.0.0')
    const refused = await node.run(['app', 'install', 'other'])
    expect(refused.stderr).to.match(/storage\.quota is 10\.0 MiB; .*\(QUOTA_EXCEEDED\)/)
    await archy('blob', 'pin', 'large')
    await node.run(['app', 'uninstall', 'large'])
    expect((await largest()).map(({ use }) => use)).to.deep.equal(['pinned: large 1.0.0'])
    const again = await node.run(['app', 'install', 'other'])
    expect(again.stderr).to.include('(QUOTA_EXCEEDED)')
    expect((await archy<Collection>('blob', 'gc', '--dry-run')).removals).to.deep.equal([])
    expect(await archy('blob', 'unpin', 'large')).to.deep.equal({ blobs: [], apps: [] })

    const installed = await node.run(['app', 'install', 'other'])
    expect(installed.code, installed.stderr).to.equal(0)
    expect((await largest()).map(({ use }) => use)).to.deep.equal(['installed: other 1.0.0'])
    const lines = (await node.log()).split('\n').filter(line => line.includes('blob collected'))
    expect(lines.find(line => line.includes(first?.digest ?? '?'))).to.include('"why":"seed"')
    const { stdout } = await node.run(['blob', 'list'])
    expect(stdout).to.match(/ are used of 10\.5 MB \(storage\.quota\)/)
    const mistake = await node.run(['blob', 'pin', 'larg'])
    expect(mistake.stderr).to.match(/did you mean "large"\?.*\(APP_UNKNOWN\)/)
  })

  it('deletes nothing while the record of an app cannot be read', async () => {
    const record = join(node.stateFolder, 'orchestrator/apps/other.json')
    await writeFile(record, '{"format": 1, "id": "oth')
    const { code, stderr } = await node.run(['blob', 'gc'])
    expect(code).to.equal(1)
    expect(stderr).to.match(/nothing is deleted: .*other\.json.*\(NEEDS_UNKNOWN\)/)
    expect((await largest())[0]?.use).to.equal('unknown')
    await rm(record)
    expect((await archy<Collection>('blob', 'gc')).removed).to.deep.equal([])
  })

  it('names the damaged pieces and fetches exactly those again', async () => {
    const [blob] = await largest()
    const digest = blob?.digest ?? ''
    const good = await readFile(dataFileOf(digest))
    const fromOrigin = async (): Promise<number> => (await node.status()).swarm.totals.origin
    const beforeBytes = await fromOrigin()
    await using file = await open(dataFileOf(digest), 'r+')
    for (const piece of [2, 17]) await file.write(Buffer.from('damage'), 0, 6, piece * 256 * 1024)
    const { ok, damaged } = await archy<Verification & { ok: boolean }>('blob', 'verify', '--all')
    expect(ok).to.equal(true)
    expect(damaged).to.deep.equal([{ digest, pieces: [2, 17], state: 'healed' }])
    expect((await readFile(dataFileOf(digest))).equals(good)).to.equal(true)
    expect((await fromOrigin()) - beforeBytes).to.equal(2 * 256 * 1024)
    const { stdout } = await node.run(['blob', 'verify', digest])
    expect(stdout).to.equal('1 blobs, 6.3 MB: nothing is damaged.\n')
  })

  it('says which pieces are missing when nobody has them, and heals them later', async () => {
    const [blob] = await largest()
    const digest = blob?.digest ?? ''
    await server[Symbol.asyncDispose]()
    await using file = await open(dataFileOf(digest), 'r+')
    await file.write(Buffer.from('damage'), 0, 6, 0)
    const verifying = node.run(['blob', 'verify', digest, '--rate', '1GiB'])
    const held = async (): Promise<BlobView | undefined> =>
      (await largest()).find(each => each.digest === digest)
    const damaged = await waitFor('the damage', TIMEOUT_MS, async () => {
      const view = await held()
      return view?.isComplete === false ? view : undefined
    })
    expect(damaged.heldPieceCount).to.equal(damaged.pieceCount - 1)
    await node.end('SIGKILL')
    await verifying
    server = await serveOrigin(origin.publicFolder, {
      host: '127.0.0.1',
      port: Number(new URL(server.url).port),
      log: silentLog,
    })
    await node.start()
    await waitFor('the blob to be whole', TIMEOUT_MS, async () => (await held())?.isComplete)
  })

  it('gets a blob that a release names and this node lacks, and copies it where it is wanted', async () => {
    await node.run(['app', 'uninstall', 'large'])
    const blobsFolder = join(origin.publicFolder, 'blobs/blake3')
    const absent = async (): Promise<readonly string[]> => {
      const held = new Set((await blobs()).map(({ digest }) => digest.replace('blake3:', '')))
      const names = await readdir(blobsFolder, { recursive: true })
      return names
        .flatMap(name => /([0-9a-f]{64})$/.exec(name)?.[1] ?? [])
        .filter(hex => !held.has(hex))
    }
    const get = (hex: string, ...more: readonly string[]) => node.run(['blob', 'get', hex, ...more])
    const sizeOf = async (hex: string): Promise<number> => (await stat(fileOf(hex))).size
    const fileOf = (hex: string): string => join(blobsFolder, hex.slice(0, 2), hex.slice(2, 4), hex)
    const missing = await absent()
    const sizes = new Map(
      await Promise.all(missing.map(async hex => [hex, await sizeOf(hex)] as const)),
    )
    const layer = missing.find(hex => (sizes.get(hex) ?? 0) > 2 ** 20) ?? ''

    expect((await get(layer)).stderr).to.match(/no release that is known here names .*BLOB_UNKNOWN/)
    await waitFor('the manifest', TIMEOUT_MS, async () => {
      for (const hex of missing) if ((await get(hex)).code === 0) return true
      return undefined
    })
    const copy = join(folder.path, 'copy')
    const got = await waitFor('the layer', TIMEOUT_MS, async () => {
      const answer = await get(layer, '--out', copy, '--json')
      return answer.code === 0 ? JSON.parse(answer.stdout) : undefined
    })
    expect(got).to.include({ digest: `blake3:${layer}`, state: 'done', out: copy })
    expect(Buffer.compare(await readFile(copy), await readFile(fileOf(layer)))).to.equal(0)
    expect((await get(layer, '--out', copy)).stderr).to.include('EEXIST')
  })

  it('wants to know what to verify, and how fast in a way it understands', async () => {
    const nothing = await node.run(['blob', 'verify'])
    expect(nothing.code).to.equal(2)
    expect(nothing.stderr).to.include('name one blob, or say --all')
    expect((await node.run(['blob', 'verify', '--all', '--rate', 'fast'])).code).to.equal(2)
    const absent = await node.run(['blob', 'verify', 'ab'.repeat(32)])
    expect(absent.stderr).to.match(/\(BLOB_ABSENT\)/)
  })
})
