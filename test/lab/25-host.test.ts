/** The orchestrator's ports on a real node: systemd over the bus, Podman over its socket, and no program started for them. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { buildAppFolders } from '../support/images/index.ts'
import { attachLab, type LabNode } from '../support/lab/index.ts'

const NODE = '/opt/archy/node_modules/.bin/node'
const CALL = '/opt/archy/test/support/orchestrator/host-call.ts'
const IMAGE = 'localhost/archy/host/web:g1'
const TIMEOUT_MS = 60_000
const SLEEP = ['/usr/bin/busybox', 'sleep', '1000']

/** A layout tells Podman the name of its image by an annotation. */
async function nameLayout(folder: string): Promise<void> {
  const path = join(folder, 'index.json')
  const index: { manifests: object[] } = JSON.parse(await readFile(path, 'utf8'))
  const annotations = { 'org.opencontainers.image.ref.name': IMAGE }
  const manifests = index.manifests.map(each => ({ ...each, annotations }))
  await writeFile(path, JSON.stringify({ ...index, manifests }))
}

interface Outcome {
  readonly value?: unknown
  readonly code?: string
  readonly message?: string
}

describe('25 the host of a real node', function () {
  this.timeout(120_000)
  let node: LabNode

  before(async () => {
    const lab = await attachLab()
    const apps = await buildAppFolders({ mode: 'real' })
    await cp(join(apps.folders['hello-web'], 'images/web'), join(lab.share, 'web'), {
      recursive: true,
    })
    await nameLayout(join(lab.share, 'web'))
    node = await lab.add('host1')
    await node.write(
      '.config/systemd/user/app-x-a.service',
      unit('/bin/sleep 1000', 'Restart=always'),
    )
    await node.write('.config/systemd/user/app-x-b.service', unit('/bin/sh -c "exit 3"'))
    await node.ok('systemctl --user daemon-reload')
  })
  after(() => node.off())

  function unit(command: string, more = ''): string {
    return `[Service]\nExecStart=${command}\nRestartSec=10ms\n${more}\n[Install]\nWantedBy=default.target\n`
  }
  async function call(...steps: readonly (readonly unknown[])[]): Promise<readonly Outcome[]> {
    const input = JSON.stringify(steps)
    const result = await node.exec([NODE, CALL], { input, timeoutMs: TIMEOUT_MS })
    expect(result.code, result.stderr).to.equal(0)
    return JSON.parse(result.stdout) as readonly Outcome[]
  }
  const podman = (...args: readonly string[]): Promise<string> => node.ok(['podman', ...args])

  it('starts, kills and stops units, and reads how each is and how it ended', async () => {
    const both = ['app-x-a.service', 'app-x-b.service', 'app-x-none.service']
    const outcomes = await call(
      ['systemd', 'units', both],
      ['systemd', 'startAndWait', 'app-x-a.service', 10_000],
      ['systemd', 'start', ['app-x-b.service']],
      ['hint', 'of', 'systemd'],
    )
    expect(outcomes[0]?.value).to.deep.include({
      'app-x-none.service': { active: 'not-found', sub: 'dead', result: 'success', restarts: 0 },
    })
    expect(outcomes.filter(({ code }) => code !== undefined)).to.deep.equal([])
    const killing = await call(['systemd', 'kill', 'app-x-a.service'], ['hint', 'of', 'systemd'])
    expect(killing[0]).to.deep.equal({})
    await node.ok('until systemctl --user show -p NRestarts app-x-a | grep -q =1; do :; done')
    await node.ok('until systemctl --user is-failed -q app-x-b; do :; done')
    const [units] = await call(['systemd', 'units', both])
    expect(units?.value).to.deep.include({
      'app-x-b.service': {
        ...{ active: 'failed', sub: 'failed', result: 'exit-code', restarts: 0, exitStatus: 3 },
      },
    })
    expect(units?.value).to.have.nested.property('app-x-a\\.service.restarts', 1)
    await call(
      ['systemd', 'stop', both],
      ['systemd', 'resetFailed', 'app-x-b.service'],
      ['systemd', 'resetFailed', 'app-x-none.service'],
      ['systemd', 'kill', 'app-x-none.service'],
    ).then(all => expect(all.filter(({ code }) => code !== undefined)).to.deep.equal([]))
    await node.ok('until ! systemctl --user is-active -q app-x-a; do :; done')
    expect(await node.ok('systemctl --user is-failed app-x-b || true')).to.equal('inactive')
  })

  it('says what the start of a unit ended with, and which unit is unknown', async () => {
    await node.write('.config/systemd/user/app-x-c.service', unit('/bin/false', 'Type=oneshot'))
    const [, failed, none] = await call(
      ['systemd', 'daemonReload'],
      ['systemd', 'startAndWait', 'app-x-c.service', 10_000],
      ['systemd', 'start', ['app-x-none.service']],
    )
    expect(failed?.message).to.match(/app-x-c\.service did not start: failed/)
    expect(none?.message).to.match(/app-x-none\.service not found/)
  })

  it('enables and disables a unit', async () => {
    await call(['systemd', 'enable', 'app-x-a.service'])
    expect(await node.ok('systemctl --user is-enabled app-x-a')).to.equal('enabled')
    await call(['systemd', 'disable', 'app-x-a.service'])
    expect(await node.ok('systemctl --user is-enabled app-x-a || true')).to.equal('disabled')
  })

  it('loads an image from a layout, finds it, and removes it', async () => {
    const [loaded, found, names, none, version] = await call(
      ['podman', 'loadLayout', '/lab/web', IMAGE],
      ['podman', 'image', IMAGE],
      ['podman', 'imageNames'],
      ['podman', 'image', 'localhost/none:1'],
      ['podman', 'version'],
    )
    expect(loaded).to.deep.equal({})
    const inspected = await podman('image', 'inspect', '--format', '{{.Id}} {{.Digest}}', IMAGE)
    const [id, manifestDigest] = inspected.split(' ')
    expect(found?.value).to.deep.equal({ id, manifestDigest })
    expect(names?.value).to.deep.equal([IMAGE])
    expect(none).to.deep.equal({})
    expect(version?.value).to.equal(await podman('version', '--format', '{{.Client.Version}}'))
    await podman('tag', IMAGE, 'localhost/other:1')
    const [removed, after] = await call(
      ['podman', 'removeImage', 'localhost/other:1'],
      ['podman', 'imageNames'],
      ['podman', 'removeImage', 'localhost/other:1'],
    )
    expect(removed).to.deep.equal({})
    expect(after?.value).to.deep.equal([IMAGE])
  })

  it('lists containers with labels, health and exit codes, and tells when one changes', async () => {
    const health = ['--health-cmd', '["/usr/bin/busybox","true"]', '--health-interval', '1s']
    const asX = ['--label', 'app.id=x', '--user', '999:999']
    await podman(
      'run',
      '-d',
      '--name',
      'up',
      ...asX,
      ...health,
      '--entrypoint',
      '',
      IMAGE,
      ...SLEEP,
    )
    const end = ['/usr/bin/busybox', 'sh', '-c', 'exit 5']
    await podman('run', '--name', 'down', '--entrypoint', '', IMAGE, ...end).catch(() => {})
    await node.ok('until podman healthcheck run up; do :; done')
    const [list, , , , after] = await call(
      ['podman', 'containers'],
      ['podman', 'version'],
      ['podman', 'removeContainer', 'down'],
      ['hint', 'of', 'podman'],
      ['podman', 'containers'],
    )
    expect(list?.value).to.have.deep.members([
      {
        ...{ name: 'up', status: 'running', health: 'healthy', exitCode: 0 },
        labels: { 'app.id': 'x' },
      },
      { name: 'down', status: 'exited', exitCode: 5, labels: {} },
    ])
    expect(after?.value).to.have.length(1)
  })

  it('copies, measures and removes data of users of containers, and places files in it', async () => {
    const sets = await node.ok('mkdir -p sets/db && cd sets && pwd')
    const [db, copy] = [`${sets}/db`, `${sets}/.db.before-g2`]
    const owner = { uid: 999, gid: 999 }
    const file = { path: '/etc/my.conf', text: 'placed', owner, mode: '0640', overwrite: true }
    const outcomes = await call(
      ['podman', 'ownFolder', db, 999, 999, '0700'],
      ['podman', 'placeFile', db, file],
      ['podman', 'copyFolder', db, copy],
      ['podman', 'folderBytes', copy],
      ['podman', 'folderBytes', `${sets}/none`],
      ['podman', 'sharesBlocks', sets],
      ['podman', 'syncFileSystem', sets],
    )
    expect(outcomes.filter(({ code }) => code !== undefined)).to.deep.equal([])
    expect(outcomes[3]?.value).to.be.greaterThan(0)
    expect(outcomes.slice(4, 6).map(({ value }) => value)).to.deep.equal([0, false])
    const look = `podman unshare stat -c '%u:%g %a' ${copy} ${copy}/etc/my.conf`
    expect(await node.ok(look)).to.equal('999:999 700\n999:999 640')
    expect(await node.ok(`podman unshare cat ${copy}/etc/my.conf`)).to.equal('placed')
    const lent = `podman exec up /usr/bin/busybox cat /tmp/version`
    const image = await podman('image', 'inspect', '--format', '{{.Id}}', IMAGE)
    const from = '/usr/bin/busybox'
    const more = await call(
      ['podman', 'copyFromImage', image, from, 'up', '/tmp/version'],
      ['podman', 'removeFolder', copy],
      ['podman', 'removeFolder', copy],
    )
    expect(more.filter(({ code }) => code !== undefined)).to.deep.equal([])
    expect((await node.ok(`${lent} | wc -c`)).length).to.be.greaterThan(4)
    expect(await node.ok(`ls -A ${sets}`)).to.equal('db')
    expect(await podman('ps', '-aq', '--filter', 'name=archy-lender')).to.equal('')
  })

  it('runs programs in a container, and ends one that takes too long', async () => {
    const sh = (script: string, more = {}) => ({
      argv: ['/usr/bin/busybox', 'sh', '-c', script],
      timeoutMs: 20_000,
      ...more,
    })
    const [both, user, missing, absent, late] = await call(
      ['podman', 'exec', 'up', sh('echo out; echo err >&2; exit 7')],
      ['podman', 'exec', 'up', sh('id -u', { user: '12:13' })],
      ['podman', 'exec', 'up', { argv: ['/none'], timeoutMs: 20_000 }],
      ['podman', 'exec', 'absent', sh('true')],
      ['podman', 'exec', 'up', sh('while :; do sleep 77; done', { timeoutMs: 500 })],
    )
    expect(both?.value).to.deep.equal({ code: 7, output: 'out\nerr\n' })
    expect(user?.value).to.deep.equal({ code: 0, output: '12\n' })
    expect(missing?.code ?? missing?.value).to.not.deep.equal({ code: 0, output: '' })
    expect(absent?.message).to.match(/no container with name or ID "absent"/)
    expect(late?.code).to.equal('HOST_COMMAND_TIMEOUT')
    expect(await podman('top', 'up', 'args')).to.not.match(/sleep 77/)
  })

  it('renames and removes containers, and takes one that is gone for removed', async () => {
    const [renamed, again, removed, gone] = await call(
      ['podman', 'renameContainer', 'up', 'aside'],
      ['podman', 'renameContainer', 'up', 'aside'],
      ['podman', 'removeContainer', 'aside'],
      ['podman', 'removeContainer', 'aside'],
    )
    expect(renamed).to.deep.equal({})
    expect(again?.code).to.equal('HOST_COMMAND_FAILED')
    expect([removed, gone]).to.deep.equal([{}, {}])
    expect(await podman('ps', '-aq')).to.equal('')
  })

  it('keeps secrets and networks', async () => {
    const reveal = ['secret', 'inspect', '--showsecret', '--format', '{{.SecretData}}', 's']
    const [made, value, none] = await call(
      ['podman', 'createSecret', 's', { bytes: 'one&two=%00' }],
      ['podman', 'secretValue', 's'],
      ['podman', 'secretValue', 'none'],
    )
    expect([made, value, none]).to.deep.equal([{}, { value: 'one&two=%00' }, {}])
    expect(await podman(...reveal)).to.equal('one&two=%00')
    await podman('network', 'create', 'net')
    const [, secrets, networks, ...removals] = await call(
      ['podman', 'createSecret', 's', { bytes: 'two' }],
      ['podman', 'secretNames'],
      ['podman', 'networkNames'],
      ['podman', 'removeNetwork', 'net'],
      ['podman', 'removeNetwork', 'net'],
    )
    expect(await podman(...reveal)).to.equal('two')
    expect(secrets?.value).to.deep.equal(['s'])
    expect(networks?.value).to.include('net')
    expect(removals).to.deep.equal([{}, {}])
    const gone = await call(['podman', 'removeSecret', 's'], ['podman', 'removeSecret', 's'])
    expect(gone).to.deep.equal([{}, {}])
    expect(await podman('secret', 'ls', '-q')).to.equal('')
  })

  it('names the controllers that systemd may give to services', async () => {
    const [controllers] = await call(['host', 'controllers'])
    const group = await node.ok('systemctl --user show -P ControlGroup')
    const there = await node.ok(['cat', `/sys/fs/cgroup${group}/cgroup.controllers`])
    expect(controllers?.value).to.deep.equal(there === '' ? [] : there.split(' '))
  })
})
