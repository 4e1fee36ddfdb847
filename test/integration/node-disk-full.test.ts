/** A node whose disk is too small, or runs full: it says so, stays up, and goes on when there is room again. */
import { copyFile, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import { buildAppFolders, buildLargeApp } from '../support/images/index.ts'
import { NodeProcess } from '../support/node-process.ts'
import { runOrigin } from '../support/origin.ts'
import { missingForMounts } from '../support/store/mounts.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const DISK_MIB = 32
const LARGE_MIB = 48
const TIMEOUT_MS = 30_000

function defineSuite(): void {
  describe('a node on a full disk', function () {
    this.timeout(90_000)
    let folder: TempFolder
    let server: OriginServer
    let node: NodeProcess

    before(async () => {
      const apps = await buildAppFolders({ mode: 'stub' })
      folder = await makeTempFolder()
      const large = join(folder.path, 'large')
      await buildLargeApp(large, { id: 'large', mib: LARGE_MIB, seed: 'full', apps })
      const origin = await runOrigin(
        join(folder.path, 'origin'),
        apps.folders['hello-web'],
        apps.folders.notes,
        large,
      )
      server = await serveOrigin(origin.publicFolder, {
        host: '127.0.0.1',
        port: 0,
        log: silentLog,
      })
      node = await NodeProcess.make()
      await copyFile(origin.rootFile, join(node.configFile, '../root.json'))
      const { stateFolder } = node
      await node.configure(
        [
          'network: test',
          `origin: {urls: ["${server.url}"]}`,
          'catalog: {refreshInterval: 1s}',
          'swarm: {listen: ["/ip4/127.0.0.1/tcp/0"]}',
          'storage: {minimumFree: 1MiB}',
          'orchestrator: {mode: render}',
          '',
        ].join('\n'),
      )
      const mount = `mount -t tmpfs -o size=${DISK_MIB}m none "${stateFolder}" && exec "$@"`
      await node.start(['unshare', '--mount', 'sh', '-c', mount, 'sh'])
      await waitFor('the catalog', TIMEOUT_MS, async () => {
        return (await node.status()).catalog.timestamp !== undefined
      })
    })
    after(async () => {
      await node[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    })

    it('says that a large app does not fit, and installs a small one', async () => {
      const { code, stderr } = await node.run(['app', 'install', 'large'])
      expect(code).to.equal(1)
      expect(stderr).to.match(
        /^archy: large: .*must stay free; .*lower storage\.minimumFree \(DISK_FULL\) \(APP_FAILED\)\n$/,
      )
      const small = await node.run(['app', 'install', 'hello-web'])
      expect(small.code, small.stderr).to.equal(0)
      const { stdout } = await node.run(['status'])
      expect(stdout).to.match(/^hello-web {2}1\.0\.0/m)
      expect(stdout).to.match(/^large .*DISK_FULL/m)
    })

    it('stays up when not a byte is left, and installs when there is room', async () => {
      const disk = join('/proc', String(node.pid), 'root', node.stateFolder)
      const { bavail, bsize } = await statfs(disk)
      await writeFile(join(disk, 'filler'), new Uint8Array(bavail * bsize))
      const { code, stderr } = await node.run(['app', 'install', 'notes'])
      expect(code).to.equal(1)
      expect(stderr).to.match(/^archy: .*\(DISK_FULL\)/)
      expect(await node.app('notes')).to.equal(undefined)
      expect((await node.app('hello-web'))?.version).to.equal('1.0.0')
      await rm(join(disk, 'filler'))
      const again = await node.run(['app', 'install', 'notes'])
      expect(again.code, again.stderr).to.equal(0)
    })
  })
}

const missing = missingForMounts()
if (missing === undefined) defineSuite()
else console.log(`left out: a node on a full disk needs ${missing}`)
