/** What root must do once for the user who owns the apps, and what takes it back. Pure. */
import { freeRange } from '../../src/doctor/checks/account.ts'
import type { IdRange } from '../../src/doctor/facts.ts'

export interface Wishes {
  readonly user: string
  /** `TimeoutStopSec` of the user's manager: the longest that an app may take to end at a shutdown. */
  readonly stopTimeout: string
  /** The lowest port that ordinary users may listen on; only when it was asked for. */
  readonly lowPort: number | undefined
}

/** What the machine is like now. */
export interface Situation {
  /** Undefined when there is no such user. */
  readonly user: { readonly uid: number; readonly home: string } | undefined
  readonly isLingering: boolean
  readonly subuid: readonly IdRange[]
  readonly subgid: readonly IdRange[]
  /** Text of the files that the plan may write, by path; none for those that are not there. */
  readonly files: ReadonlyMap<string, string>
  readonly firstUnprivilegedPort: number
  readonly isSocketEnabled: boolean
  readonly hasConfig: boolean
  readonly isNodeEnabled: boolean
  /** App data is in the user's home. */
  readonly hasData: boolean
  /** Programs that nothing works without. */
  readonly missingPrograms: readonly string[]
}

/** One thing that was made; the list of them is what an uninstall takes back. */
export type Made =
  | { readonly kind: 'user' }
  | { readonly kind: 'ids'; readonly file: 'subuid' | 'subgid'; readonly range: string }
  | { readonly kind: 'linger' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'sysctl'; readonly key: string; readonly before: number }
  | { readonly kind: 'socket' }
  | { readonly kind: 'node' }

export type Action =
  | { readonly kind: 'add-user' }
  | { readonly kind: 'remove-user' }
  | {
      readonly kind: 'add-ids' | 'remove-ids'
      readonly file: 'subuid' | 'subgid'
      readonly range: string
    }
  | { readonly kind: 'set-linger'; readonly on: boolean }
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'delete'; readonly path: string }
  | {
      readonly kind: 'sysctl'
      readonly key: string
      readonly value: number
      readonly before: number
    }
  | { readonly kind: 'reload' }
  | { readonly kind: 'set-socket' | 'set-node'; readonly on: boolean }

export interface Plan {
  readonly actions: readonly Action[]
  /** Why nothing is done. */
  readonly refusals: readonly string[]
  /** What a person must know or do. */
  readonly hints: readonly string[]
}

const MARKER = '# Made by the installer of archy; its uninstall removes this file.\n'
const ID_COUNT_MIN = 65_536
const PORT_KEY = 'net.ipv4.ip_unprivileged_port_start'
const PORT_FILE = '/etc/sysctl.d/50-archy-ports.conf'

export const dropInPath = (uid: number): string =>
  `/etc/systemd/system/user@${uid}.service.d/50-archy.conf`

/** Every file that an install may write for a user with this id. */
export const managedFiles = (uid: number): readonly string[] => [dropInPath(uid), PORT_FILE]

/** A user that is yet to be made is planned in two rounds: the second knows its id. */
export function planInstall(wishes: Wishes, now: Situation): Plan {
  const refusals = refusalsOf(wishes, now)
  if (refusals.length > 0) return { actions: [], refusals, hints: [] }
  if (now.user === undefined) return { actions: [{ kind: 'add-user' }], refusals, hints: [] }
  const files = filesFor(wishes, now.user.uid)
  const foreign = [...files.keys()].filter(path => !isOurs(now.files.get(path)))
  const writes = [...files]
    .filter(([path, text]) => now.files.get(path) !== text)
    .map(([path, text]): Action => ({ kind: 'write', path, text }))
  const { lowPort } = wishes
  return {
    refusals: foreign.map(path => `${path} is there and was made by somebody else; move it away`),
    actions:
      foreign.length > 0
        ? []
        : [
            ...idActions('subuid', wishes.user, now.user.uid, now.subuid),
            ...idActions('subgid', wishes.user, now.user.uid, now.subgid),
            ...writes,
            ...(writes.some(each => each.kind === 'write' && each.path !== PORT_FILE)
              ? ([{ kind: 'reload' }] as const)
              : []),
            ...portActions(lowPort, now.firstUnprivilegedPort),
            ...(now.isLingering ? [] : ([{ kind: 'set-linger', on: true }] as const)),
            ...(now.isSocketEnabled ? [] : ([{ kind: 'set-socket', on: true }] as const)),
            ...(now.hasConfig && !now.isNodeEnabled
              ? ([{ kind: 'set-node', on: true }] as const)
              : []),
          ],
    hints: now.hasConfig
      ? []
      : [
          `as ${wishes.user}: archy node init --origin URL --root 1.root.json, then archy node install`,
        ],
  }
}

function refusalsOf({ user, lowPort, stopTimeout }: Wishes, now: Situation): readonly string[] {
  const refusals = now.missingPrograms.map(
    program =>
      `${program} is missing; as root: apt-get install --yes ${PACKAGE_OF[program] ?? program}`,
  )
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) refusals.push(`"${user}" is no name for a user`)
  if (now.user?.uid === 0) refusals.push('the apps cannot belong to root; name an ordinary user')
  if (!/^\d{1,6}(s|min|h)$/.test(stopTimeout)) {
    refusals.push(`"${stopTimeout}" is no time; write it like 20min`)
  }
  if (lowPort !== undefined && !(Number.isInteger(lowPort) && lowPort >= 1 && lowPort < 1024)) {
    refusals.push(`${lowPort} is no low port; they are 1 to 1023`)
  }
  return refusals
}

/** Program → the Debian package that has it. */
export const PACKAGE_OF: Readonly<Record<string, string>> = {
  podman: 'podman',
  newuidmap: 'uidmap',
  pasta: 'passt',
  'dbus-daemon': 'dbus-user-session',
}

function filesFor({ stopTimeout, lowPort }: Wishes, uid: number): ReadonlyMap<string, string> {
  const lines = ['[Service]', 'Delegate=cpu cpuset io memory pids', `TimeoutStopSec=${stopTimeout}`]
  const files = new Map([[dropInPath(uid), `${MARKER}${lines.join('\n')}\n`]])
  if (lowPort !== undefined) files.set(PORT_FILE, `${MARKER}${PORT_KEY}=${lowPort}\n`)
  return files
}

function isOurs(text: string | undefined): boolean {
  return text === undefined || text.startsWith(MARKER)
}

function idActions(
  file: 'subuid' | 'subgid',
  user: string,
  uid: number,
  all: readonly IdRange[],
): readonly Action[] {
  const own = all.filter(({ owner }) => owner === user || owner === String(uid))
  const count = own.reduce((sum, range) => sum + range.count, 0)
  return count >= ID_COUNT_MIN ? [] : [{ kind: 'add-ids', file, range: freeRange(all) }]
}

function portActions(wanted: number | undefined, before: number): readonly Action[] {
  if (wanted === undefined || before <= wanted) return []
  return [{ kind: 'sysctl', key: PORT_KEY, value: wanted, before }]
}

/** What an action leaves behind that an uninstall must know of. */
export function madeBy(action: Action): Made | undefined {
  switch (action.kind) {
    case 'add-user':
      return { kind: 'user' }
    case 'add-ids':
      return { kind: 'ids', file: action.file, range: action.range }
    case 'write':
      return { kind: 'file', path: action.path }
    case 'sysctl':
      return { kind: 'sysctl', key: action.key, before: action.before }
    case 'set-linger':
      return { kind: 'linger' }
    case 'set-socket':
      return { kind: 'socket' }
    case 'set-node':
      return { kind: 'node' }
    case 'remove-user':
    case 'remove-ids':
    case 'delete':
    case 'reload':
      return undefined
  }
}

/** Only what the list names, last things first. What is gone already, or is not ours any more, is left alone. */
export function planUninstall(user: string, made: readonly Made[], now: Situation): Plan {
  const doesRemoveUser = made.some(({ kind }) => kind === 'user') && !now.hasData
  const actions = [...made].reverse().flatMap(each => undo(each, now, doesRemoveUser))
  const hasFile = actions.some(({ kind }) => kind === 'delete')
  const keptUser = made.some(({ kind }) => kind === 'user') && !doesRemoveUser
  return {
    actions: hasFile ? [...actions, { kind: 'reload' }] : actions,
    refusals: [],
    hints: keptUser
      ? [
          `the user ${user} stays, because data of apps is in its home; userdel --remove ${user} deletes both`,
        ]
      : [],
  }
}

function undo(made: Made, now: Situation, doesRemoveUser: boolean): readonly Action[] {
  switch (made.kind) {
    case 'user':
      return doesRemoveUser && now.user !== undefined ? [{ kind: 'remove-user' }] : []
    case 'ids': {
      const isThere = now[made.file].some(({ start }) => made.range.startsWith(`${start}-`))
      return isThere ? [{ kind: 'remove-ids', file: made.file, range: made.range }] : []
    }
    case 'linger':
      return now.isLingering ? [{ kind: 'set-linger', on: false }] : []
    case 'file': {
      const text = now.files.get(made.path)
      return text?.startsWith(MARKER) ? [{ kind: 'delete', path: made.path }] : []
    }
    case 'sysctl':
      return [
        { kind: 'sysctl', key: made.key, value: made.before, before: now.firstUnprivilegedPort },
      ]
    case 'socket':
      return now.isSocketEnabled ? [{ kind: 'set-socket', on: false }] : []
    case 'node':
      return now.isNodeEnabled ? [{ kind: 'set-node', on: false }] : []
  }
}

export function actionText(action: Action, user: string): string {
  switch (action.kind) {
    case 'add-user':
      return `add the user ${user}`
    case 'remove-user':
      return `remove the user ${user} with its home, which holds no data of apps`
    case 'add-ids':
      return `give ${user} the ids ${action.range} in /etc/${action.file}`
    case 'remove-ids':
      return `take the ids ${action.range} in /etc/${action.file} from ${user}`
    case 'set-linger':
      return action.on
        ? `let ${user} linger: its units start at boot`
        : `end the lingering of ${user}: its units end with its last login`
    case 'write':
      return `write ${action.path}:\n${action.text.replace(/^/gm, '    ').trimEnd()}`
    case 'delete':
      return `delete ${action.path}`
    case 'sysctl':
      return `set ${action.key} to ${action.value} (was ${action.before})`
    case 'reload':
      return 'have systemd read its files again'
    case 'set-socket':
      return `${action.on ? 'switch on' : 'switch off'} podman.socket of ${user}`
    case 'set-node':
      return `${action.on ? 'install and start' : 'stop and remove'} archy.service of ${user}; apps stay as they are`
  }
}
