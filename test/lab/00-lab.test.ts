/** The lab itself: what every other lab test takes for granted. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { systemClock } from '../../src/core/clock.ts'
import { attachLab, type Lab, type LabNode, openProxy, until } from '../support/lab/index.ts'

const NODE = '/opt/archy/node_modules/.bin/node'
const PORT = 8099
const CURL = ['curl', '-sS', '-o', '/dev/null', '-m', '2', '-w', '%{http_code} %{time_total}']

/** A web server in a node that answers with as many bytes as the path asks for. */
async function serve(node: LabNode): Promise<void> {
  const program = `require('node:http').createServer((q, s) => s.end(Buffer.alloc(Number(q.url.slice(1))))).listen(${PORT}, '::')`
  await node.ok(['systemd-run', '--user', '--quiet', '--unit', 'bytes', NODE, '-e', program])
  await until(`the server of ${node.name}`, 10_000, async () => {
    return (await node.exec([...CURL, `http://localhost:${PORT}/1`])).code === 0
  })
}

describe('the lab', () => {
  let lab: Lab
  let n1: LabNode
  let n2: LabNode

  before(async () => {
    lab = await attachLab()
    n1 = lab.node('n1')
    n2 = lab.node('n2')
    await serve(n1)
  })

  it('runs Debian 13 with systemd as pid 1, nothing failed, a lingering user and Podman 5.4', async () => {
    expect(await n1.ok('cat /etc/debian_version')).to.match(/^13\./)
    expect(await n1.ok('cat /proc/1/comm')).to.equal('systemd')
    expect(await n1.ok('systemctl is-system-running')).to.equal('running')
    expect(await n1.ok('systemctl --user is-system-running')).to.equal('running')
    expect(
      await n1.ok(
        'podman info --format "{{.Host.Security.Rootless}} {{.Version.Version}} {{.Store.GraphDriverName}}"',
      ),
    ).to.match(/^true 5\.4\.\d+ overlay$/)
  })

  it('runs programs as the owner of the apps, and as root when asked', async () => {
    expect(await n1.ok('id -un; pwd')).to.equal('archy\n/home/archy')
    expect(await n1.ok('id -un; pwd', { user: 'root' })).to.equal('root\n/root')
  })

  it('returns status, output and error output, and feeds input', async () => {
    const result = await n1.exec(['bash', '-c', 'cat; echo no >&2; exit 7'], { input: 'yes' })
    expect(result).to.deep.equal({ code: 7, stdout: 'yes', stderr: 'no\n', timedOut: false })
  })

  it('ends a program that runs out of time, with all that it started', async () => {
    const script = 'sleep 1234 & sleep 1234 & wait'
    const result = await n1.exec(['bash', '-c', script], { timeoutMs: 500 })
    expect(result).to.include({ code: undefined, timedOut: true })
    await until('the sleeps are gone', 5_000, async () => {
      return (await n1.exec(['pgrep', '-f', 'sleep 1234'])).code === 1
    })
  })

  it("keeps the host's rights from root of a node", async () => {
    const bounding = await n1.ok("awk '/^CapBnd/{print $2}' /proc/self/status", { user: 'root' })
    expect(bounding).to.equal(await n1.ok("awk '/^CapBnd/{print $2}' /proc/1/status"))
    for (const forbidden of [
      ['date', '-s', '2001-01-01'],
      ['mknod', '/root/disk', 'b', '254', '0'],
      ['sysctl', '-w', 'kernel.panic=1'],
    ]) {
      const { code, stderr } = await n1.exec(forbidden, { user: 'root' })
      expect(code, forbidden[0]).not.to.equal(0)
      expect(stderr).to.match(/not permitted|permission denied|read-only/i)
    }
  })

  it('shows nodes the project and its Node 24, read-only, and a shared folder to write', async () => {
    const version = (await readFile('package.json', 'utf8')).match(/"version": "(.+)"/)?.[1]
    const script = 'console.log(process.version, require("/opt/archy/package.json").version)'
    expect(await n1.ok([NODE, '-e', script])).to.match(new RegExp(`^v24\\.\\S+ ${version}$`))
    expect((await n1.exec(['touch', '/opt/archy/x'], { user: 'root' })).stderr).to.match(
      /Read-only/,
    )
    await n1.write('/lab/hello', 'from n1')
    expect(await n2.ok('cat /lab/hello')).to.equal('from n1')
    expect(await readFile(join(lab.share, 'hello'), 'utf8')).to.equal('from n1')
  })

  it('lets nodes and this process reach each other by address and, between nodes, by name', async () => {
    expect(await n2.ok([...CURL, `http://n1:${PORT}/1`])).to.match(/^200/)
    const response = await fetch(`http://${n1.ip}:${PORT}/5`)
    expect((await response.arrayBuffer()).byteLength).to.equal(5)
    const unknown = await n1.exec(['getent', 'hosts', 'example.org'])
    expect(unknown.code).to.equal(2)
  })

  it('reboots: another boot, the same disk, the user manager back', async () => {
    await n2.write('kept', 'over a reboot')
    const before = await n2.ok('cat /proc/sys/kernel/random/boot_id; stat -c %i /proc/1/ns/pid')
    await n2.reboot()
    const after = await n2.ok('cat /proc/sys/kernel/random/boot_id; stat -c %i /proc/1/ns/pid')
    expect(after).not.to.equal(before)
    expect(await n2.ok('cat kept')).to.equal('over a reboot')
    expect(await n2.ok('systemctl --user is-system-running')).to.equal('running')
  })

  it('loses with a power cut what was not synced, and keeps what was', async () => {
    await n2.ok('echo synced > a; sync a .; echo unsynced > b')
    await n2.powerCut()
    expect((await n2.status()).state).to.equal('off')
    const error = await n2.ok('true').catch(reason => reason)
    expect(error).to.have.property('code', 'LAB_NODE_OFF')
    await n2.boot()
    expect(await n2.ok('cat a')).to.equal('synced')
    expect(await n2.ok('cat b 2>/dev/null || true')).to.equal('')
  })

  it('goes off in order, which loses nothing', async () => {
    await n2.write('c', 'unsynced')
    await n2.off()
    await n2.boot()
    expect(await n2.ok('cat c')).to.equal('unsynced')
  })

  it('parts two nodes, leaves the third alone, and heals', async () => {
    await lab.partition('n1', 'n2')
    expect((await n2.exec([...CURL, `http://n1:${PORT}/1`])).code).to.equal(28)
    expect((await fetch(`http://${n1.ip}:${PORT}/1`)).status).to.equal(200)
    await lab.heal()
    expect(await n2.ok([...CURL, `http://n1:${PORT}/1`])).to.match(/^200/)
  })

  it('takes the carrier from a node and gives it back', async () => {
    await lab.link('n2', false)
    await until('n2 has no carrier', 5_000, async () => {
      return (await n2.exec(['cat', '/sys/class/net/host0/operstate'])).stdout !== 'up\n'
    })
    await lab.link('n2', true)
    await until('n2 reaches n1', 5_000, async () => {
      return (await n2.exec([...CURL, `http://n1:${PORT}/1`])).code === 0
    })
  })

  it('limits the bandwidth of a node, also over a reboot, and ends the limit', async () => {
    const url = `http://n1:${PORT}/3000000`
    const seconds = async () => Number((await n2.ok([...CURL, '-m', '20', url])).split(' ')[1])
    await lab.shape('n2', { rateBitsPerSecond: 20_000_000 })
    // 3 MB take 1.2 s at 20 Mbit/s; the first 64 KB come at once.
    expect(await seconds()).to.be.within(1.1, 4)
    await n2.reboot()
    expect(await seconds()).to.be.within(1.1, 4)
    await lab.shape('n2', {})
    expect(await seconds()).to.be.lessThan(1)
  })

  it('adds a node with a small disk, which fills up', async () => {
    const small = await lab.add('small', { diskBytes: 128 * 1024 * 1024 })
    expect(await small.ok([...CURL, `http://n1:${PORT}/1`])).to.match(/^200/)
    const { stderr } = await small.exec(['dd', 'if=/dev/zero', 'of=full', 'bs=1M', 'count=200'])
    expect(stderr).to.include('No space left on device')
    await small.off()
  })

  it('puts a slow line before a node', async () => {
    await using proxy = await openProxy(
      { clock: systemClock, random: Math.random },
      {
        target: { host: n1.ip, port: PORT },
        listen: { host: '0.0.0.0' },
        line: { delayMs: 60 },
      },
    )
    const url = `http://origin:${proxy.port}/1`
    const seconds = Number((await n2.ok([...CURL, url])).split(' ')[1])
    expect(seconds).to.be.within(0.12, 1.5)
    proxy.cut()
    expect((await n2.exec([...CURL, url])).code).not.to.equal(0)
  })

  it('reads the journal of a unit, from before a reboot too', async () => {
    await n1.ok(['systemd-run', '--user', '--quiet', '--wait', '--unit', 'says', 'echo', 'hello'])
    expect(await n1.journal('says')).to.include('hello')
    expect(await n1.journal('dbus', { user: 'root' })).not.to.equal('')
  })
})
