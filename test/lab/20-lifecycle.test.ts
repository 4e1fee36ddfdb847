/** One app with a database on one real node: what the production gate does not look at. */
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog } from '../../src/core/log.ts'
import { type OriginServer, serveOrigin } from '../../src/http/origin-server.ts'
import type { AppView } from '../../src/status.ts'
import { appViewOf, archy, giveRoot, labConfig, runArchy } from '../support/archy-node.ts'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab, type LabNode } from '../support/lab/index.ts'
import { notesAt } from '../support/lab-notes.ts'
import { type OriginFolder, runOrigin } from '../support/origin.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'
import { waitFor } from '../support/wait-for.ts'

const PORT = 8020

describe('20 the life of an app on a real node', function () {
  this.timeout(300_000)
  let folder: TempFolder
  let origin: OriginFolder
  let server: OriginServer
  let node: LabNode
  let notes: string

  before(async () => {
    const lab = await attachLab()
    folder = await makeTempFolder()
    const apps = await buildAppFolders({ mode: 'real' })
    const { 'hello-web': helloWeb, notes: notesApp } = apps.folders
    origin = await runOrigin(join(folder.path, 'origin'), helloWeb, notesApp)
    const host = lab.ip('origin')
    server = await serveOrigin(origin.publicFolder, { host, port: PORT, log: silentLog })
    node = await lab.add('life1')
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
  const write = (text: string): Promise<void> => notesAt(notes).write(text)
  const readsBack = (text: string): Promise<void> => notesAt(notes).readsBack(text)
  it('installs, and every component is healthy', async () => {
    await archy(node, 'app', 'install', 'notes')
    const view = await viewOf('notes')
    expect(view?.state).to.equal('running')
    expect(view?.components?.map(c => [c.name, c.state])).to.deep.equal([
      ['cache', 'running'],
      ['db', 'running'],
      ['web', 'running'],
    ])
    await write('first')
    await readsBack('first')
  })

  it('says which limits the machine does not enforce, and no others', async () => {
    const group = await node.ok('systemctl --user show -P ControlGroup')
    const there = await node.ok(['cat', `/sys/fs/cgroup${group}/cgroup.controllers`])
    const isEnforced = ['memory', 'pids', 'cpu'].every(name => there.split(' ').includes(name))
    // It is found by the first pass after the install.
    await waitFor('what is said of limits', 60_000, async () => {
      const codes = (await viewOf('notes'))?.findings?.map(({ code }) => code) ?? []
      return codes.includes('limits.unenforced') === !isEnforced
    })
  })

  it('runs the node as a hardened service', async () => {
    const properties = ['Type', 'LimitCORE', 'KeyringMode', 'TasksMax', 'OOMScoreAdjust', 'UMask']
    const show = ['systemctl', '--user', 'show', 'archy', ...properties.map(name => `-p${name}`)]
    expect((await node.ok(show)).split('\n').sort()).to.deep.equal([
      'KeyringMode=private',
      'LimitCORE=0',
      'OOMScoreAdjust=200',
      'TasksMax=512',
      'Type=notify',
      'UMask=0077',
    ])
  })

  it('keeps the secret out of units, process arguments and inspect', async () => {
    const secret = await node.ok('cat .local/state/archipelago/orchestrator/secrets/notes/*')
    expect(secret).to.match(/^[0-9a-f]{32}$/)
    const places = [
      'cat .config/containers/systemd/* /run/user/1000/systemd/generator/* 2>/dev/null',
      'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "',
      'podman ps -aq | xargs podman inspect',
      'journalctl --user --no-pager -o cat',
    ]
    for (const place of places) {
      const text = await node.ok(`set +e; ${place}; true`)
      expect(text.length, place).to.be.greaterThan(0)
      expect(text.includes(secret), place).to.equal(false)
    }
  })

  it('comes back after a reboot without the help of the node', async () => {
    await node.ok('systemctl --user disable archy')
    await node.reboot()
    await readsBack('first')
    expect((await node.exec(['systemctl', '--user', 'is-active', 'archy'])).stdout.trim()).to.equal(
      'inactive',
    )
    await archy(node, 'node', 'install')
  })

  it('refuses an app whose port is taken, and names the port', async () => {
    const squat = 'require("net").createServer().listen(8080)'
    const node24 = '/opt/archy/node_modules/.bin/node'
    await node.ok(['systemd-run', '--user', '--unit=squatter', node24, '-e', squat])
    await waitFor('the squatter to listen', 10_000, async () =>
      (await node.ok('ss -ltn')).includes(':8080'),
    )
    const result = await node.exec(
      [
        '/opt/archy/node_modules/.bin/node',
        '/opt/archy/src/main.ts',
        'app',
        'install',
        'hello-web',
      ],
      { timeoutMs: 120_000 },
    )
    expect(result.code).to.equal(1)
    expect(result.stderr).to.match(/8080.*PORT_TAKEN/)
    await node.ok('systemctl --user stop squatter')
    await archy(node, 'app', 'install', 'hello-web')
    expect((await viewOf('hello-web'))?.state).to.equal('running')
    await archy(node, 'app', 'stop', 'hello-web')
    const stopped = await viewOf('hello-web')
    expect([stopped?.state, stopped?.note]).to.deep.equal(['stopped', undefined])
  })
})
