/** Reads the facts of this machine. Every fact is read by itself: one that cannot be read does not hide the others. */

import { access, constants, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type AppClaim, type Run, readClaims } from '../../orchestrator/index.ts'
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import { pathExists, readFileBounded } from '../core/files.ts'
import type { Folders } from '../folders.ts'
import {
  type Cgroups,
  type Facts,
  type Kernel,
  type PodmanAnswer,
  type Readings,
  Unread,
} from './facts.ts'
import { parseIdMap, parseIdRanges, parseProperties, parseTimeSpan } from './parse.ts'
import { readPlaces } from './read-places.ts'
import { askPodman } from './read-podman.ts'
import { readDaemons, readListeners } from './read-processes.ts'
import { readUnitFacts } from './read-units.ts'

export interface DoctorDeps {
  readonly run: Run
  readonly clock: Clock
  readonly folders: Folders
  readonly user: { readonly name: string; readonly uid: number; readonly home: string }
  /** As the environment has it. */
  readonly runtimeFolder: string | undefined
  readonly builtMs: number
}

const FILE_BYTES_MAX = 4 * 2 ** 20
const COMMAND_TIMEOUT_MS = 10_000
const PROGRAM_FOLDERS = ['/usr/bin', '/usr/local/bin', '/bin', '/usr/sbin', '/sbin'] as const
const CGROUPS = '/sys/fs/cgroup'
const TIME_SERVICES = ['systemd-timesyncd', 'chrony', 'chronyd', 'ntpsec', 'ntpd', 'openntpd']

export async function collectFacts(deps: DoctorDeps): Promise<Readings> {
  const { user, folders } = deps
  const podman = await attempt(() => askPodman(deps.run, deps.clock))
  const graphRoot =
    podman instanceof Unread || podman.kind !== 'answered'
      ? join(user.home, '.local/share/containers/storage')
      : podman.info.storageFolder
  const claims = await attempt(() => readClaims(join(folders.state, 'orchestrator')))
  const readers: { readonly [K in keyof Facts]: () => Promise<Facts[K]> } = {
    user: async () => ({ name: user.name, uid: user.uid }),
    linger: () => pathExists(`/var/lib/systemd/linger/${user.name}`),
    ids: readIds,
    idMap: async () =>
      parseIdMap(await output(deps, 'podman', 'unshare', 'cat', '/proc/self/uid_map')),
    cgroups: () => readCgroups(user.uid),
    manager: () => readManager(deps),
    podman: async () => given(podman),
    podmanInfo: async () => infoOf(given(podman)),
    socket: () => readSocket(deps),
    session: () => readSession(deps),
    kernel: readKernel,
    clock: () => readClock(deps),
    claims: async () => given(claims),
    listeners: async () => readListeners(user.uid, portsOf(given(claims))),
    places: () =>
      readPlaces({
        data: folders.data,
        state: folders.state,
        storage: graphRoot,
      }),
    units: () => readUnitFacts(folders, user),
    daemons: () => readDaemons(user.uid),
  }
  const names = Object.keys(readers) as (keyof Facts)[]
  const entries = await Promise.all(
    names.map(async name => [name, await attempt<unknown>(readers[name])] as const),
  )
  return Object.fromEntries(entries) as unknown as Readings
}

async function attempt<T>(read: () => Promise<T>): Promise<T | Unread> {
  try {
    return await read()
  } catch (error) {
    return new Unread(messageOf(error).replaceAll(/\s*\n\s*/g, '; '))
  }
}

function given<T>(fact: T | Unread): T {
  if (fact instanceof Unread) throw new Error(fact.reason)
  return fact
}

function infoOf(answer: PodmanAnswer): Facts['podmanInfo'] {
  if (answer.kind === 'answered') return answer.info
  throw new Error(answer.reason)
}

function portsOf(claims: readonly AppClaim[]): ReadonlySet<number> {
  return new Set(claims.flatMap(({ ports }) => ports.map(({ host }) => host)))
}

async function output({ run }: DoctorDeps, ...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(argv, { timeoutMs: COMMAND_TIMEOUT_MS })
  if (code === 0) return stdout
  throw new Error(`${argv.join(' ')} ended with ${code}: ${stderr.trim().slice(-300)}`)
}

/** Empty when there is no such file. */
async function text(path: string): Promise<string> {
  const bytes = await readFileBounded(path, FILE_BYTES_MAX)
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8')
}

async function readIds(): Promise<Facts['ids']> {
  return {
    subuid: parseIdRanges(await text('/etc/subuid')),
    subgid: parseIdRanges(await text('/etc/subgid')),
    newuidmap: await programPath('newuidmap'),
    newgidmap: await programPath('newgidmap'),
  }
}

async function programPath(name: string): Promise<string | undefined> {
  for (const folder of PROGRAM_FOLDERS) {
    const path = join(folder, name)
    try {
      await access(path, constants.X_OK)
      return path
    } catch {
      // Not here, or not for us; the next folder may have it.
    }
  }
  return undefined
}

async function readCgroups(uid: number): Promise<Cgroups> {
  const path = join(CGROUPS, 'cgroup.controllers')
  const own = join(CGROUPS, `user.slice/user-${uid}.slice/user@${uid}.service`)
  return {
    isVersion2: await pathExists(path),
    machine: await words(path),
    user: await words(join(own, 'cgroup.controllers')),
  }
}

/** A file of the kernel: no size to go by, so it is read as it is. */
async function words(path: string): Promise<readonly string[]> {
  if (!(await pathExists(path))) return []
  return (await readFile(path, 'utf8')).split(/\s+/).filter(word => word !== '')
}

async function readManager(deps: DoctorDeps): Promise<Facts['manager']> {
  const properties = parseProperties(
    await output(
      deps,
      ...['systemctl', 'show', `user@${deps.user.uid}.service`],
      ...['--property=TimeoutStopUSec', '--property=DelegateControllers'],
    ),
  )
  const stopTimeoutMs = parseTimeSpan(properties.get('TimeoutStopUSec') ?? '')
  if (stopTimeoutMs === undefined) throw new Error('systemctl show gave no TimeoutStopUSec')
  const delegated = (properties.get('DelegateControllers') ?? '').split(' ')
  return { stopTimeoutMs, delegated: delegated.filter(word => word !== '') }
}

async function readSocket(deps: DoctorDeps): Promise<Facts['socket']> {
  const shown = await output(
    deps,
    ...['systemctl', '--user', 'show', 'podman.socket'],
    ...['--property=LoadState', '--property=ActiveState'],
  )
  const properties = parseProperties(shown)
  return {
    load: properties.get('LoadState') ?? 'not-found',
    active: properties.get('ActiveState') ?? 'inactive',
  }
}

async function readSession({ run, runtimeFolder }: DoctorDeps): Promise<Facts['session']> {
  const isSet = runtimeFolder !== undefined && (await pathExists(runtimeFolder))
  const { stdout, stderr } = await run(['systemctl', '--user', 'is-system-running'], {
    timeoutMs: COMMAND_TIMEOUT_MS,
  })
  return {
    runtimeFolder,
    runtimeFolderMode: isSet ? (await stat(runtimeFolder)).mode : undefined,
    hasBus: isSet && (await pathExists(join(runtimeFolder, 'bus'))),
    manager: stdout.trim() || stderr.trim() || 'no answer',
  }
}

async function readKernel(): Promise<Kernel> {
  const number = async (name: string): Promise<number> =>
    Number((await readFile(join('/proc/sys', name), 'utf8')).trim())
  const restriction = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns'
  return {
    firstUnprivilegedPort: await number('net/ipv4/ip_unprivileged_port_start'),
    inotifyInstances: await number('fs/inotify/max_user_instances'),
    inotifyWatches: await number('fs/inotify/max_user_watches'),
    userNamespaces: await number('user/max_user_namespaces'),
    restrictsUserNamespaces: (await pathExists(restriction))
      ? (await readFile(restriction, 'utf8')).trim() === '1'
      : undefined,
    hasPersistentJournal: await pathExists('/var/log/journal'),
  }
}

async function readClock(deps: DoctorDeps): Promise<Facts['clock']> {
  const shown = parseProperties(await output(deps, 'timedatectl', 'show'))
  const folder = '/etc/systemd/system'
  const enabled = (await pathExists(folder)) ? await readdir(folder, { recursive: true }) : []
  const wanted = new Set(TIME_SERVICES.map(name => `${name}.service`))
  return {
    nowMs: deps.clock.nowMs(),
    isSynchronized: shown.get('NTPSynchronized') === 'yes',
    hasService:
      shown.get('NTP') === 'yes' ||
      enabled.some(path => wanted.has(path.slice(path.lastIndexOf('/') + 1))),
    catalogMs: await catalogTime(deps.folders.state),
    builtMs: deps.builtMs,
  }
}

/** Only a hint for the clock, so what is not of the expected form counts as none. */
async function catalogTime(stateFolder: string): Promise<number | undefined> {
  const path = join(stateFolder, 'catalog', 'timestamp.json')
  const issued = /"x-issued"\s*:\s*"([^"]{1,40})"/.exec(await text(path))?.[1]
  const ms = issued === undefined ? Number.NaN : Date.parse(issued)
  return Number.isFinite(ms) ? ms : undefined
}
