/** Podman: there, new enough, quick to answer, and built of the parts that apps rely on. Pure. */
import {
  advice,
  asOwner,
  asRoot,
  type Check,
  type Diagnosis,
  defineCheck,
  type Verdict,
} from '../check.ts'
import type { PodmanAnswer, PodmanInfo } from '../facts.ts'

/** What Debian 13 has; units are written for it. */
const VERSION_FLOOR = [5, 4] as const
/** They may move the database under running units: containers/podman release notes of 5.8.2. */
const VERSIONS_REFUSED: readonly string[] = ['5.8.0', '5.8.1']
const PACKAGES = ['podman', 'crun', 'conmon', 'netavark', 'aardvark-dns', 'passt', 'uidmap']

const podman = defineCheck({
  id: 'podman',
  must: `Podman ${VERSION_FLOOR.join('.')} or newer answers "podman info" within 5 s`,
  reads: ['podman'],
  judge: ({ podman: answer }) => {
    if (answer.kind !== 'answered') {
      return { measured: answer.reason, findings: [silence(answer)] }
    }
    const { version } = answer.info
    return {
      measured: `${version}, answered in ${Math.round(answer.tookMs)} ms`,
      findings: versionProblems(version),
    }
  },
})

function silence(answer: Exclude<PodmanAnswer, { kind: 'answered' }>): Diagnosis {
  const common = { severity: 'error', evidence: [answer.reason] } as const
  switch (answer.kind) {
    case 'missing':
      return {
        ...common,
        code: 'podman.missing',
        text: 'Podman is not installed',
        fix: asRoot(['apt-get', 'install', '--yes', ...PACKAGES]),
      }
    case 'late':
      return {
        ...common,
        code: 'podman.slow',
        text: 'Podman does not answer in time: a lock is held, or the disk is very slow',
        fix: {
          ...asOwner(['podman', 'ps', '--all'], ['systemctl', '--user', 'list-jobs']),
          note: 'look which podman process is stuck, and whether the disk has errors; never delete storage by hand',
        },
      }
    case 'failed':
      return {
        ...common,
        code: 'podman.broken',
        text: 'Podman cannot say anything about itself',
        fix: asOwner(['podman', 'info']),
      }
  }
}

function versionProblems(version: string): readonly Diagnosis[] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < VERSION_FLOOR[0] || (major === VERSION_FLOOR[0] && minor < VERSION_FLOOR[1])
  if (!isOld && !VERSIONS_REFUSED.includes(version)) return []
  return [
    {
      code: isOld ? 'podman.old' : 'podman.refused',
      severity: 'error',
      text: isOld
        ? `Podman ${version} is too old for the units of apps`
        : `Podman ${version} may lose containers when it moves its database`,
      evidence: [version],
      fix: {
        ...asRoot(['apt-get', 'install', '--yes', 'podman']),
        note: 'Debian 13 has 5.4; on an older system upgrade the system first',
      },
    },
  ]
}

/** What else `podman info` says. */
function partCheck(id: string, must: string, judge: (info: PodmanInfo) => Verdict): Check {
  return defineCheck({
    ...{ id, must },
    reads: ['podmanInfo'],
    judge: ({ podmanInfo }) => judge(podmanInfo),
  })
}

const database = partCheck('database', 'the database is SQLite', ({ database: kind }) => ({
  measured: kind,
  findings:
    kind === 'sqlite'
      ? []
      : [
          {
            code: 'database.boltdb',
            severity: 'error',
            text: `the database is ${kind}, which newer versions of Podman do not read: containers would be gone after an upgrade`,
            evidence: [kind],
            fix: {
              ...asOwner(['podman', 'system', 'reset']),
              note: 'this deletes every container, image and volume of this user: save the data of containers that are not apps of this node first. Data of apps is elsewhere and stays',
            },
          },
        ],
}))

const rootless = partCheck('rootless', 'Podman runs without root', ({ isRootless }) => ({
  measured: isRootless ? 'rootless' : 'as root',
  findings: isRootless
    ? []
    : [
        {
          code: 'rootless.off',
          severity: 'error',
          text: 'Podman runs as root here; apps must not',
          evidence: ['host.security.rootless is false'],
          fix: advice('run "archy doctor" as the user who is to own the apps'),
        },
      ],
}))

const parts = partCheck('parts', 'crun, conmon and systemd cgroups', info => {
  const missing = [
    ...(info.runtime.path === '' ? ['crun'] : []),
    ...(info.conmonPath === '' ? ['conmon'] : []),
  ]
  const problems: Diagnosis[] = []
  if (missing.length > 0) {
    problems.push({
      code: 'parts.missing',
      severity: 'error',
      text: `Podman finds no ${missing.join(' and no ')}`,
      evidence: missing,
      fix: asRoot(['apt-get', 'install', '--yes', ...missing]),
    })
  }
  if (info.cgroupManager !== 'systemd') {
    problems.push({
      code: 'parts.cgroup-manager',
      severity: 'error',
      text: `Podman keeps cgroups by itself (${info.cgroupManager}): stopping a unit would leave processes of its app`,
      evidence: [info.cgroupManager],
      fix: {
        ...asRoot(['apt-get', 'install', '--yes', 'dbus-user-session']),
        note: 'then reboot: without a session bus Podman cannot ask systemd',
      },
    })
  }
  return {
    measured: `${info.runtime.name}, ${info.cgroupManager}`,
    findings: problems,
  }
})

const network = partCheck('network', 'netavark with aardvark-dns, and pasta', info => {
  const missing = [
    ...(info.networkBackend === 'netavark' ? [] : ['netavark']),
    ...(info.dnsPath === '' ? ['aardvark-dns'] : []),
    ...(info.pastaPath === '' ? ['passt'] : []),
  ]
  return {
    measured: `${info.networkBackend}, ${info.networkCommand}`,
    findings:
      missing.length === 0
        ? []
        : [
            {
              code: 'network.parts',
              severity: 'error',
              text: `components of an app would not reach each other, or the world: ${missing.join(', ')} missing`,
              evidence: [`back-end ${info.networkBackend}`],
              fix: asRoot(['apt-get', 'install', '--yes', ...missing]),
            },
          ],
  }
})

const driver = partCheck('driver', 'container storage is native overlay', info => ({
  measured: info.storageDriver,
  findings:
    info.storageDriver === 'overlay' || info.storageDriver === 'btrfs'
      ? []
      : [
          {
            code: 'driver.slow',
            severity: 'warning',
            text: `container storage uses ${info.storageDriver}: every image layer is copied whole, which takes many times the space`,
            evidence: [info.storageFolder],
            fix: advice(
              'keep container storage on ext4, XFS or btrfs; a change of the driver needs "podman system reset"',
            ),
          },
        ],
}))

export const PODMAN_CHECKS: readonly Check[] = [podman, database, rootless, parts, network, driver]
