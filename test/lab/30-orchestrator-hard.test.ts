/** Apps on a node that has it hard: a disk that is full, a power cut while images load. */
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView } from '../../src/status.ts'
import {
  appViewOf,
  archy,
  COMMAND_TIMEOUT_MS,
  giveRoot,
  labConfig,
  runArchy,
  statusOf,
} from '../support/archy-node.ts'
import { type AppFolders, buildAppFolders, buildLargeApp } from '../support/images/index.ts'
import { attachLab, type LabNode } from '../support/lab/index.ts'
import { runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const PORT = 8030
const READY_TIMEOUT_MS = 120_000
const DISK_BYTES = 3 * 2 ** 30
const LARGE_MIB = 96
/** The store leaves 1 GiB free for everybody else: a part of the large app would fit, all of it does not. */
const LEFT_MIB = 1024 + 48

describe('30 apps on a node that has it hard', function () {
  this.timeout(300_000)
  let folder: TempFolder
  let server: OriginServer
  let node: LabNode
  let apps: AppFolders
  let notes: string

  before(async () => {
    const lab = await attachLab()
    folder = await makeTempFolder()
    apps = await buildAppFolders({ mode: 'real' })
    const notesApp = apps.folders.notes
    const large = join(folder.path, 'large')
    await buildLargeApp(large, { mib: LARGE_MIB, seed: 'hard', id: 'large', apps })
    const origin = await runOrigin(join(folder.path, 'origin'), notesApp, large)
    const host = lab.ip('origin')
    server = await serveOrigin(origin.publicFolder, { host, port: PORT, log: silentLog })
    node = await lab.add('hard1', { diskBytes: DISK_BYTES })
    notes = `http://${node.ip}:8081/notes`
    await giveRoot(node, origin.rootFile)
    await runArchy(node, labConfig({ originUrl: `http://${host}:${PORT}/` }))
  })
  after(async () => {
    await node.off()
    await server.close()
    await folder[Symbol.asyncDispose]()
  })

  const viewOf = (id: string): Promise<AppView | undefined> => appViewOf(node, id)
  const runs = (id: string): Promise<AppView> =>
    waitFor(`${id} to run`, READY_TIMEOUT_MS, async () => {
      const view = (await statusOf(node).catch(() => undefined))?.apps.find(app => app.id === id)
      return view?.state === 'running' && view.health === 'healthy' ? view : undefined
    })

  it('converges after a power cut between two images of a first install', async () => {
    await archy(node, 'app', 'install', 'notes', '--no-wait')
    const firstImage = 'podman image exists localhost/archy/notes/cache:g1'
    await node.ok(`until ${firstImage}; do :; done`, { timeoutMs: COMMAND_TIMEOUT_MS })
    // The images load one after the other and are made safe together: nothing is recorded, nothing is synced.
    await node.powerCut()
    await node.boot()
    await runs('notes')
    const running = await node.ok("podman ps --format '{{.ImageID}}' --no-trunc | sort")
    const signed = Object.entries(apps.images)
      .filter(([name]) => name.startsWith('notes/'))
      .map(([, { config }]) => config.replace('sha256:', ''))
    expect(running.replaceAll('sha256:', '').split('\n')).to.deep.equal(signed.sort())
    expect((await node.exec(['podman', 'system', 'check', '--quick'])).code).to.equal(0)
    const answer = await fetch(notes, { method: 'POST', body: 'written after the cut' })
    expect(answer.status).to.equal(201)
  })

  it('says DISK_FULL, leaves what runs alone, and installs once there is space', async () => {
    const free = Number(await node.ok('df --output=avail -B1 . | tail -n 1'))
    await node.ok(['fallocate', '-l', String(free - LEFT_MIB * 2 ** 20), 'filler'])
    const result = await node.exec(
      ['/opt/archy/node_modules/.bin/node', '/opt/archy/src/main.ts', 'app', 'install', 'large'],
      { timeoutMs: COMMAND_TIMEOUT_MS },
    )
    expect(result.code).to.equal(1)
    expect(result.stderr).to.match(/DISK_FULL/)
    expect((await viewOf('large'))?.error?.code).to.equal('DISK_FULL')
    expect((await viewOf('notes'))?.state).to.equal('running')
    expect(await (await fetch(notes)).text()).to.contain('written after the cut')
    await node.ok(['rm', 'filler'])
    await archy(node, 'app', 'install', 'large')
    expect((await viewOf('large'))?.state).to.equal('running')
    expect(await (await fetch(notes)).text()).to.contain('written after the cut')
  })
})
