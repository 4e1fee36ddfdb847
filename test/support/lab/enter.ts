/** Runs a program inside a node, with the rights of the node and no more. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandOptions, type CommandResult, runCommand } from './command.ts'
import { LabError } from './errors.ts'

export type NodeUser = 'root' | 'archy'

export interface ExecOptions {
  /** `archy`, the owner of the apps, unless told. */
  readonly user?: NodeUser
  readonly input?: string | Uint8Array
  readonly timeoutMs?: number
}

/** Longer than any step of a healthy node takes; shorter than a test waits. */
export const EXEC_TIMEOUT_MS = 30_000

const CAP_SYS_MODULE = 16
const CAP_SYS_TIME = 25
const NODE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * The capabilities that a program in the node must lose, as setpriv wants them. nsenter alone would leave it with all of
 * this machine's: `date -s` in a node would then set the clock of the host.
 * @param bounding the bounding set of the node's own pid 1: `CapBnd` of its status, hexadecimal.
 * @param last the highest capability that the kernel knows.
 * @throws LabError `LAB_NODE_OFF` when pid 1 still holds what no node may hold: it has not dropped its rights yet.
 */
export function lostCapabilities(bounding: string, last: number): string {
  const held = BigInt(`0x${bounding}`)
  const lost = Array.from({ length: last + 1 }, (_, bit) => bit).filter(
    bit => ((held >> BigInt(bit)) & 1n) === 0n,
  )
  if (!lost.includes(CAP_SYS_TIME) || !lost.includes(CAP_SYS_MODULE)) {
    throw new LabError(
      'LAB_NODE_OFF',
      `the node's pid 1 still holds the host's rights: ${bounding}`,
    )
  }
  return lost.map(bit => `-cap_${bit}`).join(',')
}

/** The command line that runs `argv` in the node whose pid 1 is `leader`. */
export function enterArgv(
  leader: number,
  lost: string,
  user: NodeUser,
  argv: readonly string[],
): readonly string[] {
  const home = user === 'root' ? '/root' : `/home/${user}`
  const runtime = '/run/user/1000'
  return [
    ...['nsenter', '-t', String(leader), '-a', '--'],
    ...['setpriv', `--bounding-set=${lost}`, '--inh-caps=-all', '--pdeathsig', 'KILL'],
    ...(user === 'root' ? [] : ['--reuid', user, '--regid', user, '--init-groups']),
    ...['env', '-i', '-C', home, `PATH=${NODE_PATH}`, `HOME=${home}`],
    ...[`USER=${user}`, `LOGNAME=${user}`, 'LANG=C.UTF-8', 'TERM=dumb'],
    ...(user === 'root'
      ? []
      : [`XDG_RUNTIME_DIR=${runtime}`, `DBUS_SESSION_BUS_ADDRESS=unix:path=${runtime}/bus`]),
    ...argv,
  ]
}

/**
 * Runs `argv` in the node whose boot lives in `cgroup`. The program is in the node's cgroup, so a power cut ends it; when
 * its time is over, all that it started ends with it.
 * @throws LabError `LAB_NODE_OFF`
 */
export async function execInNode(
  cgroup: string,
  argv: readonly string[],
  options: ExecOptions & Pick<CommandOptions, 'onLine'> = {},
): Promise<CommandResult> {
  const leader = await findLeader(cgroup)
  if (leader === undefined) {
    throw new LabError('LAB_NODE_OFF', `no node is running in ${cgroup}; boot it first`)
  }
  const own = join(cgroup, 'exec', randomBytes(6).toString('hex'))
  await mkdir(own, { recursive: true })
  const user = options.user ?? 'archy'
  const last = Number(await readFile('/proc/sys/kernel/cap_last_cap', 'utf8'))
  const inside = enterArgv(leader.pid, lostCapabilities(leader.bounding, last), user, argv)
  try {
    return await runCommand(joinCgroupArgv(own, inside), {
      ...options,
      timeoutMs: options.timeoutMs ?? EXEC_TIMEOUT_MS,
      kill: child => {
        child.kill('SIGKILL')
        // Also what it started. Gone already when the node is.
        writeFile(join(own, 'cgroup.kill'), '1').catch(() => {})
      },
    })
  } finally {
    // A program that it left running keeps the cgroup; it goes with the node.
    await rmdir(own).catch(() => {})
  }
}

/** The command line that runs `argv` as a member of `cgroup`. */
export function joinCgroupArgv(cgroup: string, argv: readonly string[]): readonly string[] {
  return ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', cgroup, ...argv]
}

/** Pid 1 of the node of one boot, as this process numbers it, once it is systemd. */
export async function findLeader(
  cgroup: string,
): Promise<{ pid: number; bounding: string } | undefined> {
  for (const folder of ['payload/init.scope', 'payload']) {
    const pid = await findInit(join(cgroup, folder))
    if (pid === undefined) continue
    const status = await readProc(pid, 'status')
    const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1]
    // Before it becomes systemd it is nspawn's own child, which holds more than a node may.
    if (bounding !== undefined && /^Name:\s*systemd$/m.test(status)) return { pid, bounding }
  }
  return undefined
}

/** The process of `cgroup` that is pid 1 of a pid namespace below ours. */
export async function findInit(cgroup: string): Promise<number | undefined> {
  const text = await readFile(join(cgroup, 'cgroup.procs'), 'utf8').catch(() => '')
  for (const pid of text.split('\n').filter(line => line !== '')) {
    const status = await readProc(Number(pid), 'status')
    if (/^NSpid:.*\t1$/m.test(status)) return Number(pid)
  }
  return undefined
}

/** Empty when the process is gone. */
async function readProc(pid: number, name: string): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
}
