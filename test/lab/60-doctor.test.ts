/**
 * The doctor on a real machine.
 * Goal: what can be broken there is found, and is well again after exactly what the finding says.
 * Method: break one thing at a time, read the finding, type its fix as printed, look again.
 */
import { expect } from 'chai'
import type { DoctorRow, Report } from '../../src/doctor/examine.ts'
import { attachLab, type LabNode } from '../support/lab/index.ts'
import { generation, installed } from '../support/orchestrator/records.ts'
import { waitFor } from '../support/wait-for.ts'

const NODE = '/opt/archy/node_modules/.bin/node'
const DOCTOR = [NODE, '/opt/archy/src/main.ts', 'doctor', '--json']
const STATE = '.local/state/archipelago'
/** What a lab node has by nature: its host keeps the controllers, and has no time service for it. */
const NATURE = new Set(['cgroups.absent', 'clock.unsynchronized'])

type Finding = DoctorRow['findings'][number]

describe('60 the doctor on a real machine', function () {
  this.timeout(240_000)
  let node: LabNode

  before(async () => {
    node = await (await attachLab()).add('doc1')
  })
  after(() => node.off())

  const ask = async (
    ...[argv, options]: [argv?: readonly string[], options?: Parameters<LabNode['exec']>[1]]
  ): Promise<Report> => {
    const { stdout, stderr } = await node.exec(argv ?? DOCTOR, { timeoutMs: 60_000, ...options })
    const last = stdout.trim().split('\n').at(-1) ?? ''
    if (!last.startsWith('{')) throw new Error(`the doctor printed no JSON: ${stdout} ${stderr}`)
    return JSON.parse(last) as Report
  }
  const findingsIn = (report: Report): readonly Finding[] =>
    report.rows.flatMap(row => row.findings).filter(({ code }) => !NATURE.has(code))
  const codesIn = (report: Report): readonly string[] =>
    [...new Set(findingsIn(report).map(({ code }) => code))].sort()
  const asRoot = (script: string): Promise<string> => node.ok(script, { user: 'root' })
  const record = async (id: string, port: number, graceMs: number): Promise<void> => {
    const made = generation()
    const { spec } = made
    const components = spec.components.map(each => ({ ...each, graceMs }))
    const ports = spec.ports.map(each => ({ ...each, host: port }))
    const committed = { ...made, spec: { ...spec, id, components, ports } }
    const text = JSON.stringify(installed({ id, committed, desired: 'stopped' }))
    await node.write(`${STATE}/orchestrator/apps/${id}.json`, text)
  }
  /** Types what the finding says, line for line. */
  const obey = async (finding: Finding | undefined): Promise<void> => {
    const lines = (finding?.fix ?? '').split('\n')
    for (let at = 0; at < lines.length; at += 1) {
      const [, rights, line = ''] = /^(as root: )?(.*)$/.exec(lines[at] ?? '') ?? []
      const user = rights === undefined ? 'archy' : 'root'
      const path = /^write (\S+):$/.exec(line)?.[1]
      if (path === undefined) {
        // Sentences begin with a lower-case word too: only what a shell knows is a command.
        const isCommand = (await node.exec(['bash', '-c', `command -v ${line.split(' ')[0]}`])).code
        if (isCommand === 0) await node.exec(['bash', '-c', line], { user, timeoutMs: 60_000 })
        continue
      }
      const text: string[] = []
      while (lines[at + 1]?.startsWith('    ')) {
        at += 1
        text.push((lines[at] ?? '').slice(4))
      }
      await node.write(path, `${text.join('\n')}\n`, { user })
    }
  }
  const heals = async (code: string): Promise<void> => {
    const found = findingsIn(await ask())
    expect(found.map(each => each.code)).to.include(code)
    await obey(found.find(each => each.code === code))
    expect(codesIn(await ask())).not.to.include(code)
  }

  it('finds nothing but folders and a socket that are not there yet, which --fix makes', async () => {
    const first = await ask()
    expect(codesIn(first)).to.deep.equal(['folders.missing', 'socket.off'])
    expect(first.ok).to.equal(true)
    const fixed = await ask([...DOCTOR, '--fix'])
    expect(codesIn(fixed)).to.deep.equal([])
    expect(await node.ok('systemctl --user is-active podman.socket')).to.equal('active')
    const { code, stdout } = await node.exec(DOCTOR.slice(0, -1))
    expect([code, stdout.includes('ok     linger: lingers')]).to.deep.equal([0, true])
  })

  it('finds a user who does not linger', async () => {
    await asRoot('rm /var/lib/systemd/linger/archy')
    const report = await ask()
    expect([report.ok, codesIn(report)]).to.deep.equal([false, ['linger.off']])
    // What loginctl does; in a machine without udev it refuses to.
    await asRoot('touch /var/lib/systemd/linger/archy')
    expect(codesIn(await ask())).to.deep.equal([])
  })

  it('finds ids that another user has too, too few ids, and no newuidmap', async () => {
    await asRoot('useradd bob; echo bob:150000:10 >> /etc/subuid')
    await heals('ids.subuid-shared')
    await asRoot('sed -i s/^archy:.*/archy:100000:1000/ /etc/subgid')
    expect(codesIn(await ask())).to.deep.equal(['ids.subgid-small'])
    await heals('ids.subgid-small')
    await asRoot('mv /usr/bin/newuidmap /usr/bin/newuidmap.away')
    expect(codesIn(await ask())).to.include('ids.newuidmap')
    await asRoot('mv /usr/bin/newuidmap.away /usr/bin/newuidmap')
    expect(codesIn(await ask())).to.deep.equal([])
  })

  it('finds an app whose grace is longer than a shutdown takes', async () => {
    await record('slow', 8085, 600_000)
    await heals('shutdown.short')
    const seconds = await node.ok('systemctl show user@1000.service -p TimeoutStopUSec --value')
    expect(seconds).to.match(/2\dmin/)
  })

  it('finds a port that root keeps, one that two apps want, and one that a stranger has', async () => {
    await record('low', 80, 1000)
    await heals('low-ports.refused')
    await record('twin', 80, 1000)
    const twice = findingsIn(await ask()).find(({ code }) => code === 'ports.twice')
    expect(twice?.text).to.equal('low and twin both want port 80/tcp: only one of them can run')
    await node.ok(`rm ${STATE}/orchestrator/apps/twin.json`)
    const squat = 'require("net").createServer().listen(80)'
    await node.ok(['systemd-run', '--user', '--unit=squatter', NODE, '-e', squat])
    await waitFor('the squatter', 10_000, async () => (await node.ok('ss -ltn')).includes(':80 '))
    const taken = findingsIn(await ask()).find(({ code }) => code === 'ports.taken')
    expect(taken?.evidence[0]).to.match(/ in .*squatter\.service$/)
    await node.ok('systemctl --user stop squatter')
    expect(codesIn(await ask())).to.deep.equal([])
  })

  it('finds drop-ins of others in the units of apps', async () => {
    await node.write('.config/containers/systemd/app-.container.d/x.conf', '[Container]\n')
    await heals('drop-ins.foreign')
    await node.write('.config/systemd/user/app-low_db.service.d/x.conf', '[Service]\n')
    await heals('drop-ins.foreign')
  })

  it('finds two nodes, and leaves the one that systemd runs', async () => {
    const wait = ['-e', 'setInterval(() => {}, 1e6)', '/opt/archy/src/main.ts', 'node', 'run']
    await node.ok(['systemd-run', '--user', '--unit=archy', NODE, ...wait])
    await node.ok(['systemd-run', '--user', '--unit=second', NODE, ...wait])
    await waitFor('both', 10_000, async () => codesIn(await ask()).includes('daemons.several'))
    await heals('daemons.several')
    expect(await node.ok('systemctl --user is-active archy')).to.equal('active')
    await node.ok('systemctl --user stop archy')
  })

  it('finds a Podman that does not answer, that is gone, and a generator that is gone', async () => {
    await asRoot(
      'printf "#!/bin/sh\\nexec sleep 30\\n" > /usr/local/bin/podman; chmod 755 /usr/local/bin/podman',
    )
    const late = codesIn(await ask())
    expect(late).to.include.members(['podman.slow', 'database.unread'])
    await asRoot('rm /usr/local/bin/podman; mv /usr/bin/podman /usr/bin/podman.away')
    expect(codesIn(await ask())).to.include('podman.missing')
    await asRoot('mv /usr/bin/podman.away /usr/bin/podman')
    const link = '/usr/lib/systemd/user-generators/podman-user-generator'
    await asRoot(`mv ${link} ${link}.away`)
    expect(codesIn(await ask())).to.deep.equal(['quadlet.missing'])
    await asRoot(`mv ${link}.away ${link}`)
  })

  it('finds folders on file systems that cannot hold them', async () => {
    const on = (folder: string) => ['env', `ARCHY_DATA=${folder}`, ...DOCTOR]
    expect(codesIn(await ask(on('/opt/archy/x')))).to.include('file-systems.read-only')
    await asRoot('mkdir /mnt/small; mount -t tmpfs -o size=9M tmpfs /mnt/small')
    const codes = codesIn(await ask(on('/mnt/small')))
    expect(codes).to.include.members(['file-systems.volatile', 'space.low'])
  })

  it('finds a clock behind the catalog, a session without its folder, and root', async () => {
    await node.write(`${STATE}/catalog/timestamp.json`, '{"x-issued":"2035-01-01T00:00:00Z"}')
    expect(codesIn(await ask())).to.deep.equal(['clock.behind'])
    await node.ok(`rm ${STATE}/catalog/timestamp.json`)
    const bare = codesIn(await ask(['env', '-u', 'XDG_RUNTIME_DIR', ...DOCTOR]))
    expect(bare).to.include('session.runtime-folder')
    expect(codesIn(await ask(DOCTOR, { user: 'root' }))).to.include('user.root')
  })
})
