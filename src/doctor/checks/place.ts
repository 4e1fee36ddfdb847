/** Disks, ports and time: what apps share with the rest of the machine. Pure. */

import type { AppClaim } from '../../../orchestrator/index.ts'
import { advice, asOwner, asRoot, type Check, type Diagnosis, defineCheck } from '../check.ts'
import type { Listener, Place } from '../facts.ts'

/** Below it an update of a mid-sized app does not fit any more. */
const FREE_BYTES_WARNING = 5e9
/** Below it databases and Podman itself begin to fail. */
const FREE_BYTES_ERROR = 1e9
/** Parts of all inodes. */
const FREE_INODES_WARNING = 0.05
const FREE_INODES_ERROR = 0.01

/** No owners and no permissions: what containers write would belong to everybody, or fail. */
const WITHOUT_PERMISSIONS = new Set(['vfat', 'msdos', 'exfat', 'ntfs', 'ntfs3', 'cifs', 'smb3'])
/** A FUSE file system may be anything; NTFS and exFAT often come this way. */
const DOUBTFUL = new Set(['fuseblk', 'fuse', '9p', 'virtiofs', 'nfs', 'nfs4'])
const VOLATILE = new Set(['tmpfs', 'ramfs'])

const fileSystems = defineCheck({
  id: 'file-systems',
  must: 'file systems with owners, permissions and a memory',
  reads: ['places'],
  judge: ({ places }) => ({
    measured: places.map(({ use, fileSystem }) => `${use}: ${fileSystem}`).join(', '),
    findings: places.flatMap(fileSystemProblems),
  }),
})

function fileSystemProblems(place: Place): readonly Diagnosis[] {
  const { use, path, fileSystem, mountPoint, options } = place
  const evidence = [`${path} is on ${mountPoint} (${fileSystem})`]
  const problems: Diagnosis[] = []
  const move = advice(
    use === 'storage'
      ? 'move container storage: set graphroot in ~/.config/containers/storage.conf to a folder on ext4, XFS or btrfs'
      : `move it to a folder on ext4, XFS or btrfs, with the environment variable ${use === 'data' ? 'ARCHY_DATA' : 'ARCHY_STATE'}`,
  )
  if (WITHOUT_PERMISSIONS.has(fileSystem)) {
    problems.push({
      code: 'file-systems.permissions',
      severity: 'error',
      text: `${fileSystem} has no owners and permissions; the files of apps cannot be kept there`,
      evidence,
      fix: move,
    })
  } else if (DOUBTFUL.has(fileSystem) || (use === 'storage' && fileSystem === 'overlay')) {
    problems.push({
      code: 'file-systems.doubtful',
      severity: 'warning',
      text: `${fileSystem} may not keep owners, extended attributes or locks as databases and container storage need them`,
      evidence,
      fix: move,
    })
  } else if (VOLATILE.has(fileSystem)) {
    problems.push({
      code: 'file-systems.volatile',
      severity: 'error',
      text: `${path} is in memory: everything in it is gone after a reboot`,
      evidence,
      fix: move,
    })
  }
  if (options.includes('ro')) {
    problems.push({
      code: 'file-systems.read-only',
      severity: 'error',
      text: `${mountPoint} is mounted read-only; after errors of the disk the kernel does that by itself`,
      evidence: [options.join(',')],
      fix: {
        ...asRoot(['dmesg', '--level', 'err'], ['mount', '-o', 'remount,rw', mountPoint]),
        note: 'when the disk has errors, save the data first',
      },
    })
  }
  return problems
}

const space = defineCheck({
  id: 'space',
  must: 'room for data, state and images: 5 GB and 5 % of the inodes',
  reads: ['places'],
  judge: ({ places }) => ({
    measured: places
      .map(({ use, freeBytes }) => `${use}: ${(freeBytes / 1e9).toFixed(1)} GB free`)
      .join(', '),
    findings: byFileSystem(places).flatMap(spaceProblems),
  }),
})

/** Two folders on one file system are one problem. */
function byFileSystem(places: readonly Place[]): readonly Place[] {
  const seen = new Map(places.map(place => [place.mountPoint, place]))
  return [...seen.values()]
}

const CLEAN = asOwner(['podman', 'image', 'prune'], ['journalctl', '--user', '--vacuum-size=100M'])

function spaceProblems(place: Place): readonly Diagnosis[] {
  const { mountPoint, freeBytes, sizeBytes, inodes, freeInodes } = place
  const problems: Diagnosis[] = []
  if (freeBytes < FREE_BYTES_WARNING) {
    problems.push({
      code: 'space.low',
      severity: freeBytes < FREE_BYTES_ERROR ? 'error' : 'warning',
      text: `${mountPoint} has ${(freeBytes / 1e9).toFixed(1)} GB left: updates need room for the old and the new version`,
      evidence: [`${freeBytes} of ${sizeBytes} bytes free`],
      fix: {
        ...CLEAN,
        note: 'or remove data of apps that are uninstalled: "archy app purge ID" says first how much it is',
      },
    })
  }
  const part = inodes === 0 ? 1 : freeInodes / inodes
  if (part < FREE_INODES_WARNING) {
    problems.push({
      code: 'space.inodes',
      severity: part < FREE_INODES_ERROR ? 'error' : 'warning',
      text: `${mountPoint} can hold only ${freeInodes} more files`,
      evidence: [`${freeInodes} of ${inodes} inodes free`],
      fix: { ...CLEAN, note: 'then look for folders with very many small files: du --inodes' },
    })
  }
  return problems
}

const folders = defineCheck({
  id: 'folders',
  must: 'the folders of the node are there',
  reads: ['places'],
  judge: ({ places }) => {
    const missing = places.filter(({ exists, use }) => !exists && use !== 'storage')
    return {
      measured: missing.length === 0 ? 'there' : `${missing.length} missing`,
      findings: missing.map(({ use, path }) => ({
        code: 'folders.missing',
        severity: 'info',
        text: `the folder for ${use} is not there yet; if it was, look whether its disk is mounted`,
        evidence: [path],
        fix: { by: 'owner', isSafe: true, steps: [{ kind: 'folder', path }] },
      })),
    }
  },
})

const lowPorts = defineCheck({
  id: 'low-ports',
  must: 'this user may listen on every port that an app wants',
  reads: ['kernel', 'claims'],
  judge: ({ kernel: { firstUnprivilegedPort }, claims }) => {
    const low = claims
      .flatMap(({ id, ports }) => ports.map(({ host }) => ({ id, host })))
      .filter(({ host }) => host < firstUnprivilegedPort)
    const lowest = Math.min(...low.map(({ host }) => host))
    return {
      measured: `from ${firstUnprivilegedPort} on`,
      findings:
        low.length === 0
          ? []
          : [
              {
                code: 'low-ports.refused',
                severity: 'error',
                text: `${[...new Set(low.map(({ id }) => id))].join(', ')} cannot start: ports below ${firstUnprivilegedPort} are root's`,
                evidence: low.map(({ id, host }) => `${id} wants ${host}`),
                fix: {
                  by: 'root',
                  isSafe: false,
                  steps: [
                    {
                      kind: 'write',
                      path: '/etc/sysctl.d/60-archy-ports.conf',
                      text: `net.ipv4.ip_unprivileged_port_start=${lowest}\n`,
                    },
                    { kind: 'run', argv: ['sysctl', '--system'] },
                  ],
                },
              },
            ],
    }
  },
})

const ports = defineCheck({
  id: 'ports',
  must: 'ports of apps are taken by nobody else',
  reads: ['user', 'claims', 'listeners'],
  judge: ({ user, claims, listeners }) => ({
    measured: `${claims.flatMap(claim => claim.ports).length} claimed`,
    findings: [
      ...claims.flatMap((claim, index) => twins(claim, claims.slice(index + 1))),
      ...listeners.flatMap(listener => strangers(listener, claims, user.uid)),
    ],
  }),
})

function twins(claim: AppClaim, later: readonly AppClaim[]): readonly Diagnosis[] {
  return later.flatMap(other =>
    claim.ports
      .filter(mine =>
        other.ports.some(({ host, protocol }) => host === mine.host && protocol === mine.protocol),
      )
      .map(({ host, protocol }) => ({
        code: 'ports.twice',
        severity: 'error' as const,
        text: `${claim.id} and ${other.id} both want port ${host}/${protocol}: only one of them can run`,
        evidence: [`${host}/${protocol}`],
        fix: asOwner(['archy', 'app', 'stop', other.id]),
      })),
  )
}

function strangers(
  { port, protocol, uid, process }: Listener,
  claims: readonly AppClaim[],
  owner: number,
): readonly Diagnosis[] {
  const claim = claims.find(({ ports: all }) =>
    all.some(each => each.host === port && each.protocol === protocol),
  )
  // What listens for the app itself is in the cgroup of its unit; one that nobody can look into is not judged.
  if (claim === undefined || (uid === owner && process === undefined)) return []
  if (process?.cgroup.includes(`app-${claim.id}_`)) return []
  const who = process === undefined ? `user ${uid}` : process.name
  return [
    {
      code: 'ports.taken',
      severity: 'error',
      text: `port ${port}/${protocol} of ${claim.id} is taken by ${who}`,
      evidence: [process === undefined ? `uid ${uid}` : `${process.name} in ${process.cgroup}`],
      fix: {
        ...asRoot(['ss', '-lnp', `sport = :${port}`]),
        note: 'stop that program, or give it another port',
      },
    },
  ]
}

const clock = defineCheck({
  id: 'clock',
  must: 'the clock is right: signatures have a time',
  reads: ['clock'],
  judge: ({ clock: { nowMs, isSynchronized, hasService, catalogMs, builtMs } }) => {
    const earliest = Math.max(catalogMs ?? 0, builtMs)
    const problems: Diagnosis[] = []
    const enable = hasService
      ? asRoot(['timedatectl', 'set-ntp', 'true'])
      : asRoot(['apt-get', 'install', '--yes', 'systemd-timesyncd'])
    if (nowMs < earliest) {
      problems.push({
        code: 'clock.behind',
        severity: 'error',
        text: 'the clock is behind: the newest catalog on this disk, or this program, was made later',
        evidence: [
          `now ${new Date(nowMs).toISOString()}`,
          `at least ${new Date(earliest).toISOString()}`,
        ],
        fix: enable,
      })
    }
    if (!isSynchronized) {
      problems.push({
        code: 'clock.unsynchronized',
        severity: 'warning',
        text: 'nothing keeps the clock right: a wrong clock makes good catalogs look expired and old ones look good',
        evidence: [
          hasService ? 'a time service is there, but has not succeeded' : 'no time service',
        ],
        fix: enable,
      })
    }
    return {
      measured: `${isSynchronized ? 'synchronized' : 'not synchronized'}, ${new Date(nowMs).toISOString()}`,
      findings: problems,
    }
  },
})

export const PLACE_CHECKS: readonly Check[] = [fileSystems, space, folders, lowPorts, ports, clock]
