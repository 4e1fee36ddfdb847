/** An app that no catalog has, on a real node: from the owner's folder, kept up to date from it, then from the catalog. */
import { copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView } from '../../src/status.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OriginFolder, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 30_000

describe('a manifest of the owner', function () {
  this.timeout(90_000)
  let folder: TempFolder
  let origin: OriginFolder
  let server: OriginServer
  let node: NodeProcess
  let appFolder: string
  let own: string

  before(async () => {
    const { folders } = await buildAppFolders({ mode: 'stub' })
    appFolder = folders['hello-web']
    folder = await makeTempFolder()
    origin = await runOrigin(join(folder.path, 'origin'), appFolder)
    server = await serveOrigin(origin.publicFolder, {
      host: '127.0.0.1',
      port: 0,
      log: silentLog,
    })
    node = await NodeProcess.make()
    own = join(dirname(node.configFile), 'manifests')
    await mkdir(own)
    await copyFile(origin.rootFile, join(node.configFile, '../root.json'))
    await node.configure(
      [
        'network: test',
        `origin: {urls: ["${server.url}"]}`,
        'catalog: {localManifests: manifests}',
        'swarm: {listen: ["/ip4/127.0.0.1/tcp/0"]}',
        'storage: {minimumFree: 1MiB}',
        'orchestrator: {mode: render}',
        '',
      ].join('\n'),
    )
    await node.start()
  })
  after(async () => {
    await node[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  /** The published manifest of hello-web under another name: its images are at the origin. */
  const keep = async (version: string): Promise<void> => {
    const manifest = JSON.parse(await publishedManifest(origin)) as object
    await writeFile(join(own, 'mine.json'), JSON.stringify({ ...manifest, id: 'mine', version }))
    expect((await node.run(['status', '--refresh'])).code).to.equal(0)
  }
  const untilMine = (version: string, publisher: string): Promise<AppView> =>
    waitFor(`mine ${version} of ${publisher}`, TIMEOUT_MS, async () => {
      const view = await node.app('mine')
      const isThere = view?.version === version && view.publisher === publisher
      return isThere && view.next === undefined ? view : undefined
    })

  it('is installed and updated like any other, until the catalog has the app', async () => {
    await keep('0.1.0')
    const installed = await node.run(['app', 'install', 'mine'])
    expect(installed.stderr).to.equal('')
    await untilMine('0.1.0', 'local')
    await keep('0.2.0')
    await untilMine('0.2.0', 'local')
    const explained = await node.run(['app', 'explain', 'mine'])
    expect(explained.stdout).to.match(/→ +0\.2\.0 +local +the catalog has no app "mine"/)

    const published = join(folder.path, 'mine')
    await cp(appFolder, published, { recursive: true })
    const author = await readFile(join(appFolder, 'archy.yaml'), 'utf8')
    await writeFile(join(published, 'archy.yaml'), author.replace(/^id: .*$/m, 'id: mine'))
    await origin.publish(published)
    expect((await node.run(['status', '--refresh'])).code).to.equal(0)
    await untilMine('1.0.0', 'core')
    const later = await node.run(['app', 'explain', 'mine'])
    expect(later.stdout).to.match(/0\.2\.0 +local +the catalog has the app/)
  })

  it('that is wrong is named in the status, and the node goes on', async () => {
    await writeFile(join(own, 'wrong.yaml'), 'id: [')
    const status = await node.run(['status', '--refresh'])
    expect(status.stdout).to.match(/local manifest wrong\.yaml:1:\d+/)
  })
})

/** The blob that the catalog names as the head of hello-web. */
async function publishedManifest(origin: OriginFolder): Promise<string> {
  const catalog = join(origin.publicFolder, 'catalog')
  const names = (await readdir(catalog)).filter(name => name.endsWith('.core.json'))
  const roles = await Promise.all(names.map(name => readFile(join(catalog, name), 'utf8')))
  const entry = /"apps\/core\.hello-web\/stable".*?"blake3":"(?:blake3:)?([0-9a-f]{64})"/s
  const hex = roles.map(role => entry.exec(role)?.[1]).find(found => found !== undefined)
  if (hex === undefined) throw new Error(`no hello-web in ${names.join(', ')}`)
  const path = join('blobs/blake3', hex.slice(0, 2), hex.slice(2, 4), hex)
  return await readFile(join(origin.publicFolder, path), 'utf8')
}
