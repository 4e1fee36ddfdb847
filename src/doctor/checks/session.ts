/** The user's session and its units: bus, manager, Podman's socket, generator, nobody else's hands. Pure. */
import { asOwner, asRoot, type Check, type Diagnosis, defineCheck } from '../check.ts'

const session = defineCheck({
  id: 'session',
  must: 'a session bus and a runtime folder of the user',
  reads: ['user', 'session'],
  judge: ({ user, session: { runtimeFolder, runtimeFolderMode, hasBus, manager } }) => {
    const problems: Diagnosis[] = []
    if (runtimeFolder === undefined || runtimeFolderMode === undefined) {
      problems.push({
        code: 'session.runtime-folder',
        severity: 'error',
        text: 'XDG_RUNTIME_DIR is not set, or there is no such folder: Podman and systemd cannot be reached',
        evidence: [runtimeFolder ?? 'not set'],
        fix: {
          ...asOwner(['export', `XDG_RUNTIME_DIR=/run/user/${user.uid}`]),
          note: 'a login by "su" or "sudo" does not set it: use "machinectl shell" or ssh',
        },
      })
    } else if ((runtimeFolderMode & 0o077) !== 0) {
      problems.push({
        code: 'session.runtime-open',
        severity: 'error',
        text: `others may enter ${runtimeFolder}`,
        evidence: [`mode ${(runtimeFolderMode & 0o777).toString(8)}`],
        fix: { ...asOwner(['chmod', '700', runtimeFolder]), isSafe: true },
      })
    }
    if (!hasBus) {
      problems.push({
        code: 'session.bus',
        severity: 'error',
        text: 'there is no session bus: systemd cannot be asked to start anything',
        evidence: [`no ${runtimeFolder ?? `/run/user/${user.uid}`}/bus`],
        fix: {
          ...asRoot(
            ['apt-get', 'install', '--yes', 'dbus-user-session'],
            ['systemctl', 'restart', `user@${user.uid}.service`],
          ),
          note: 'the restart stops everything of this user; a reboot does as well',
        },
      })
    } else if (!['running', 'degraded', 'starting'].includes(manager)) {
      problems.push({
        code: 'session.manager',
        severity: 'error',
        text: "the user's service manager does not answer as it should",
        evidence: [manager],
        fix: asOwner(['systemctl', '--user', 'is-system-running']),
      })
    }
    return { measured: manager, findings: problems }
  },
})

const socket = defineCheck({
  id: 'socket',
  must: 'the socket of Podman is there for the node',
  reads: ['socket'],
  judge: ({ socket: { load, active } }) => ({
    measured: load === 'loaded' ? active : load,
    findings:
      active === 'active'
        ? []
        : [
            {
              code: load === 'masked' ? 'socket.masked' : 'socket.off',
              severity: 'warning',
              text: 'podman.socket does not listen: the node asks Podman by its slower command line',
              evidence: [`${load}, ${active}`],
              fix: {
                ...asOwner(
                  ...(load === 'masked'
                    ? [['systemctl', '--user', 'unmask', 'podman.socket']]
                    : []),
                  ['systemctl', '--user', 'enable', '--now', 'podman.socket'],
                ),
                isSafe: true,
              },
            },
          ],
  }),
})

const quadlet = defineCheck({
  id: 'quadlet',
  must: 'systemd makes services of Quadlet files',
  reads: ['units'],
  judge: ({ units: { quadlet: program, generator } }) => ({
    measured: generator ?? 'no generator',
    findings:
      program !== undefined && generator !== undefined
        ? []
        : [
            {
              code: 'quadlet.missing',
              severity: 'error',
              text: 'the generator of Quadlet is missing: no unit of an app would exist',
              evidence: [`program: ${program ?? 'none'}`, `generator: ${generator ?? 'none'}`],
              fix: asRoot(['apt-get', 'install', '--reinstall', '--yes', 'podman']),
            },
          ],
  }),
})

const dropIns = defineCheck({
  id: 'drop-ins',
  must: 'nobody else changes the units of apps',
  reads: ['units'],
  judge: ({ units: { foreignDropIns } }) => ({
    measured: foreignDropIns.length === 0 ? 'none' : `${foreignDropIns.length} foreign files`,
    findings: foreignDropIns.map(path => ({
      code: 'drop-ins.foreign',
      severity: 'warning',
      text: 'this file changes units of apps, and the node does not know of it: what runs is not what was checked',
      evidence: [path],
      // Its owner put it there for a reason.
      fix: path.startsWith('/etc/') ? asRoot(['rm', path]) : asOwner(['rm', path]),
    })),
  }),
})

const daemons = defineCheck({
  id: 'daemons',
  must: 'one node at most',
  reads: ['daemons'],
  judge: ({ daemons: running }) => ({
    measured: `${running.length} running`,
    findings:
      running.length <= 1
        ? []
        : [
            {
              code: 'daemons.several',
              severity: 'error',
              text: 'several nodes run as this user, and each undoes what the other does',
              evidence: running.map(({ pid, command }) => `${pid} ${command}`),
              fix: asOwner(
                ...running
                  .filter(({ isService }, index) =>
                    running.some(each => each.isService) ? !isService : index > 0,
                  )
                  .map(({ pid }) => ['kill', String(pid)]),
              ),
            },
          ],
  }),
})

export const SESSION_CHECKS: readonly Check[] = [session, socket, quadlet, dropIns, daemons]
