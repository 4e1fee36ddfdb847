/** What the kernel and systemd grant the user's manager: limits, time to stop, namespaces. Pure. */
import { advice, asRoot, type Check, type Diagnosis, defineCheck } from '../check.ts'

/** What limits of apps need, and what the machine then has to hand on. */
const CONTROLLERS = ['memory', 'pids', 'cpu', 'io'] as const
/** Beside the apps' own: for what the manager does after the last unit ended. */
const SHUTDOWN_MARGIN_MS = 60_000
/** The manager, the node and Podman, and then some per app. */
const INOTIFY_INSTANCES_BASE = 32
const INOTIFY_INSTANCES_PER_APP = 4
const INOTIFY_WATCHES_MIN = 8192

/** Beside the file of `systemd/install.ts`, and read after it. */
function managerDropIn(uid: number): string {
  return `/etc/systemd/system/user@${uid}.service.d/60-archy-delegate.conf`
}

const cgroups = defineCheck({
  id: 'cgroups',
  must: `cgroup version 2, with ${CONTROLLERS.join(', ')} handed to the user`,
  reads: ['user', 'cgroups', 'manager'],
  judge: ({ user, cgroups: { isVersion2, machine, user: ours }, manager }) => ({
    measured: isVersion2 ? `version 2: ${ours.join(' ') || 'no controller'}` : 'version 1',
    findings: isVersion2
      ? controllerProblems(user.uid, machine, ours, manager.delegated)
      : [
          {
            code: 'cgroups.version',
            severity: 'error',
            text: 'this machine uses cgroup version 1: limits of apps are not enforced and units leave processes behind',
            evidence: ['no /sys/fs/cgroup/cgroup.controllers'],
            fix: advice(
              'as root: add systemd.unified_cgroup_hierarchy=1 to the kernel command line, and reboot',
            ),
          },
        ],
  }),
})

function controllerProblems(
  uid: number,
  machine: readonly string[],
  ours: readonly string[],
  delegated: readonly string[],
): readonly Diagnosis[] {
  const missing = CONTROLLERS.filter(name => !ours.includes(name))
  const absent = missing.filter(name => !machine.includes(name))
  const withheld = missing.filter(name => machine.includes(name))
  const problems: Diagnosis[] = []
  if (absent.length > 0) {
    problems.push({
      code: 'cgroups.absent',
      severity: 'warning',
      text: `the kernel offers no ${absent.join(', ')} controller: such limits of apps are not enforced; the apps run`,
      evidence: [`cgroup.controllers of the machine: ${machine.join(' ') || 'none'}`],
      fix: advice(
        absent.includes('memory')
          ? 'on a Raspberry Pi, as root: add cgroup_enable=memory to /boot/firmware/cmdline.txt, and reboot; in a container or virtual machine its host decides'
          : 'the host of this machine decides',
      ),
    })
  }
  if (withheld.length > 0) {
    problems.push({
      code: 'cgroups.delegation',
      severity: 'warning',
      text: `the user's manager is not given ${withheld.join(', ')}: such limits of apps are not enforced; the apps run`,
      evidence: [`delegated: ${delegated.join(' ')}`],
      fix: {
        by: 'root',
        isSafe: false,
        steps: [
          {
            kind: 'write',
            path: managerDropIn(uid),
            text: '[Service]\nDelegate=cpu cpuset io memory pids\n',
          },
          { kind: 'run', argv: ['systemctl', 'daemon-reload'] },
        ],
        note: 'in force from the next boot on',
      },
    })
  }
  return problems
}

const shutdown = defineCheck({
  id: 'shutdown',
  must: 'at a shutdown every app gets the time that it asks for',
  reads: ['user', 'manager', 'claims'],
  judge: ({ user, manager: { stopTimeoutMs }, claims }) => {
    const slowest = [...claims].sort((a, b) => b.stopDeadlineMs - a.stopDeadlineMs)[0]
    const neededMs = slowest === undefined ? 0 : slowest.stopDeadlineMs + SHUTDOWN_MARGIN_MS
    const measured = `user@${user.uid}.service stops within ${seconds(stopTimeoutMs)}, apps need ${seconds(neededMs)}`
    if (slowest === undefined || stopTimeoutMs >= neededMs) return { measured, findings: [] }
    const text = `[Service]\nTimeoutStopSec=${Math.ceil(neededMs / 1000)}s\n`
    return {
      measured,
      findings: [
        {
          code: 'shutdown.short',
          severity: 'error',
          text: `at a reboot ${slowest.id} would be killed before it has ended: the user's manager is given ${seconds(stopTimeoutMs)}, it needs ${seconds(neededMs)}`,
          evidence: [`TimeoutStopSec of user@${user.uid}.service`],
          fix: {
            by: 'root',
            isSafe: false,
            steps: [
              {
                kind: 'write',
                path: `/etc/systemd/system/user@${user.uid}.service.d/60-archy-stop.conf`,
                text,
              },
              { kind: 'run', argv: ['systemctl', 'daemon-reload'] },
            ],
          },
        },
      ],
    }
  },
})

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${Math.ceil(ms / 1000)} s` : 'no limit'
}

const userNamespaces = defineCheck({
  id: 'namespaces',
  must: 'the kernel lets ordinary users make user namespaces',
  reads: ['kernel'],
  judge: ({ kernel: { userNamespaces: max, restrictsUserNamespaces } }) => ({
    measured: `${max} allowed`,
    findings:
      max > 0 && restrictsUserNamespaces !== true
        ? []
        : [
            {
              code: 'namespaces.off',
              severity: 'error',
              text: 'the kernel refuses user namespaces of ordinary users: no container can start',
              evidence: [
                `user.max_user_namespaces=${max}`,
                ...(restrictsUserNamespaces
                  ? ['kernel.apparmor_restrict_unprivileged_userns=1']
                  : []),
              ],
              fix:
                max > 0
                  ? asRoot(['sysctl', '-w', 'kernel.apparmor_restrict_unprivileged_userns=0'])
                  : asRoot(['sysctl', '-w', 'user.max_user_namespaces=28633']),
            },
          ],
  }),
})

const inotify = defineCheck({
  id: 'inotify',
  must: 'enough inotify instances and watches for the apps',
  reads: ['kernel', 'claims'],
  judge: ({ kernel: { inotifyInstances, inotifyWatches }, claims }) => {
    const needed = INOTIFY_INSTANCES_BASE + INOTIFY_INSTANCES_PER_APP * claims.length
    return {
      measured: `${inotifyInstances} instances, ${inotifyWatches} watches`,
      findings:
        inotifyInstances >= needed && inotifyWatches >= INOTIFY_WATCHES_MIN
          ? []
          : [
              {
                code: 'inotify.low',
                severity: 'warning',
                text: `${claims.length} apps need about ${needed} inotify instances and ${INOTIFY_WATCHES_MIN} watches`,
                evidence: [`${inotifyInstances} instances, ${inotifyWatches} watches`],
                fix: {
                  by: 'root',
                  isSafe: false,
                  steps: [
                    {
                      kind: 'write',
                      path: '/etc/sysctl.d/60-archy-inotify.conf',
                      text: 'fs.inotify.max_user_instances=512\nfs.inotify.max_user_watches=131072\n',
                    },
                    { kind: 'run', argv: ['sysctl', '--system'] },
                  ],
                },
              },
            ],
    }
  },
})

const journal = defineCheck({
  id: 'journal',
  must: 'logs of apps survive a reboot',
  reads: ['kernel'],
  judge: ({ kernel: { hasPersistentJournal } }) => ({
    measured: hasPersistentJournal ? 'kept on disk' : 'in memory',
    findings: hasPersistentJournal
      ? []
      : [
          {
            code: 'journal.volatile',
            severity: 'info',
            text: 'logs are in memory only: after a crash of the machine nobody can say why an app ended',
            evidence: ['no /var/log/journal'],
            fix: asRoot(
              ['mkdir', '-p', '/var/log/journal'],
              ['systemctl', 'restart', 'systemd-journald'],
            ),
          },
        ],
  }),
})

export const LIMIT_CHECKS: readonly Check[] = [cgroups, shutdown, userNamespaces, inotify, journal]
