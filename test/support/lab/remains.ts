/** Finds and removes all that a lab has on this machine, dead or alive: processes, cgroups, its folder. */
import type { Dirent } from 'node:fs'
import { readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../../src/core/errors.ts'
import { LabError } from './errors.ts'
import { CGROUP_PREFIX, findCgroupRoot, labCgroup, runFolder, runsFolder } from './paths.ts'
import { until } from './wait.ts'

/** Killed processes with gigabytes to give back have been seen to take seconds. */
const REMOVAL_TIMEOUT_MS = 30_000

/** The process that a lab lives for, named so that another one with the same pid is not taken for it. */
export interface Owner {
  readonly pid: number
  readonly startTicks: string
}

/**
 * Ends every process of the lab and removes its cgroups and its folder. Mounts, interfaces and loop devices live in the
 * namespaces of those processes and go with them; the loop devices are waited for. Safe to call twice, and at once.
 * @throws LabError `LAB_TIMEOUT` when something stays.
 */
export async function removeLab(labId: string): Promise<void> {
  const root = await findCgroupRoot()
  const folder = runFolder(labId)
  if (root !== undefined) await removeCgroup(labCgroup(root, labId))
  await until(`loop devices of ${folder}`, REMOVAL_TIMEOUT_MS, async () => {
    return !(await loopFiles()).some(file => file.startsWith(`${folder}/`))
  })
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  if (mounts.includes(` ${folder}/`)) {
    throw new LabError(
      'LAB_COMMAND_FAILED',
      `something is mounted below ${folder}; unmount it first`,
    )
  }
  await rm(folder, { recursive: true, force: true })
}

/** Kills what is in `cgroup` and removes it with all below it. A cgroup that is not there is removed already. */
export async function removeCgroup(cgroup: string): Promise<void> {
  await until(`the removal of ${cgroup}`, REMOVAL_TIMEOUT_MS, async () => {
    try {
      await writeFile(join(cgroup, 'cgroup.kill'), '1')
      for (const path of await cgroupsBelow(cgroup)) await rmdir(path)
      await rmdir(cgroup)
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return !(await isThere(cgroup))
      throw error
    }
  })
}

/** The labs that have anything left here and whose owner is gone. */
export async function deadLabs(): Promise<readonly string[]> {
  const ids = new Set(await readdir(runsFolder()).catch(() => []))
  const root = await findCgroupRoot()
  for (const name of root === undefined ? [] : await readdir(root)) {
    if (name.startsWith(`${CGROUP_PREFIX}lab`)) ids.add(name.slice(CGROUP_PREFIX.length))
  }
  const dead: string[] = []
  for (const id of ids) {
    const text = await readFile(ownerPath(id), 'utf8').catch(() => '')
    if (!(await isAlive(parseOwner(text)))) dead.push(id)
  }
  return dead
}

export function ownerPath(labId: string): string {
  return join(runFolder(labId), 'owner')
}

/** What to write at `ownerPath` for this process. */
export async function describeSelf(): Promise<string> {
  return `${process.pid} ${(await startTicks(process.pid)) ?? ''}\n`
}

function parseOwner(text: string): Owner | undefined {
  const [pid = '', ticks = ''] = text.trim().split(' ')
  return ticks === '' ? undefined : { pid: Number(pid), startTicks: ticks }
}

async function isAlive(owner: Owner | undefined): Promise<boolean> {
  return owner !== undefined && (await startTicks(owner.pid)) === owner.startTicks
}

/** When the process started, in clock ticks since boot; `undefined` when there is no such process. @see proc(5) stat */
async function startTicks(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}

/** The files behind the loop devices in use. */
export async function loopFiles(): Promise<readonly string[]> {
  const devices = (await readdir('/sys/block')).filter(name => name.startsWith('loop'))
  const files = await Promise.all(
    devices.map(name => readFile(`/sys/block/${name}/loop/backing_file`, 'utf8').catch(() => '')),
  )
  return files.map(file => file.trim()).filter(file => file !== '')
}

/** Deepest first, so that each can be removed in turn. */
async function cgroupsBelow(cgroup: string): Promise<readonly string[]> {
  const entries: readonly Dirent[] = await readdir(cgroup, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name))
    .sort((a, b) => b.length - a.length)
}

async function isThere(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  )
}
