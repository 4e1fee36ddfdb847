/** Processes of this user: nodes that run, and who listens on which port. */
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { codeOf } from '../core/errors.ts'
import type { Daemon, Listener } from './facts.ts'
import { parseSockets } from './parse.ts'

const PROC = '/proc'
/** The process has just ended, the machine has no such table, or a process of ours hides itself. Anything else is a fact that cannot be read. */
const NOT_THERE = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM']

async function whereThere<T, Absent>(reading: Promise<T>, absent: Absent): Promise<T | Absent> {
  try {
    return await reading
  } catch (error) {
    if (NOT_THERE.includes(codeOf(error) ?? '')) return absent
    throw error
  }
}

export async function readDaemons(uid: number): Promise<readonly Daemon[]> {
  const daemons: Daemon[] = []
  for (const pid of await ownProcesses(uid)) {
    const words = (await read(pid, 'cmdline')).split('\0')
    const main = words.findIndex(word => /(^|\/)(main\.ts|archy)$/.test(word))
    if (main < 0 || words[main + 1] !== 'node' || words[main + 2] !== 'run') continue
    const cgroup = await read(pid, 'cgroup')
    daemons.push({
      pid,
      command: words.filter(word => word !== '').join(' '),
      isService: /\/archy\.service(\/|$)/m.test(cgroup),
    })
  }
  return daemons
}

/** Looks into processes only when somebody listens on one of `ports`. */
export async function readListeners(
  uid: number,
  ports: ReadonlySet<number>,
): Promise<readonly Listener[]> {
  const sockets = (
    await Promise.all(
      (['tcp', 'tcp6', 'udp', 'udp6'] as const).map(async name => {
        const protocol = name.startsWith('tcp') ? 'tcp' : 'udp'
        const text = await whereThere(readFile(join(PROC, 'net', name), 'utf8'), '')
        return parseSockets(text, protocol).map(socket => ({ ...socket, protocol }) as const)
      }),
    )
  )
    .flat()
    .filter(({ port }) => ports.has(port))
  if (sockets.length === 0) return []
  const owners = await socketOwners(uid, new Set(sockets.map(({ inode }) => inode)))
  const listeners = await Promise.all(
    sockets.map(async ({ port, protocol, uid: owner, inode }): Promise<Listener> => {
      const pid = owners.get(inode)
      const process =
        pid === undefined
          ? undefined
          : {
              name: (await read(pid, 'comm')).trim(),
              // The line of version 2; a machine in between has others beside it.
              cgroup: /^0::(.*)$/m.exec(await read(pid, 'cgroup'))?.[1] ?? '',
            }
      return { port, protocol, uid: owner, process }
    }),
  )
  // A program that listens over IPv4 and IPv6 is one.
  const distinct = new Map(
    listeners.map(each => [
      `${each.port}/${each.protocol}/${each.uid}/${each.process?.cgroup}`,
      each,
    ]),
  )
  return [...distinct.values()]
}

async function socketOwners(
  uid: number,
  inodes: ReadonlySet<number>,
): Promise<ReadonlyMap<number, number>> {
  const owners = new Map<number, number>()
  for (const pid of await ownProcesses(uid)) {
    const folder = join(PROC, String(pid), 'fd')
    for (const name of await whereThere(readdir(folder), [])) {
      const target = await whereThere(readlink(join(folder, name)), '')
      const inode = Number(/^socket:\[(\d+)\]$/.exec(target)?.[1])
      if (inodes.has(inode)) owners.set(inode, pid)
    }
  }
  return owners
}

async function ownProcesses(uid: number): Promise<readonly number[]> {
  const pids: number[] = []
  for (const name of await readdir(PROC)) {
    if (!/^\d+$/.test(name)) continue
    const owner = await whereThere(stat(join(PROC, name)), undefined)
    if (owner?.uid === uid) pids.push(Number(basename(name)))
  }
  return pids
}

/** Empty for a process that has just ended. */
async function read(pid: number, file: string): Promise<string> {
  return await whereThere(readFile(join(PROC, String(pid), file), 'utf8'), '')
}
