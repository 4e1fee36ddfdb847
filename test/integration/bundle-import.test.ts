/** A disk carried to a node that has no network: what it takes from there equals what the network would have given. */
import { cp, readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { buildAppFolders } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { type OriginFolder, runMain, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const TIMEOUT_MS = 40_000

describe('a bundle', function () {
  this.timeout(90_000)
  let folder: TempFolder
  let origin: OriginFolder
  let bundle: string
  let node: NodeProcess

  beforeEach(async () => {
    const { folders } = await buildAppFolders({ mode: 'stub' })
    folder = await makeTempFolder()
    origin = await runOrigin(join(folder.path, 'origin'), folders['hello-web'])
    bundle = join(folder.path, 'usb')
    await runMain('origin', 'bundle', 'export', origin.folder, '--out', bundle)
    node = await NodeProcess.make()
    await cp(origin.rootFile, join(node.folder, 'config/archipelago/root.json'))
    await node.configure(
      [
        'network: bundle',
        'origin: {urls: ["http://127.0.0.1:9/"]}',
        'swarm: {listen: [/ip4/127.0.0.1/tcp/0]}',
        'storage: {minimumFree: 1MiB}',
        'orchestrator: {mode: render}',
        '',
      ].join('\n'),
    )
    await node.start()
  })
  afterEach(async () => {
    await node[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  it('brings catalog and apps, and an install then needs nobody', async () => {
    const { stdout, code } = await node.run(['bundle', 'import', bundle])
    expect(code).to.equal(0)
    expect(stdout).to.match(/catalog is newer now.*Complete on this node: hello-web 1\.0\.0/s)
    const { catalog } = await node.status()
    expect(catalog).to.include({ timestamp: 2, freshness: 'fresh', source: bundle })
    expect((await node.run(['app', 'install', 'hello-web', '--no-wait'])).code).to.equal(0)
    await waitFor('the app', TIMEOUT_MS, async () => {
      const app = await node.app('hello-web')
      return app?.version === '1.0.0' && app.next === undefined ? app : undefined
    })
    const again = await node.run(['bundle', 'import', bundle])
    expect(again.stdout).to.match(/catalog is the same\. Took 0 files/)
  })

  it('is refused where a byte is wrong, and nothing of it is kept', async () => {
    const blobs = join(bundle, 'blobs')
    const files = (await readdir(blobs, { recursive: true, withFileTypes: true })).filter(f =>
      f.isFile(),
    )
    for (const file of files.filter(f => !f.name.endsWith('.pieces'))) {
      await truncate(join(file.parentPath, file.name), 10)
    }
    const { code, stderr } = await node.run(['bundle', 'import', bundle])
    expect(code).to.equal(1)
    expect(stderr).to.match(/BLOB_MISMATCH/)
    await truncate(join(bundle, 'catalog/timestamp.json'), 100)
    expect((await node.run(['bundle', 'import', bundle])).stderr).to.match(/METADATA_MALFORMED/)
    await rm(join(bundle, 'catalog'), { recursive: true })
    expect((await node.run(['bundle', 'import', bundle])).stderr).to.match(/BUNDLE_MISSING/)
  })
})
