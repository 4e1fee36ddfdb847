/** A machine without a fault, as facts; tests make it sick in one place. */
import type { Facts, Place } from '../../../src/doctor/facts.ts'

const place = (use: Place['use'], path: string): Place => ({
  ...{ use, path, exists: true, fileSystem: 'ext4', mountPoint: '/home', options: ['rw'] },
  ...{ freeBytes: 80e9, sizeBytes: 100e9, inodes: 1_000_000, freeInodes: 900_000 },
})

const INFO: Facts['podmanInfo'] = {
  version: '5.4.2',
  database: 'sqlite',
  cgroupManager: 'systemd',
  cgroupVersion: 'v2',
  runtime: { name: 'crun', path: '/usr/bin/crun' },
  conmonPath: '/usr/bin/conmon',
  networkBackend: 'netavark',
  dnsPath: '/usr/lib/podman/aardvark-dns',
  networkCommand: 'pasta',
  pastaPath: '/usr/bin/pasta',
  storageDriver: 'overlay',
  storageFolder: '/home/ada/.local/share/containers/storage',
  isRootless: true,
}

const NOW_MS = Date.UTC(2026, 10, 24)

export const HEALTHY: Facts = {
  user: { name: 'ada', uid: 1000 },
  linger: true,
  ids: {
    subuid: [{ owner: 'ada', start: 100_000, count: 65_536 }],
    subgid: [{ owner: 'ada', start: 100_000, count: 65_536 }],
    newuidmap: '/usr/bin/newuidmap',
    newgidmap: '/usr/bin/newgidmap',
  },
  idMap: [
    { inside: 0, outside: 1000, count: 1 },
    { inside: 1, outside: 100_000, count: 65_536 },
  ],
  cgroups: {
    isVersion2: true,
    machine: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
    user: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
  },
  manager: { stopTimeoutMs: 1_200_000, delegated: ['cpu', 'cpuset', 'io', 'memory', 'pids'] },
  podman: { kind: 'answered', tookMs: 120, info: INFO },
  podmanInfo: INFO,
  socket: { load: 'loaded', active: 'active' },
  session: {
    runtimeFolder: '/run/user/1000',
    runtimeFolderMode: 0o40700,
    hasBus: true,
    manager: 'running',
  },
  kernel: {
    firstUnprivilegedPort: 1024,
    inotifyInstances: 128,
    inotifyWatches: 65_536,
    userNamespaces: 28_633,
    restrictsUserNamespaces: undefined,
    hasPersistentJournal: true,
  },
  clock: {
    nowMs: NOW_MS,
    isSynchronized: true,
    hasService: true,
    catalogMs: NOW_MS - 3_600_000,
    builtMs: Date.UTC(2026, 0, 1),
  },
  claims: [{ id: 'notes', ports: [{ host: 8081, protocol: 'tcp' }], stopDeadlineMs: 90_000 }],
  listeners: [
    {
      ...{ port: 8081, protocol: 'tcp', uid: 1000 },
      process: {
        name: 'rootlessport',
        cgroup: '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-notes_web.service',
      },
    },
  ],
  places: [
    place('data', '/home/ada/.local/share/archipelago/apps'),
    place('state', '/home/ada/.local/state/archipelago'),
    place('storage', '/home/ada/.local/share/containers/storage'),
  ],
  units: {
    quadlet: '/usr/libexec/podman/quadlet',
    generator: '/usr/lib/systemd/user-generators/podman-user-generator',
    foreignDropIns: [],
  },
  daemons: [{ pid: 700, command: 'node main.ts node run', isService: true }],
}
