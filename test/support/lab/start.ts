/** Starts a lab that lives as long as this process, however it ends. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buildBase } from './base.ts'
import { askLab, checkSocketPath, type Status } from './control.ts'
import { findInit, joinCgroupArgv } from './enter.ts'
import { LabError } from './errors.ts'
import { GATEWAY_V4, NETWORK_V6 } from './network.ts'
import { cgroupRoot, labCgroup, PROJECT_FOLDER, runFolder } from './paths.ts'
import { deadLabs, describeSelf, ownerPath, removeLab } from './remains.ts'
import { until } from './wait.ts'

/** Sparse: an empty node takes 5 MB. */
export const NODE_DISK_BYTES = 8 * 1024 ** 3

/** Measured 0.3 s. */
const START_TIMEOUT_MS = 30_000

export interface RunningLab {
  readonly id: string
  /** The path of the socket that `askLab` wants. */
  readonly control: string
  /** The command line that runs `argv` on the network of a bare host, in the lab's care. */
  onHost(host: string, argv: readonly string[]): Promise<readonly string[]>
  /** Resolves when the lab has ended, wanted or not. */
  readonly ended: Promise<unknown>
  close(): Promise<void>
}

/** Everything that has to be there before the supervisor: pid 1 of the lab stays this shell, which reaps orphans. */
const PREPARE = `
mount -t tmpfs -o mode=755 tmpfs /run
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/lab/dev /run/lab/base /run/netns
mknod -m 666 /run/lab/dev/tun c 10 200
mknod -m 666 /run/lab/dev/fuse c 10 229
mount --bind "$BASE" /run/lab/base
mount -o remount,bind,ro /run/lab/base
ip link set lo up
ip link add br0 type bridge stp_state 0 forward_delay 0
ip addr add "$V4/24" dev br0
ip -6 addr add "$V6::1/64" dev br0 nodad
ip link set br0 up
nft -f - <<'RULES'
table bridge lab {
  set cut { type ifname . ifname; }
  chain cuts { type filter hook forward priority 0; policy accept;
    iifname . oifname @cut drop
  }
}
RULES
"$@" &
wait $!
`

/**
 * Starts a lab with no nodes. Three things end it: `close`, the death of its supervisor, the death of this process; a
 * reaper outside then removes what is left, also after SIGKILL.
 * @throws LabError
 */
export async function startLab(onProgress: (line: string) => void): Promise<RunningLab> {
  for (const dead of await deadLabs()) await removeLab(dead)
  const base = await buildBase(onProgress)
  const id = `lab${randomBytes(4).toString('hex')}`
  const folder = runFolder(id)
  const control = checkSocketPath(join(folder, 'control'))
  const cgroup = labCgroup(await cgroupRoot(), id)
  await mkdir(join(folder, 'share'), { recursive: true, mode: 0o755 })
  await chmod(join(folder, 'share'), 0o1777)
  await writeFile(ownerPath(id), await describeSelf())
  const reaper = startReaper(id)
  await mkdir(join(cgroup, 'cmd'), { recursive: true })
  await using log = await open(join(folder, 'supervisor.log'), 'a')
  const child = spawnSupervisor(folder, cgroup, base.folder, log.fd)
  const ended = once(child, 'exit')
  const lab: RunningLab = {
    id,
    control,
    ended,
    async onHost(host, argv) {
      const init = await findInit(cgroup)
      if (init === undefined) throw new LabError('LAB_NOT_RUNNING', `the lab ${id} has ended`)
      const enter = ['nsenter', `--net=/proc/${init}/root/run/netns/${host}`]
      const dying = ['setpriv', '--pdeathsig', 'KILL']
      return joinCgroupArgv(join(cgroup, 'cmd'), [...enter, '--', ...dying, ...argv])
    },
    async close() {
      await removeLab(id)
      await ended
      const reaped = once(reaper, 'exit')
      reaper.stdin.end()
      await reaped
    },
  }
  try {
    await until('the lab answers', START_TIMEOUT_MS, async () => {
      if (child.exitCode !== null || child.signalCode !== null) return true
      return askLab(control, { verb: 'status' })
    })
    if (child.exitCode === null && child.signalCode === null) return lab
    const text = await readFile(join(folder, 'supervisor.log'), 'utf8')
    throw new LabError('LAB_COMMAND_FAILED', `the lab did not start\n${text.trim()}`)
  } catch (error) {
    await lab.close()
    throw error
  }
}

/** Adds nodes and bare hosts (names that start with "origin" or "host") and boots the nodes, all at once. */
export async function addAll(lab: RunningLab, names: readonly string[]): Promise<Status> {
  const nodes = names.filter(name => !isHostName(name))
  for (const name of names.filter(isHostName)) await askLab(lab.control, { verb: 'addHost', name })
  for (const name of nodes) {
    await askLab(lab.control, { verb: 'addNode', name, diskBytes: NODE_DISK_BYTES })
  }
  await Promise.all(nodes.map(name => askLab(lab.control, { verb: 'boot', name })))
  return askLab(lab.control, { verb: 'status' })
}

export function isHostName(name: string): boolean {
  return /^(origin|host)/.test(name)
}

/** A shell that does nothing until its input ends, which is when this process does; then it cleans up. */
function startReaper(id: string) {
  const script = 'cat >/dev/null; exec "$@"'
  const reaper = join(import.meta.dirname, 'reaper.ts')
  return spawn('sh', ['-c', script, 'reaper', process.execPath, reaper, id], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
}

function spawnSupervisor(folder: string, cgroup: string, base: string, log: number) {
  const namespaces = ['--cgroup', '--mount', '--net', '--pid', '--uts', '--ipc', '--mount-proc']
  const argv = joinCgroupArgv(cgroup, [
    ...['setpriv', '--pdeathsig', 'KILL'],
    ...['unshare', ...namespaces, '--propagation', 'private', '--fork', '--kill-child=KILL'],
    ...['bash', '-euc', PREPARE, 'lab'],
    ...[process.execPath, join(import.meta.dirname, 'supervisor.ts'), folder, PROJECT_FOLDER],
  ])
  const [program = '', ...args] = argv
  return spawn(program, args, {
    stdio: ['ignore', log, log],
    detached: true,
    env: { ...process.env, BASE: base, V4: GATEWAY_V4, V6: NETWORK_V6 },
  })
}
