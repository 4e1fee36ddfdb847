/** A node that is killed at any moment of an install starts again and ends with the right bytes. */
import { copyFile, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView } from '../../src/status.ts'
import { type AppFolders, buildAppFolders, buildLargeApp } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OriginFolder, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const LARGE_MIB = 24
/** Slow enough that every moment below is met. */
const DOWNLOAD_LIMIT = '8MiB'
const TIMEOUT_MS = 30_000

describe('a node on its own', function () {
  this.timeout(90_000)
  let apps: AppFolders
  let folder: TempFolder
  let origin: OriginFolder
  let server: OriginServer
  let node: NodeProcess

  before(async () => {
    apps = await buildAppFolders({ mode: 'stub' })
    folder = await makeTempFolder()
    const large = join(folder.path, 'large')
    await buildLargeApp(large, { id: 'large', mib: LARGE_MIB, seed: 'kill', apps })
    origin = await runOrigin(join(folder.path, 'origin'), apps.folders['hello-web'], large)
    server = await serveOrigin(origin.publicFolder, { host: '127.0.0.1', port: 0, log: silentLog })
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    node = await NodeProcess.make()
    await copyFile(origin.rootFile, join(node.configFile, '../root.json'))
  })
  afterEach(() => node[Symbol.asyncDispose]())

  const configText = (...more: readonly string[]): string =>
    [
      'network: test',
      `origin: {urls: ["${server.url}"]}`,
      'catalog: {refreshInterval: 1s}',
      `swarm: {listen: ["/ip4/127.0.0.1/tcp/0"], downloadLimit: ${DOWNLOAD_LIMIT}}`,
      'orchestrator: {mode: render}',
      ...more,
      '',
    ].join('\n')

  const untilApp = async (id: string, test: (view: AppView) => boolean): Promise<AppView> =>
    await waitFor(
      `${id} in the state that is waited for`,
      TIMEOUT_MS,
      async () => {
        const view = await node.app(id)
        return view !== undefined && test(view) ? view : undefined
      },
      20,
    )
  const isInstalled = (view: AppView): boolean =>
    view.version === '1.0.0' && view.next === undefined
  const heldShare = ({ next }: AppView): number =>
    (next?.progress?.heldBytes ?? 0) / (next?.progress?.sizeBytes ?? 1)

  it('ends an install with the right bytes, however often it is killed within it', async () => {
    await node.configure(configText('apps: {hello-web: {}, large: {}}'))
    const moments: readonly ((view: AppView) => boolean)[] = [
      () => true,
      view => view.next !== undefined,
      view => heldShare(view) > 0.3,
      view => heldShare(view) > 0.6,
      view => heldShare(view) > 0.9,
      isInstalled,
    ]
    for (const isMoment of moments) {
      await node.start()
      await untilApp('large', isMoment)
      await node.end('SIGKILL')
    }
    await node.start()
    await untilApp('large', isInstalled)
    await untilApp('hello-web', isInstalled)
    await node.end('SIGTERM')
    const published = await filesByName(join(origin.publicFolder, 'blobs'), '')
    const held = await filesByName(join(node.stateFolder, 'store/blobs'), '.data')
    const units = await readdir(join(node.folder, 'config/containers/systemd'), { recursive: true })
    expect(units.join('\n')).to.include('hello-web').and.to.include('large')
    expect(held.size).to.be.greaterThan(4)
    for (const [name, path] of held) {
      const wanted = await readFile(published.get(name) ?? expect.fail(`${name} was not published`))
      expect((await readFile(path)).equals(wanted), name).to.equal(true)
    }
  })

  it('refuses to run twice on one state folder, and the first one goes on', async () => {
    await node.configure(configText('apps: {hello-web: {}}'))
    await node.start()
    const same = await node.run(['node', 'run'])
    const otherSocket = await node.run(['node', 'run'], { XDG_RUNTIME_DIR: folder.path })
    for (const { code, stderr } of [same, otherSocket]) {
      expect(code).to.equal(1)
      expect(stderr).to.match(
        /^archy: the blob store .* is in use by another process \(pid \d+\); .*\(STORE_LOCKED\)$/m,
      )
    }
    await untilApp('hello-web', isInstalled)
  })

  it('suggests the app that was meant, and keeps no trace of the wrong one', async () => {
    await node.configure(configText())
    await node.start()
    await waitFor('the catalog', TIMEOUT_MS, async () => {
      return (await node.status()).catalog.timestamp !== undefined
    })
    const { code, stderr } = await node.run(['app', 'install', 'helo-web'])
    expect(code).to.equal(1)
    expect(stderr).to.match(/^archy: .*did you mean "hello-web"\?.* \(APP_UNKNOWN\)\n$/)
    expect((await node.status()).apps).to.deep.equal([])
  })
})

/** Path of every file below `folder`, by its name without `ending`. */
async function filesByName(folder: string, ending: string): Promise<ReadonlyMap<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found.filter(entry => entry.isFile() && entry.name.endsWith(ending))
  return new Map(files.map(e => [basename(e.name, ending), join(e.parentPath, e.name)]))
}
