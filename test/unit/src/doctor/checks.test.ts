/**
 * Goal: every sickness of a machine has a finding of its own, and a healthy machine has none.
 * Method: a table of machines that differ from a healthy one in one place.
 */
import { expect } from 'chai'
import { type Diagnosis, remedyText } from '../../../../src/doctor/check.ts'
import { examine, formatResults, reportOf } from '../../../../src/doctor/examine.ts'
import { type Facts, type Place, type Readings, Unread } from '../../../../src/doctor/facts.ts'
import { HEALTHY } from '../../../support/doctor/healthy.ts'

function findings(readings: Readings): readonly Diagnosis[] {
  return examine(readings).flatMap(result => result.findings)
}

/** Changes some fields of one fact. */
function sick<K extends keyof Facts>(name: K, change: Partial<Facts[K]>): Facts {
  return { ...HEALTHY, [name]: Object.assign({}, HEALTHY[name], change) }
}

const places = (change: Partial<Place>): Facts => ({
  ...HEALTHY,
  places: HEALTHY.places.map(place => ({ ...place, ...change })),
})

const NOTES = HEALTHY.claims[0] as Facts['claims'][number]
const LISTENER = HEALTHY.listeners[0] as Facts['listeners'][number]

/** Code, the machine, and a part of the cure. */
const SICK: readonly (readonly [code: string, facts: Facts, cure: RegExp])[] = [
  ['user.root', sick('user', { uid: 0, name: 'root' }), /as the user/],
  ['linger.off', { ...HEALTHY, linger: false }, /^as root: loginctl enable-linger ada$/],
  [
    'ids.subuid-small',
    sick('ids', { subuid: [{ owner: 'bob', start: 165_536, count: 65_536 }] }),
    /as root: usermod --add-subuids 231072-296607 ada\n.*podman system migrate/,
  ],
  [
    'ids.subgid-small',
    sick('ids', { subgid: [{ owner: 'ada', start: 100_000, count: 65_535 }] }),
    /--add-subgids 165535-231070 ada/,
  ],
  [
    'ids.subuid-shared',
    sick('ids', {
      subuid: [...HEALTHY.ids.subuid, { owner: 'bob', start: 165_535, count: 10 }],
    }),
    /as root: usermod --del-subuids 165535-165544 bob/,
  ],
  ['ids.newuidmap', sick('ids', { newuidmap: undefined }), /install --yes uidmap/],
  ['ids.newgidmap', sick('ids', { newgidmap: undefined }), /install --yes uidmap/],
  [
    'id-map.stale',
    { ...HEALTHY, idMap: [{ inside: 0, outside: 1000, count: 1 }] },
    /podman system migrate/,
  ],
  ['cgroups.version', sick('cgroups', { isVersion2: false }), /unified_cgroup_hierarchy=1/],
  [
    'cgroups.absent',
    sick('cgroups', { machine: ['cpu', 'io', 'pids'], user: ['cpu', 'io', 'pids'] }),
    /cgroup_enable=memory/,
  ],
  [
    'cgroups.delegation',
    sick('cgroups', { user: ['cpu', 'memory', 'pids'] }),
    /user@1000\.service\.d\/60-archy-delegate\.conf:\n\s+\[Service\]\n\s+Delegate=cpu cpuset io memory pids/,
  ],
  [
    'shutdown.short',
    {
      ...sick('manager', { stopTimeoutMs: 120_000 }),
      claims: [{ ...NOTES, stopDeadlineMs: 630_000 }],
    },
    /TimeoutStopSec=690s\nas root: systemctl daemon-reload/,
  ],
  ['session.runtime-folder', sick('session', { runtimeFolder: undefined }), /XDG_RUNTIME_DIR/],
  ['session.runtime-open', sick('session', { runtimeFolderMode: 0o40755 }), /chmod 700 \/run/],
  ['session.bus', sick('session', { hasBus: false }), /dbus-user-session/],
  ['session.manager', sick('session', { manager: 'offline' }), /is-system-running/],
  ['socket.off', sick('socket', { active: 'inactive' }), /^systemctl --user enable --now podman/],
  ['socket.masked', sick('socket', { load: 'masked', active: 'inactive' }), /unmask podman.socket/],
  ['namespaces.off', sick('kernel', { userNamespaces: 0 }), /user.max_user_namespaces=/],
  [
    'namespaces.off',
    sick('kernel', { restrictsUserNamespaces: true }),
    /apparmor_restrict_unprivileged_userns=0/,
  ],
  ['inotify.low', sick('kernel', { inotifyInstances: 35 }), /max_user_instances=512/],
  ['inotify.low', sick('kernel', { inotifyWatches: 8191 }), /max_user_watches=/],
  ['journal.volatile', sick('kernel', { hasPersistentJournal: false }), /\/var\/log\/journal/],
  ['quadlet.missing', sick('units', { quadlet: undefined }), /reinstall/],
  ['quadlet.missing', sick('units', { generator: undefined }), /reinstall/],
  [
    'drop-ins.foreign',
    sick('units', { foreignDropIns: ['/home/ada/.config/systemd/user/app-.service.d/x.conf'] }),
    /^rm \/home\/ada/,
  ],
  [
    'drop-ins.foreign',
    sick('units', { foreignDropIns: ['/etc/systemd/user/service.d/x.conf'] }),
    /^as root: rm \/etc/,
  ],
  [
    'daemons.several',
    {
      ...HEALTHY,
      daemons: [
        { pid: 701, command: 'node main.ts node run', isService: false },
        ...HEALTHY.daemons,
      ],
    },
    /^kill 701$/,
  ],
  ['podman.missing', podmanSays('missing'), /install --yes podman crun/],
  ['podman.slow', podmanSays('late'), /never delete storage/],
  ['podman.broken', podmanSays('failed'), /podman info/],
  ['podman.old', podmanIs({ version: '5.3.9' }), /Debian 13/],
  ['podman.old', podmanIs({ version: '4.9.4' }), /Debian 13/],
  ['podman.refused', podmanIs({ version: '5.8.1' }), /install --yes podman/],
  ['database.boltdb', podmanIs({ database: 'boltdb' }), /podman system reset\nthis deletes/],
  ['rootless.off', podmanIs({ isRootless: false }), /as the user/],
  ['parts.missing', podmanIs({ conmonPath: '' }), /install --yes conmon/],
  ['parts.cgroup-manager', podmanIs({ cgroupManager: 'cgroupfs' }), /dbus-user-session/],
  ['network.parts', podmanIs({ networkBackend: 'cni', pastaPath: '' }), /netavark passt/],
  ['network.parts', podmanIs({ dnsPath: '' }), /aardvark-dns/],
  ['driver.slow', podmanIs({ storageDriver: 'vfs' }), /ext4, XFS or btrfs/],
  ['file-systems.permissions', places({ fileSystem: 'exfat' }), /ARCHY_DATA/],
  ['file-systems.doubtful', places({ fileSystem: 'nfs4' }), /ARCHY_STATE|ARCHY_DATA/],
  ['file-systems.volatile', places({ fileSystem: 'tmpfs' }), /ext4/],
  ['file-systems.read-only', places({ options: ['ro'] }), /remount,rw \/home/],
  ['space.low', places({ freeBytes: 4.9e9 }), /podman image prune/],
  ['space.inodes', places({ freeInodes: 49_000 }), /du --inodes/],
  ['folders.missing', places({ exists: false }), /^mkdir -p \/home\/ada/],
  [
    'low-ports.refused',
    {
      ...HEALTHY,
      claims: [
        { ...NOTES, ports: [{ host: 443, protocol: 'tcp' }] },
        { ...NOTES, id: 'dns', ports: [{ host: 53, protocol: 'udp' }] },
      ],
    },
    /ip_unprivileged_port_start=53\nas root: sysctl --system/,
  ],
  ['ports.twice', { ...HEALTHY, claims: [NOTES, { ...NOTES, id: 'wiki' }] }, /archy app stop wiki/],
  [
    'ports.taken',
    {
      ...HEALTHY,
      listeners: [{ ...LISTENER, process: { name: 'nginx', cgroup: '0::/user.slice/x' } }],
    },
    /as root: ss -lnp 'sport = :8081'/,
  ],
  [
    'ports.taken',
    { ...HEALTHY, listeners: [{ ...LISTENER, uid: 33, process: undefined }] },
    /stop that program/,
  ],
  [
    'clock.behind',
    sick('clock', { catalogMs: HEALTHY.clock.nowMs + 1 }),
    /timedatectl set-ntp true/,
  ],
  ['clock.behind', sick('clock', { nowMs: Date.UTC(1970, 0, 1) }), /timedatectl/],
  [
    'clock.unsynchronized',
    sick('clock', { isSynchronized: false, hasService: false }),
    /install --yes systemd-timesyncd/,
  ],
]

function podmanSays(kind: 'missing' | 'late' | 'failed'): Facts {
  return { ...HEALTHY, podman: { kind, reason: 'no answer' } }
}

function podmanIs(change: Partial<Facts['podmanInfo']>): Facts {
  const info = { ...HEALTHY.podmanInfo, ...change }
  return { ...HEALTHY, podmanInfo: info, podman: { kind: 'answered', tookMs: 1, info } }
}

describe('the doctor', () => {
  it('finds nothing on a healthy machine', () => {
    expect(findings(HEALTHY)).to.deep.equal([])
    expect(reportOf(examine(HEALTHY)).ok).to.equal(true)
    expect(formatResults(examine(HEALTHY))).to.match(/All is well\.$/)
  })

  for (const [code, facts, cure] of SICK) {
    it(`finds ${code} and says how to end it`, () => {
      const found = findings(facts)
      expect([...new Set(found.map(each => each.code))]).to.include(code)
      const finding = found.find(each => each.code === code)
      expect(finding?.text).to.match(/\w/)
      expect(remedyText(finding?.fix as Diagnosis['fix'])).to.match(cure)
    })
  }

  it('has one kind of finding for each fault but those that follow from it', () => {
    const follows = new Set(['user.root'])
    for (const [code, facts] of SICK) {
      const codes = new Set(findings(facts).map(each => each.code))
      if (!follows.has(code)) expect([...codes], code).to.deep.equal([code])
    }
  })

  it('says of every fact that cannot be read what is not known because of it', () => {
    for (const name of Object.keys(HEALTHY) as (keyof Facts)[]) {
      const readings = { ...HEALTHY, [name]: new Unread('permission denied') }
      const codes = findings(readings).map(each => each.code)
      expect(codes.length, name).to.be.greaterThan(0)
      expect(
        codes.every(code => code.endsWith('.unread')),
        name,
      ).to.equal(true)
      expect(reportOf(examine(readings)).ok, name).to.equal(false)
    }
  })

  it('takes a full disk and the last inodes for errors, and what is only tight for a warning', () => {
    const severity = (facts: Facts) => findings(facts)[0]?.severity
    expect(severity(places({ freeBytes: 0.9e9 }))).to.equal('error')
    expect(severity(places({ freeBytes: 1.1e9 }))).to.equal('warning')
    expect(severity(places({ freeInodes: 9_000 }))).to.equal('error')
    // btrfs has no fixed number of inodes.
    expect(findings(places({ inodes: 0, freeInodes: 0 }))).to.deep.equal([])
  })

  it('accepts ids that are given to the user by number, and in two ranges', () => {
    const range = { owner: '1000', start: 100_000, count: 40_000 }
    const facts = sick('ids', { subuid: [range, { ...range, start: 200_000 }] })
    expect(findings(facts)).to.deep.equal([])
  })

  it('does not judge a listener of the owner that nobody can look into', () => {
    expect(
      findings({ ...HEALTHY, listeners: [{ ...LISTENER, process: undefined }] }),
    ).to.deep.equal([])
  })

  it('counts warnings as well and errors as not', () => {
    const warned = reportOf(examine(sick('socket', { active: 'inactive' })))
    expect([
      warned.ok,
      warned.rows.find(row => row.id === 'socket')?.findings.length,
    ]).to.deep.equal([true, 1])
    expect(reportOf(examine({ ...HEALTHY, linger: false })).ok).to.equal(false)
  })

  it('names no id twice', () => {
    const ids = examine(HEALTHY).map(({ id }) => id)
    expect(new Set(ids).size).to.equal(ids.length)
  })
})
