/** Says why the lab cannot run on this machine. */
import { access, mkdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from './command.ts'
import { isDebian, missingPrograms, PROGRAMS } from './packages.ts'
import { CGROUP_PREFIX, findCgroupRoot } from './paths.ts'

/** The identity map of a machine's own user namespace; root of any other one is no real root. */
const WHOLE_UID_MAP = '0 0 4294967295'

/**
 * One line that says what is missing and what would help; `undefined` when the lab can run here. Probes by doing: it makes
 * and removes a cgroup, and interfaces in a network namespace of their own.
 */
export async function labMissing(): Promise<string | undefined> {
  const checks = [
    isRealRoot,
    isOnDebian,
    hasPrograms,
    hasCgroup2,
    mayUnshare,
    hasFilesystems,
    hasInterfaces,
  ]
  for (const check of checks) {
    const reason = await check()
    if (reason !== undefined) return reason
  }
  return undefined
}

async function isRealRoot(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `the lab needs Linux; this is ${process.platform}`
  const uid = process.getuid?.()
  if (uid !== 0) return `the lab needs root (mounts, namespaces, systemd-nspawn); the uid is ${uid}`
  const map = await readFile('/proc/self/uid_map', 'utf8')
  if (map.trim().replaceAll(/\s+/g, ' ') === WHOLE_UID_MAP) return undefined
  return 'the lab needs real root; here root is root of a user namespace only (rootless container?)'
}

async function isOnDebian(): Promise<string | undefined> {
  return (await isDebian())
    ? undefined
    : 'the lab needs Debian (debootstrap and its keyring); /etc/os-release names another system'
}

async function hasPrograms(): Promise<string | undefined> {
  const missing = await missingPrograms()
  if (missing.length === 0) return undefined
  const packages = [...new Set(missing.map(program => PROGRAMS[program]))]
  return `the lab needs ${missing.join(', ')}: apt-get install ${packages.join(' ')}`
}

async function hasCgroup2(): Promise<string | undefined> {
  const root = await findCgroupRoot()
  if (root === undefined) return 'the lab needs a mounted cgroup2 hierarchy; /proc/mounts has none'
  const probe = join(root, `${CGROUP_PREFIX}probe-${process.pid}`)
  try {
    await mkdir(probe)
    await rmdir(probe)
    return undefined
  } catch {
    return `the lab needs to make cgroups below ${root}; it is read-only, or that is refused`
  }
}

async function mayUnshare(): Promise<string | undefined> {
  const flags = [
    '--mount',
    '--net',
    '--pid',
    '--cgroup',
    '--uts',
    '--ipc',
    '--fork',
    '--mount-proc',
  ]
  return (await succeeds(['unshare', ...flags, 'true']))
    ? undefined
    : 'the lab needs new namespaces; unshare is refused (container without CAP_SYS_ADMIN?)'
}

async function hasFilesystems(): Promise<string | undefined> {
  const known = await readFile('/proc/filesystems', 'utf8')
  if (!/^nodev\toverlay$/m.test(known) && !(await succeeds(['modprobe', 'overlay']))) {
    return 'the lab needs the overlay filesystem; this kernel has none'
  }
  const loop = await access('/dev/loop-control').then(
    () => true,
    () => false,
  )
  return loop ? undefined : 'the lab needs loop devices; there is no /dev/loop-control'
}

async function hasInterfaces(): Promise<string | undefined> {
  const script =
    'mount -t tmpfs none /run && ip link add lt0 type veth peer name lt1 && ip link add lb0 type bridge && nft list ruleset'
  return (await succeeds(['unshare', '--mount', '--net', 'sh', '-c', script]))
    ? undefined
    : 'the lab needs veth and bridge interfaces and nftables in a new network namespace; that is refused'
}

async function succeeds(argv: readonly string[]): Promise<boolean> {
  try {
    return (await runCommand(argv)).code === 0
  } catch {
    // There is no such program: the same as a refusal here.
    return false
  }
}
