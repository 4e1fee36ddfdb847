/** The lab as a test or a demo uses it, from inside `lab run`. */
import { join } from 'node:path'
import { type CommandResult, commandFailed } from './command.ts'
import { askLab, type NodeStatus, type Request, type Status } from './control.ts'
import { type ExecOptions, execInNode } from './enter.ts'
import { LabError } from './errors.ts'
import { cgroupRoot, labCgroup, runFolder } from './paths.ts'
import { NODE_DISK_BYTES } from './start.ts'

/** How a program finds the lab that it runs in. */
export const LAB_ID_VARIABLE = 'LAB_ID'

/** Enough to see why a unit failed. */
const JOURNAL_LINES = 200

export interface LabNode {
  readonly name: string
  readonly ip: string
  /** Runs a program in the node, as the owner of the apps unless told; its status is the caller's business. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<CommandResult>
  /**
   * Runs a program, or a bash script given as text, which must succeed; returns its output without blank space around it.
   * @throws LabError `LAB_COMMAND_FAILED`
   */
  ok(command: string | readonly string[], options?: ExecOptions): Promise<string>
  /** Writes a file, relative to the user's home; makes missing folders. Not synced to disk. */
  write(path: string, content: string | Uint8Array, options?: ExecOptions): Promise<void>
  /** The last lines of a unit: the user's, or with `user: 'root'` the system's. */
  journal(unit: string, options?: ExecOptions): Promise<string>
  status(): Promise<NodeStatus>
  /** These four return when the node is ready, or off. */
  reboot(): Promise<void>
  powerCut(): Promise<void>
  boot(): Promise<void>
  off(): Promise<void>
}

export interface Lab {
  readonly id: string
  /** A folder of this machine that all nodes see as /lab; everybody may write. */
  readonly share: string
  /** @throws LabError `LAB_NODE_UNKNOWN` */
  node(name: string): LabNode
  /** The IPv4 address of a node or of a bare host. @throws LabError `LAB_NODE_UNKNOWN` */
  ip(name: string): string
  /** Makes a node and boots it. A small disk is for tests of a full one. */
  add(name: string, options?: { readonly diskBytes?: number }): Promise<LabNode>
  /** Drops all that a and b send to each other. */
  partition(a: string, b: string): Promise<void>
  /** Ends all partitions and brings all links up. */
  heal(): Promise<void>
  /** Takes the carrier of a node's network card away, or gives it back. */
  link(name: string, isUp: boolean): Promise<void>
  /** Limits a node's network card in both directions; without a rate, ends the limit. */
  shape(name: string, limit: { readonly rateBitsPerSecond?: number }): Promise<void>
}

/**
 * Attaches to the lab that this process runs in.
 * @throws LabError `LAB_NOT_RUNNING` outside of `lab run`.
 */
export async function attachLab(labId: string = process.env[LAB_ID_VARIABLE] ?? ''): Promise<Lab> {
  if (labId === '') {
    throw new LabError(
      'LAB_NOT_RUNNING',
      `${LAB_ID_VARIABLE} is not set; start this program with: npm run lab -- run n1 n2 origin -- PROGRAM`,
    )
  }
  const control = join(runFolder(labId), 'control')
  const cgroup = labCgroup(await cgroupRoot(), labId)
  const nodes = new Map<string, LabNode>()
  let status: Status

  async function ask(request: Request): Promise<Status> {
    status = await askLab(control, request)
    return status
  }

  async function nodeStatus(name: string): Promise<NodeStatus> {
    const { [name]: found } = (await ask({ verb: 'status' })).nodes
    if (found === undefined) throw unknownNode(name, status)
    return found
  }

  function node(name: string): LabNode {
    const found = status.nodes[name]
    if (found === undefined) throw unknownNode(name, status)
    const known = nodes.get(name)
    if (known !== undefined) return known
    const made = createNode(name, found.ip, cgroup, ask, () => nodeStatus(name))
    nodes.set(name, made)
    return made
  }

  status = await ask({ verb: 'status' })
  return {
    id: labId,
    share: join(runFolder(labId), 'share'),
    node,
    ip(name) {
      const found = status.nodes[name] ?? status.hosts[name]
      if (found === undefined) throw unknownNode(name, status)
      return found.ip
    },
    async add(name, options = {}) {
      await ask({ verb: 'addNode', name, diskBytes: options.diskBytes ?? NODE_DISK_BYTES })
      await ask({ verb: 'boot', name })
      return node(name)
    },
    partition: async (a, b) => void (await ask({ verb: 'partition', a, b })),
    heal: async () => void (await ask({ verb: 'heal' })),
    link: async (name, isUp) => void (await ask({ verb: 'link', name, isUp })),
    shape: async (name, limit) => void (await ask({ verb: 'shape', name, ...limit })),
  }
}

function createNode(
  name: string,
  ip: string,
  labGroup: string,
  ask: (request: Request) => Promise<Status>,
  status: () => Promise<NodeStatus>,
): LabNode {
  async function exec(argv: readonly string[], options?: ExecOptions): Promise<CommandResult> {
    return execInNode(join(labGroup, (await status()).cgroup), argv, options)
  }

  async function ok(command: string | readonly string[], options?: ExecOptions): Promise<string> {
    const argv = typeof command === 'string' ? ['bash', '-euo', 'pipefail', '-c', command] : command
    const result = await exec(argv, options)
    if (result.code !== 0) throw commandFailed([`${name}:`, ...argv], result)
    return result.stdout.trim()
  }

  return {
    name,
    ip,
    exec,
    ok,
    status,
    async write(path, content, options) {
      const script = 'mkdir -p "$(dirname "$1")" && cat > "$1"'
      await ok(['bash', '-euc', script, 'write', path], { ...options, input: content })
    },
    journal(unit, options) {
      const scope = options?.user === 'root' ? [] : ['--user']
      const format = ['--no-pager', '-o', 'cat', '-n', String(JOURNAL_LINES), '-u', unit]
      return ok(['journalctl', ...scope, ...format], options)
    },
    reboot: async () => void (await ask({ verb: 'reboot', name })),
    powerCut: async () => void (await ask({ verb: 'powerCut', name })),
    boot: async () => void (await ask({ verb: 'boot', name })),
    off: async () => void (await ask({ verb: 'off', name })),
  }
}

function unknownNode(name: string, status: Status): LabError {
  const names = [...Object.keys(status.nodes), ...Object.keys(status.hosts)].join(', ')
  return new LabError('LAB_NODE_UNKNOWN', `no "${name}" in the lab; there are ${names}`)
}
