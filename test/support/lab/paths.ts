/** Where the lab keeps things on this machine. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { LabError } from './errors.ts'

/** The project: the folder that nodes see, read-only, as `/opt/archy`. */
export const PROJECT_FOLDER = resolve(import.meta.dirname, '../../..')

/** What may be kept between runs: `${XDG_CACHE_HOME:-~/.cache}/archy-lab`. Deleting it costs only time. */
export function labCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'archy-lab')
}

/** Everything that one running lab has on disk; gone when it ends. */
export function runFolder(labId: string): string {
  return join(runsFolder(), labId)
}

/**
 * One place for all labs of this machine, whatever cache each uses: who sweeps dead labs must see the owner of every lab.
 * On a disk, because it holds the disks of nodes.
 */
export function runsFolder(): string {
  return '/var/tmp/archy-lab-run'
}

/** The cgroup that holds every process of one lab. */
export function labCgroup(cgroupRoot: string, labId: string): string {
  return join(cgroupRoot, `${CGROUP_PREFIX}${labId}`)
}

export const CGROUP_PREFIX = 'archy-lab-'

/** Where the first cgroup v2 hierarchy is mounted; `undefined` when there is none. */
export async function findCgroupRoot(): Promise<string | undefined> {
  const mounts = await readFile('/proc/mounts', 'utf8')
  return mounts
    .split('\n')
    .map(line => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1]
}

/** @throws LabError `LAB_MISSING` */
export async function cgroupRoot(): Promise<string> {
  const root = await findCgroupRoot()
  if (root === undefined) throw new LabError('LAB_MISSING', 'no cgroup2 hierarchy is mounted')
  return root
}
