/** One node as a machine: its disk, its power switch, its boots. Runs inside the lab's own namespaces. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOk } from './command.ts'
import type { NodeStatus } from './control.ts'
import { execInNode, findLeader } from './enter.ts'
import { LabError } from './errors.ts'
import { addressV4, GATEWAY_V4, type Network } from './network.ts'
import { loopFiles, removeCgroup } from './remains.ts'
import { until } from './wait.ts'

export interface Machine {
  status(): NodeStatus
  /** Switches it on and returns when its system and its user manager are up. */
  boot(): Promise<void>
  off(): Promise<void>
  reboot(): Promise<void>
  /** Everything stops at once; what was not synced to disk is lost. */
  powerCut(): Promise<void>
}

export interface MachineFolders {
  /** The shared base, read-only. */
  readonly base: string
  /** This node's own: disk image, console, mount points. */
  readonly own: string
  /** What all nodes see as /lab, writable. */
  readonly share: string
}

interface Deps {
  readonly network: Network
  readonly folders: MachineFolders
  /** What else nodes see, read-only. */
  readonly binds: readonly Bind[]
  /** The lines of /etc/hosts at this moment. */
  readonly hostLines: () => string
}

export interface Bind {
  readonly from: string
  readonly to: string
}

/** nspawn's exit status when the system inside asked for a reboot. */
const EXIT_REBOOT = 133
/** Measured 1 s; up to 6 s with apps. A machine that is busy with other tests needs more. */
const BOOT_TIMEOUT_MS = 120_000
const OFF_TIMEOUT_MS = 120_000
/** A frozen cgroup or a free loop device: milliseconds, unless the machine is very busy. */
const KERNEL_TIMEOUT_MS = 20_000
/** `_IOR('X', 125, __u32)` and its "throw away the journal too", from the kernel's ext4.h. */
const EXT4_SHUTDOWN =
  'my $flags = pack("I", 2); open(my $d, "<", $ARGV[0]) or die $!; ioctl($d, 0x8004587d, $flags) or die $!'
const CGROUPS = '/sys/fs/cgroup'

/**
 * One boot, in a mount namespace of its own: nspawn keeps the mounts it was started with pinned, and a node booted beside
 * another one would else hold that one's disk. Podman's storage must not lie on overlayfs, so /home and /var/lib/containers
 * are binds from the disk.
 */
const BOOT = `
echo $$ > "$CGROUP/cgroup.procs"
mount -o loop,noatime "$OWN/disk.img" "$OWN/disk"
mkdir -p "$OWN/disk/upper" "$OWN/disk/work" "$OWN/disk/containers"
mount -t overlay -o "lowerdir=$BASE,upperdir=$OWN/disk/upper,workdir=$OWN/disk/work" "lab-$NAME" "$OWN/root"
[ -d "$OWN/disk/home" ] || cp -a "$OWN/root/home" "$OWN/disk/home"
cp "$OWN/hosts" "$OWN/root/etc/hosts"
[ -e "$OWN/root/etc/resolv.conf" ] || echo "nameserver $GATEWAY" > "$OWN/root/etc/resolv.conf"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_NSPAWN_API_VFS_WRITABLE=network systemd-nspawn "$@"
`

export async function createMachine(
  deps: Deps,
  name: string,
  index: number,
  diskBytes: number,
): Promise<Machine> {
  const { network, folders } = deps
  const { own } = folders
  const disk = join(own, 'disk.img')
  const consolePath = join(own, 'console.log')
  const uuid = randomBytes(16).toString('hex')
  let state: NodeStatus['state'] = 'off'
  let boot = 0
  let session: Promise<void> = Promise.resolve()

  await mkdir(join(own, 'disk'), { recursive: true })
  await mkdir(join(own, 'root'))
  await writeFile(disk, '')
  await truncate(disk, diskBytes)
  const lazy = 'lazy_itable_init=1,lazy_journal_init=1,nodiscard'
  await runOk(['mkfs.ext4', '-q', '-F', '-m', '0', '-E', lazy, disk])

  /** A new name per boot: the kernel kills whatever is cloned into a cgroup that was once killed. */
  function cgroup(): string {
    return join(CGROUPS, `${name}.${boot}`)
  }

  async function bootOnce(): Promise<number | undefined> {
    const code = await spawnBoot()
    // A killed nspawn leaves its container running.
    await removeCgroup(cgroup())
    await until(`the disk of ${name} is free`, KERNEL_TIMEOUT_MS, async () => {
      return !(await loopFiles()).includes(disk)
    })
    return code
  }

  async function spawnBoot(): Promise<number | undefined> {
    await mkdir(cgroup())
    await writeFile(join(own, 'hosts'), deps.hostLines())
    await using log = await open(consolePath, 'a')
    const child = spawn(
      'unshare',
      [
        ...['--mount', '--propagation', 'slave', 'sh', '-euc', BOOT, 'boot'],
        ...nspawnOptions(name, uuid, folders, deps.binds),
      ],
      {
        stdio: ['ignore', log.fd, log.fd],
        env: {
          PATH: process.env.PATH,
          CGROUP: cgroup(),
          OWN: own,
          BASE: folders.base,
          NAME: name,
          GATEWAY: GATEWAY_V4,
        },
      },
    )
    const [code] = await once(child, 'exit')
    return typeof code === 'number' ? code : undefined
  }

  /** Boots again as long as the system inside asks for it. */
  async function run(): Promise<void> {
    try {
      let code: number | undefined
      do {
        boot++
        await network.attach(name, index)
        code = await bootOnce()
      } while (code === EXIT_REBOOT)
      state = code === 0 ? 'off' : 'failed'
    } catch (error) {
      state = 'failed'
      await writeFile(consolePath, `lab: ${String(error)}\n`, { flag: 'a' })
    }
  }

  async function waitUntilReady(): Promise<void> {
    await until(`node ${name} boots`, BOOT_TIMEOUT_MS, async () => {
      if (state !== 'on') return true
      if ((await findLeader(cgroup())) === undefined) return false
      return (await isSystemUp(cgroup(), false)) && (await isSystemUp(cgroup(), true))
    })
    if (state === 'on') return
    const text = await readFile(consolePath, 'utf8')
    const tail = text.trim().split('\n').slice(-10).join('\n')
    throw new LabError('LAB_BOOT_FAILED', `node ${name} is ${state} instead of up\n${tail}`)
  }

  function mustBeOn(): void {
    if (state !== 'on')
      throw new LabError('LAB_NODE_OFF', `node ${name} is ${state}; boot it first`)
  }

  async function systemctl(verb: string): Promise<void> {
    mustBeOn()
    // Its status says nothing: the node may be gone before it can answer.
    await execInNode(cgroup(), ['systemctl', verb], { user: 'root' })
  }

  return {
    status: () => ({
      ip: addressV4(index),
      state,
      boot,
      cgroup: `${name}.${boot}`,
      console: consolePath,
    }),
    async boot() {
      if (state === 'on') throw new LabError('LAB_USAGE', `node ${name} is on already`)
      await session
      state = 'on'
      session = run()
      await waitUntilReady()
    },
    async off() {
      await systemctl('poweroff')
      await until(`node ${name} powers off`, OFF_TIMEOUT_MS, async () => state !== 'on')
    },
    async reboot() {
      const before = boot
      await systemctl('reboot')
      await until(`node ${name} reboots`, OFF_TIMEOUT_MS, async () => {
        return state !== 'on' || boot !== before
      })
      await waitUntilReady()
    },
    async powerCut() {
      mustBeOn()
      const dying = cgroup()
      // Off the wire first: peers see silence, as from a machine without power, and no FIN or RST.
      await network.link(name, false)
      await writeFile(join(dying, 'cgroup.freeze'), '1')
      await until(`node ${name} stands still`, KERNEL_TIMEOUT_MS, async () =>
        /^frozen 1$/m.test(await readFile(join(dying, 'cgroup.events'), 'utf8')),
      )
      try {
        const mounter = await firstProcess(dying)
        await runOk([
          'nsenter',
          '-t',
          mounter,
          '-m',
          'perl',
          '-e',
          EXT4_SHUTDOWN,
          join(own, 'disk'),
        ])
      } finally {
        await writeFile(join(dying, 'cgroup.kill'), '1')
        await writeFile(join(dying, 'cgroup.freeze'), '0').catch(() => {
          // The cgroup is gone already, and with it the frost.
        })
      }
      await session
      state = 'off'
    },
  }
}

function nspawnOptions(
  name: string,
  uuid: string,
  { own, share }: MachineFolders,
  binds: readonly Bind[],
): readonly string[] {
  return [
    ...['--quiet', '--keep-unit', '--register=no', '--boot', '--console=pipe'],
    ...[`--directory=${own}/root`, `--machine=${name}`, `--hostname=${name}`, `--uuid=${uuid}`],
    ...[`--network-namespace-path=/run/netns/${name}`, '--resolv-conf=off', '--timezone=off'],
    ...['--link-journal=no', '--capability=CAP_NET_ADMIN'],
    ...['--drop-capability=CAP_MKNOD,CAP_AUDIT_CONTROL', '--system-call-filter=@keyring bpf'],
    // The lab's own device nodes: a chmod in a node would reach those of the host.
    ...['--bind=/run/lab/dev/tun:/dev/net/tun', '--bind=/run/lab/dev/fuse:/dev/fuse'],
    ...[`--bind=${own}/disk/home:/home`, `--bind=${own}/disk/containers:/var/lib/containers`],
    `--bind=${share}:/lab`,
    ...binds.map(({ from, to }) => `--bind-ro=${from}:${to}`),
  ]
}

/** Asks systemd, the system's or the user's, and waits while it is still starting. */
async function isSystemUp(cgroup: string, ofUser: boolean): Promise<boolean> {
  const argv = ['systemctl', ...(ofUser ? ['--user'] : []), 'is-system-running', '--wait']
  const user = ofUser ? 'archy' : 'root'
  const { stdout } = await execInNode(cgroup, argv, { user, timeoutMs: BOOT_TIMEOUT_MS })
  return /^(running|degraded)$/.test(stdout.trim())
}

/** nspawn itself, which has the node's disk mounted. */
async function firstProcess(cgroup: string): Promise<string> {
  for (const folder of ['supervisor', '.']) {
    const text = await readFile(join(cgroup, folder, 'cgroup.procs'), 'utf8').catch(() => '')
    const pid = text.split('\n')[0]
    if (pid !== undefined && pid !== '') return pid
  }
  throw new LabError('LAB_NODE_OFF', `no nspawn in ${cgroup}; it has ${await readdir(cgroup)}`)
}
