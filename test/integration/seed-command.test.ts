/** What the owner says about seeding to a real node: limits, and an app that is seeded without being run. Over restarts. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { SeedListView } from '../../src/http/seed-routes.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 30_000

describe('archy seed', function () {
  this.timeout(120_000)
  let folder: TempFolder
  let server: OriginServer
  let node: NodeProcess

  before(async () => {
    const { folders } = await buildAppFolders({ mode: 'stub' })
    folder = await makeTempFolder()
    const origin = await runOrigin(join(folder.path, 'origin'), folders.notes)
    server = await serveOrigin(origin.publicFolder, { host: '127.0.0.1', port: 0, log: silentLog })
    node = await NodeProcess.make()
    await copyFile(origin.rootFile, join(node.configFile, '../root.json'))
    await node.configure(
      [
        'network: test',
        `origin: {urls: ["${server.url}"]}`,
        'catalog: {refreshInterval: 1s}',
        'swarm: {listen: ["/ip4/127.0.0.1/tcp/0"], bulk: 0, uploadLimit: 1MiB}',
        'storage: {minimumFree: 1MiB}',
        'orchestrator: {mode: render}',
        '',
      ].join('\n'),
    )
    await node.start()
    await waitFor('the catalog', TIMEOUT_MS, async () => {
      return (await node.status()).catalog.timestamp !== undefined
    })
  })
  after(async () => {
    await node[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const seed = async (...args: readonly string[]): Promise<SeedListView> => {
    const { code, stdout, stderr } = await node.run(['seed', ...args, '--json'])
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as SeedListView
  }
  const uploadLimit = async () => (await node.status()).swarm.serving.limits.upload

  it('changes a limit at once, keeps it over a restart, and takes it back', async () => {
    expect(await uploadLimit()).to.deep.equal({ bytesPerSecond: 2 ** 20, setBy: 'configuration' })
    await seed('limit', '--upload', '2MiB', '--origin', 'none')
    const owners = { bytesPerSecond: 2 ** 21, setBy: 'owner' }
    expect(await uploadLimit()).to.deep.equal(owners)
    await node.end('SIGKILL')
    await node.start()
    expect(await uploadLimit()).to.deep.equal(owners)
    const { limits } = await seed('limit', '--upload', 'default')
    expect(limits.upload).to.deep.equal({ bytesPerSecond: 2 ** 20, setBy: 'configuration' })
    expect(limits.origin).to.deep.equal({ setBy: 'owner' })
  })

  it('says what is wrong with a limit', async () => {
    const { code, stderr } = await node.run(['seed', 'limit', '--upload', '2MB'])
    expect(code).to.equal(2)
    expect(stderr).to.include('"512KiB" or "2MiB", "none" or "default"')
  })

  it('fetches an app that it does not run, and offers it', async () => {
    expect((await seed('list')).seeds).to.deep.equal([])
    expect((await seed('add', 'notes')).wanted).to.deep.equal(['notes'])
    const view = await waitFor('the blobs', TIMEOUT_MS, async () =>
      (await seed('list')).seeds.find(each => each.app === 'notes' && each.heldBlobCount > 3),
    )
    expect(view).to.deep.include({ givenBytes: { lan: 0, wan: 0 }, peerCount: 0 })
    expect((await node.status()).apps).to.deep.equal([])
    const { stdout } = await node.run(['seed', 'list'])
    expect(stdout).to.match(/^notes +1\.0\.0 +\d+ of \d+ blobs/m)
    expect((await node.run(['blob', 'list'])).stdout).to.include('pin')
  })

  it('names the nearest app when there is none of that name', async () => {
    const { code, stderr } = await node.run(['seed', 'add', 'note'])
    expect(code).to.equal(1)
    expect(stderr).to.match(/notes/)
  })

  it('lets go of what it seeded', async () => {
    expect((await seed('remove', 'notes')).wanted).to.deep.equal([])
    expect((await node.run(['blob', 'pin'])).stdout).to.not.include('notes')
  })
})
