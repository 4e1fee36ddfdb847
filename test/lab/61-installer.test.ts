/** Root's part of an installation on a real machine: as promised, once, and back again. */
import { expect } from 'chai'
import type { Report } from '../../src/doctor/examine.ts'
import { attachLab, type LabNode } from '../support/lab/index.ts'

const NODE = '/opt/archy/node_modules/.bin/node'
const INSTALLER = `${NODE} /opt/archy/systemd/install.ts`
/** Everything that an installation touches, as text. */
const LOOK = `set +e
getent passwd ada; cat /etc/subuid /etc/subgid; ls /var/lib/systemd/linger; cd /etc/systemd/system
find . /etc/sysctl.d /var/lib/archy-installer -newer /etc/hostname -type f | sort | xargs -r cat
cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ls /home; true`

describe('61 the installer on a real machine', function () {
  this.timeout(240_000)
  let node: LabNode

  before(async () => {
    node = await (await attachLab()).add('inst1')
  })
  after(() => node.off())

  const root = (script: string): Promise<string> =>
    node.ok(script, { user: 'root', timeoutMs: 60_000 })

  it('shows what it would do and changes nothing', async () => {
    const before = await root(LOOK)
    expect(await root(`${INSTALLER} --user ada --dry-run`)).to.match(/^add the user ada\n/)
    const shown = await root(`${INSTALLER} --user archy --low-port 80 --dry-run`)
    expect(shown).to.match(/TimeoutStopSec=20min/)
    expect(shown).to.match(/set net\.ipv4\.ip_unprivileged_port_start to 80 \(was 1024\)/)
    expect(await root(LOOK)).to.equal(before)
  })

  it('refuses what it must not touch, and then changes nothing', async () => {
    const before = await root(LOOK)
    const asUser = await node.exec([...INSTALLER.split(' '), '--user', 'archy'])
    expect([asUser.code, asUser.stderr]).to.deep.equal([
      1,
      'this needs root; --dry-run shows what it would do\n',
    ])
    const asRoot = await node.exec([...INSTALLER.split(' '), '--user', 'root'], { user: 'root' })
    expect([asRoot.code, asRoot.stderr]).to.deep.equal([
      1,
      'nothing was changed (INSTALLER_REFUSED)\n  the apps cannot belong to root; name an ordinary user\n',
    ])
    expect(await root(LOOK)).to.equal(before)
  })

  it('makes a user that the doctor has nothing against, finds nothing to do then, and takes all back', async () => {
    const before = await root(LOOK)
    expect(await root(`${INSTALLER} --user ada --low-port 80`)).to.match(/next: as ada: archy node/)
    const report = await root(
      `runuser -u ada -- env -C /home/ada HOME=/home/ada XDG_RUNTIME_DIR=/run/user/$(id -u ada) ${NODE} /opt/archy/src/main.ts doctor --json`,
    )
    const { ok, rows } = JSON.parse(report) as Report
    const codes = rows.flatMap(row => row.findings.map(({ code }) => code))
    // What a lab node has by nature, and folders that the node makes itself.
    const expected = new Set(['cgroups.absent', 'clock.unsynchronized', 'folders.missing'])
    expect(codes.filter(code => !expected.has(code))).to.deep.equal([])
    expect(ok).to.equal(true)
    expect(
      await root(
        'systemctl show user@$(id -u ada).service -p TimeoutStopUSec -p DelegateControllers',
      ),
    ).to.match(/TimeoutStopUSec=20min\nDelegateControllers=.*io/)

    const once = await root(LOOK)
    expect(await root(`${INSTALLER} --user ada --low-port 80`)).to.match(/nothing to do$/)
    expect(await root(LOOK)).to.equal(once)

    await root(`${INSTALLER} --user ada --uninstall`)
    expect(await root(LOOK)).to.equal(before)
    expect(await root(`${INSTALLER} --user ada --uninstall`)).to.equal('nothing to do')
  })

  it('takes from a user who was there before only what it gave', async () => {
    const before = await root(LOOK)
    await root(`${INSTALLER} --user archy --stop-timeout 1h`)
    expect(await root('systemctl show user@1000.service -p TimeoutStopUSec --value')).to.equal('1h')
    await node.reboot()
    expect(await root('systemctl show user@1000.service -p TimeoutStopUSec --value')).to.equal('1h')
    await root(`${INSTALLER} --user archy --uninstall`)
    expect(await root(LOOK)).to.equal(before)
    expect(await root('systemctl show user@1000.service -p TimeoutStopUSec --value')).to.equal(
      '2min',
    )
  })
})
