/** A real node against origins that are wrong: it refuses, says why, keeps what it has, and recovers by itself. */
import { copyFile, cp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { publishOrigin } from '../../catalog/publish/index.ts'
import { silentLog } from '../../src/core/log.ts'
import { serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView, NodeStatus } from '../../src/status.ts'
import { openProcessStage } from '../demo/process-stage.ts'
import type { DemoNode, Stage } from '../demo/stage.ts'
import { type AppFolders, buildAppFolders } from '../support/images/index.ts'
import { type OriginFolder, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 30_000
const DAY_MS = 86_400_000

describe('a node and a wrong origin', function () {
  this.timeout(90_000)
  let apps: AppFolders
  let folder: TempFolder
  let stage: Stage
  let node: DemoNode
  let origin: OriginFolder
  let server: AsyncDisposable

  before(async () => {
    apps = await buildAppFolders({ mode: 'stub' })
  })
  beforeEach(async () => {
    folder = await makeTempFolder()
    stage = await openProcessStage()
    node = stage.nodes[0]
    origin = await runOrigin(join(folder.path, 'origin'), apps.folders['hello-web'])
    server = await serveOrigin(origin.publicFolder, { ...stage.origin, log: silentLog })
    await stage.trust(origin.rootFile)
  })
  afterEach(async () => {
    await stage[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const start = async (): Promise<void> => {
    await node.configure({ apps: ['hello-web'], bootstrap: [] })
  }
  const untilView = async (what: string, test: (view: AppView) => boolean): Promise<AppView> =>
    await waitFor(what, TIMEOUT_MS, async () =>
      (await node.status()).apps.find(app => app.id === 'hello-web' && test(app)),
    )
  const untilInstalled = (version: string): Promise<AppView> =>
    untilView(`hello-web ${version}`, view => view.version === version && view.next === undefined)
  const refreshError = async (code: string): Promise<NodeStatus> =>
    await waitFor(`the refresh error ${code}`, TIMEOUT_MS, async () => {
      const status = JSON.parse(await node.archy('status', '--refresh', '--json')) as NodeStatus
      return status.catalog.refresh.error?.code === code ? status : undefined
    })

  it('refuses a catalog that another key signed', async () => {
    const other = await runOrigin(join(folder.path, 'other'), apps.folders['hello-web'])
    await stage.trust(other.rootFile)
    await start()
    const status = await refreshError('SIGNATURE_THRESHOLD')
    expect(status.apps[0]?.state).to.equal('waiting')
    expect(status.swarm.totals.origin).to.equal(0)
  })

  it('refuses an expired catalog, keeps its app, and takes the next good one', async () => {
    await start()
    await untilInstalled('1.0.0')
    const catalog = join(origin.publicFolder, 'catalog')
    await cp(catalog, join(folder.path, 'kept'), { recursive: true })
    await publishOrigin(origin.folder, { nowMs: Date.now() - 8 * DAY_MS })
    const status = await refreshError('METADATA_EXPIRED')
    expect(status.apps[0]?.version).to.equal('1.0.0')
    await origin.publish(apps.folders['hello-web-2'])
    await untilInstalled('2.0.0')
    expect((await node.status()).catalog.refresh.error).to.equal(undefined)
  })

  it('refuses a catalog older than the one it has seen', async () => {
    const catalog = join(origin.publicFolder, 'catalog')
    const old = join(folder.path, 'old')
    await cp(catalog, old, { recursive: true })
    await origin.publish(apps.folders['hello-web-2'])
    await start()
    await untilInstalled('2.0.0')
    await copyFile(join(old, 'timestamp.json'), join(catalog, 'timestamp.json'))
    const status = await refreshError('VERSION_ROLLBACK')
    expect(status.apps[0]?.version).to.equal('2.0.0')
  })

  it('refuses a blob of the wrong size, names the origin, and completes when it is mended', async () => {
    const blob = await largestBlob(origin)
    const good = await readFile(blob)
    await truncate(blob, good.length - 1)
    await start()
    await waitFor('a line in the log that names the origin', TIMEOUT_MS, async () => {
      const { host, port } = stage.origin
      const lines = (await node.log()).split('\n')
      return lines.some(line => line.includes('"warn"') && line.includes(`http://${host}:${port}/`))
    })
    expect((await node.status()).apps[0]?.version).to.equal(undefined)
    await replace(blob, good)
    await untilView('hello-web', view => view.version === '1.0.0')
  })

  it('refuses altered bytes from the origin, names it, and completes when it is mended', async () => {
    const blob = await largestBlob(origin)
    const good = await readFile(blob)
    const bad = Buffer.from(good)
    bad[bad.length >> 1] = (bad[bad.length >> 1] ?? 0) ^ 1
    await replace(blob, bad)
    await start()
    await waitFor('the refusal in the log', TIMEOUT_MS, async () =>
      (await node.log())
        .split('\n')
        .some(line => line.includes('piece refused') && line.includes('"origin"')),
    )
    await replace(blob, good)
    await untilView('hello-web', view => view.version === '1.0.0')
  })

  it('starts without any origin, and installs when there is one', async () => {
    await server[Symbol.asyncDispose]()
    await start()
    await refreshError('METADATA_UNREACHABLE')
    server = await serveOrigin(origin.publicFolder, { ...stage.origin, log: silentLog })
    await untilInstalled('1.0.0')
  })
})

async function largestBlob(origin: OriginFolder): Promise<string> {
  const root = join(origin.publicFolder, 'blobs')
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter(e => e.isFile()).map(e => join(e.parentPath, e.name))
  const sizes = await Promise.all(
    files.map(async path => ({ path, size: (await readFile(path)).length })),
  )
  const largest = sizes.sort((a, b) => b.size - a.size)[0]
  if (largest === undefined) throw new Error('the origin has no blobs')
  return largest.path
}

/** A new file in its place: what a publisher's upload does. */
async function replace(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, bytes)
  await rename(`${path}.new`, path)
  await rm(`${path}.new`, { force: true })
}
