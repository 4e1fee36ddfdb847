/**
 * The accepted files on disk, named as at the origin. `timestamp.json` is written last and names the rest, so a
 * process that is killed between two writes leaves the set of before, or the new one, and nothing between.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../src/core/errors.ts'
import { readFileBounded, syncFolder, writeFileAtomic } from '../src/core/files.ts'
import type { Log } from '../src/core/log.ts'
import type { DelegatedRoles } from './trust/delegated.ts'
import type { Floors } from './trust/floors.ts'
import { SNAPSHOT_BYTES_MAX } from './trust/limits.ts'
import type { Trusted } from './trust/load.ts'
import type { Store } from './trust/store.ts'

/** By file name, such as `timestamp.json` or `12.snapshot.json`. */
export type CacheFiles = ReadonlyMap<string, Uint8Array>

export type CacheStep =
  | { readonly kind: 'write'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly name: string }

/** Far above one root per week for ten years and one file per delegated publisher of a large origin. */
const FILE_COUNT_MAX = 20_000

export interface MemoryStore extends Store {
  files(): CacheFiles
  addFile(name: string, bytes: Uint8Array): void
}

/** A store in memory that starts with `files`; what it is given later is in `files()`. */
export function createMemoryStore(start: CacheFiles, startFloors: Floors): MemoryStore {
  const files = new Map(start)
  let floors = startFloors
  return {
    get: (role, version) => files.get(fileNameOf(role, version)),
    versions: role => versionsOf(files, role),
    set(role, version, bytes) {
      files.set(fileNameOf(role, version), bytes)
      if (role === 'timestamp') files.set(fileNameOf(role, undefined), bytes)
    },
    getFloors: () => floors,
    setFloors(value) {
      floors = value
    },
    files: () => files,
    addFile: (name, bytes) => void files.set(name, bytes),
  }
}

/** The order in which the disk goes from `before` to `after`. Pure. */
export function planCommit(before: CacheFiles, after: CacheFiles): readonly CacheStep[] {
  const writes = [...after]
    .filter(([name, bytes]) => !isSame(before.get(name), bytes))
    .map(([name, bytes]) => ({ kind: 'write', name, bytes }) as const)
    .sort((a, b) => rankOf(a.name) - rankOf(b.name))
  const removals = [...before.keys()]
    .filter(name => !after.has(name))
    .map(name => ({ kind: 'remove', name }) as const)
  return [...writes, ...removals]
}

/** Timestamps kept to compare histories with peers: more than a year of daily ones, 280 kB. */
export const HISTORY_COUNT_MAX = 400

/** What belongs to the trusted set; every root stays, because the chain is walked again at each start. */
export function filesOf(
  files: CacheFiles,
  { timestamp, snapshot }: Trusted,
  { roles }: DelegatedRoles,
): CacheFiles {
  const wanted = new Set(timestamp === undefined ? [] : ['timestamp.json'])
  if (timestamp !== undefined) wanted.add(fileNameOf('snapshot', timestamp.snapshot.version))
  for (const [role, meta] of snapshot?.meta ?? []) wanted.add(fileNameOf(role, meta.version))
  for (const { name, targets } of roles) wanted.add(fileNameOf(name, targets.version))
  for (const name of historyNames(files).slice(0, HISTORY_COUNT_MAX)) wanted.add(name)
  return new Map([...files].filter(([name]) => isRootFile(name) || wanted.has(name)))
}

/** `<version>.timestamp.json`, newest first. */
export function historyNames(files: CacheFiles): readonly string[] {
  return [...files.keys()]
    .filter(name => /^\d+\.timestamp\.json$/.test(name))
    .sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))
}

/** Every file that can be read; one that cannot is reported, and fetched again by the next refresh. */
export async function readCache(folder: string, log: Log): Promise<CacheFiles> {
  await mkdir(folder, { recursive: true })
  const files = new Map<string, Uint8Array>()
  for (const name of (await readdir(folder)).slice(0, FILE_COUNT_MAX)) {
    // A process that was killed while it wrote leaves its temporary file.
    if (name.endsWith('.tmp')) await rm(join(folder, name), { force: true })
    if (!/^(timestamp|\d+\.[^/]+)\.json$/.test(name)) continue
    try {
      const bytes = await readFileBounded(join(folder, name), SNAPSHOT_BYTES_MAX)
      if (bytes !== undefined) files.set(name, bytes)
    } catch (error) {
      log.warn('stored catalog file not read', { name, error: messageOf(error) })
    }
  }
  return files
}

export async function applySteps(folder: string, steps: readonly CacheStep[]): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'write') await writeFileAtomic(join(folder, step.name), step.bytes)
    else await rm(join(folder, step.name), { force: true })
  }
  if (steps.length > 0) await syncFolder(folder)
}

export function isRootFile(name: string): boolean {
  return /^\d+\.root\.json$/.test(name)
}

function fileNameOf(role: string, version: number | undefined): string {
  return role === 'timestamp' && version === undefined
    ? 'timestamp.json'
    : `${version}.${encodeURIComponent(role)}.json`
}

function versionsOf(files: CacheFiles, role: string): readonly number[] {
  const ending = `.${encodeURIComponent(role)}.json`
  return [...files.keys()]
    .filter(name => name.endsWith(ending) && /^\d+$/.test(name.slice(0, -ending.length)))
    .map(name => Number.parseInt(name, 10))
    .sort((a, b) => b - a)
}

/**
 * What a new root leads to is there before it; new roots from the highest down, so that the chain, which is walked
 * upwards, shows all of them at once; and the timestamp that names the set last.
 */
function rankOf(name: string): number {
  if (name === 'timestamp.json') return Number.MAX_SAFE_INTEGER
  return isRootFile(name) ? Number.MAX_SAFE_INTEGER / 2 - Number.parseInt(name, 10) : 0
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && (a === b || Buffer.compare(a, b) === 0)
}
