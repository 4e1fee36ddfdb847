/** What a power cut or a full disk does to an install on a real node: nothing that a later try does not mend. */
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView } from '../../src/status.ts'
import { archy, giveRoot, labConfig, runArchy, statusOf } from '../support/archy-node.ts'
import { type AppFolders, buildAppFolders, buildLargeApp } from '../support/images/index.ts'
import { attachLab, type Lab, type LabNode } from '../support/lab/index.ts'
import { type OriginFolder, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const PORT = 8030
const TIMEOUT_MS = 120_000
const MIB = 2 ** 20
/** Room for the system, hello-web and a small app; not for the large one, twice: as blobs and in Podman's storage. */
const SMALL_DISK_BYTES = 700 * MIB
const TOO_LARGE_MIB = 420
const FITS_MIB = 24

describe('30 power cuts and full disks while an app is installed', function () {
  this.timeout(300_000)
  let lab: Lab
  let apps: AppFolders
  let folder: TempFolder
  let origin: OriginFolder
  let server: OriginServer

  before(async () => {
    lab = await attachLab()
    folder = await makeTempFolder()
    apps = await buildAppFolders({ mode: 'real' })
    const { 'hello-web': helloWeb, notes } = apps.folders
    origin = await runOrigin(join(folder.path, 'origin'), helloWeb, notes)
    const host = lab.ip('origin')
    server = await serveOrigin(origin.publicFolder, { host, port: PORT, log: silentLog })
  })
  after(async () => {
    await server.close()
    await folder[Symbol.asyncDispose]()
  })

  const start = async (node: LabNode): Promise<void> => {
    await giveRoot(node, origin.rootFile)
    const originUrl = `http://${lab.ip('origin')}:${PORT}/`
    await runArchy(node, labConfig({ originUrl, more: 'storage: {minimumFree: 64MiB}' }))
  }
  const viewOf = async (node: LabNode, id: string): Promise<AppView | undefined> =>
    (await statusOf(node)).apps.find(app => app.id === id)
  const answers = async (url: string): Promise<boolean> => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
    await answer?.body?.cancel()
    return answer?.status === 200
  }

  for (const image of ['db', 'web']) {
    it(`converges when the power goes just after Podman took the image "${image}"`, async () => {
      const node = await lab.add(`cut${image}`)
      await start(node)
      await archy(node, 'app', 'install', 'notes', '--no-wait')
      await waitFor('Podman to take the image', TIMEOUT_MS, async () =>
        (await node.journal('archy')).includes(`localhost/archy/notes/${image}:g1`),
      )
      await node.powerCut()
      await node.boot()
      await waitFor('notes to answer', TIMEOUT_MS, () => answers(`http://${node.ip}:8081/healthz`))
      expect((await viewOf(node, 'notes'))?.state).to.equal('running')
      const names = await node.ok("podman ps --format '{{.Names}}' | sort")
      expect(names.split('\n')).to.deep.equal(['app-notes_cache', 'app-notes_db', 'app-notes_web'])
      await node.off()
    })
  }

  it('says DISK_FULL for an app that does not fit, and harms nothing else', async () => {
    const tooLarge = join(folder.path, 'too-large')
    const fits = join(folder.path, 'fits')
    await buildLargeApp(tooLarge, { id: 'too-large', mib: TOO_LARGE_MIB, seed: 'a', apps })
    await buildLargeApp(fits, { id: 'fits', mib: FITS_MIB, seed: 'b', hostPort: 8091, apps })
    await origin.publish(tooLarge, fits)
    const node = await lab.add('full1', { diskBytes: SMALL_DISK_BYTES })
    await start(node)
    await archy(node, 'app', 'install', 'hello-web')
    await archy(node, 'app', 'install', 'too-large', '--no-wait')
    const view = await waitFor('the app to fail', TIMEOUT_MS, async () => {
      const app = await viewOf(node, 'too-large')
      return app?.error === undefined ? undefined : app
    })
    expect(view.error?.code).to.equal('DISK_FULL')
    expect(await answers(`http://${node.ip}:8080/version`)).to.equal(true)
    await archy(node, 'app', 'uninstall', 'too-large')
    await archy(node, 'app', 'install', 'fits')
    expect(await answers(`http://${node.ip}:8091/version`)).to.equal(true)
    expect((await viewOf(node, 'hello-web'))?.state).to.equal('running')
    await node.off()
  })
})
