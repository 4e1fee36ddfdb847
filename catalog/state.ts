/** What the catalog of a node is at one moment, and how it gets onto the disk and from there. */
import { join } from 'node:path'
import { readFileBounded, writeFileAtomic } from '../src/core/files.ts'
import type { Log } from '../src/core/log.ts'
import {
  applySteps,
  type CacheFiles,
  createMemoryStore,
  type MemoryStore,
  planCommit,
  readCache,
} from './cache.ts'
import { type AppList, listApps, noApps } from './entries.ts'
import { encodeFloors, FLOORS_BYTES_MAX, parseFloors } from './floors-file.ts'
import { type History, readHistory } from './history.ts'
import { shelvesOf } from './shelves.ts'
import { type DelegatedRoles, refreshDelegated } from './trust/delegated.ts'
import { type Floors, noFloors } from './trust/floors.ts'
import { loadTrusted, type Trusted } from './trust/load.ts'
import type { Rules } from './trust/model.ts'

export const STRICT: Rules = { strict: true }

export interface State {
  /** Every accepted file, by its name at the origin. */
  readonly files: CacheFiles
  readonly floors: Floors
  readonly trusted: Trusted
  readonly delegated: DelegatedRoles
  readonly history: History
  readonly apps: AppList
}

export interface Disk {
  /** A folder of the catalog's own. */
  readonly folder: string
  /** The embedded root. */
  readonly root: Uint8Array
  readonly log: Log
}

/**
 * Believes as much of the stored files as the embedded root proves, whether expired or not.
 * @throws CatalogError `ROOT_INVALID`
 */
export async function openState(disk: Disk): Promise<State> {
  const { folder, log } = disk
  const files = await readCache(cacheFolder(folder), log)
  const floors = await readFloors(folder, log)
  const state = await loadState(disk, files, floors)
  for (const problem of state.trusted.problems)
    log.warn('stored catalog file not used', { problem })
  await saveFloors(folder, floors, state.floors)
  return state
}

/** The state that `files` prove, without asking anybody. */
export async function loadState(disk: Disk, files: CacheFiles, floors: Floors): Promise<State> {
  const store = createMemoryStore(files, floors)
  const trusted = loadTrusted(store, disk.root, STRICT)
  const nothing = { get: async () => undefined }
  const trust = { source: nothing, store, nowMs: () => 0, rules: STRICT }
  const delegated = await refreshDelegated(trust, trusted)
  return stateOf(files, store, trusted, delegated, disk.log)
}

export function stateOf(
  files: CacheFiles,
  store: MemoryStore,
  trusted: Trusted,
  delegated: DelegatedRoles,
  log: Log,
): State {
  const apps = trusted.targets === undefined ? noApps : listApps(shelvesOf(trusted, delegated))
  for (const [path, why] of apps.refused) log.warn('catalog entry not used', { path, why })
  for (const { role, code, message } of delegated.problems) {
    log.warn('delegated role not current', { role, code, reason: message })
  }
  for (const reason of trusted.targets?.bootstrap.problems ?? []) {
    log.warn('bootstrap address of the catalog not used', { reason })
  }
  const history = readHistory(files)
  return { files, floors: store.getFloors(), trusted, delegated, history, apps }
}

/** Floors first: should the process die here, it knows too much rather than too little. */
export async function commit(
  { folder }: Disk,
  before: Pick<State, 'files' | 'floors'>,
  after: Pick<State, 'files' | 'floors'>,
): Promise<void> {
  await saveFloors(folder, before.floors, after.floors)
  await applySteps(cacheFolder(folder), planCommit(before.files, after.files))
}

async function saveFloors(folder: string, before: Floors, floors: Floors): Promise<void> {
  const bytes = encodeFloors(floors)
  if (Buffer.compare(bytes, encodeFloors(before)) === 0) return
  await writeFileAtomic(floorsPath(folder), bytes)
}

async function readFloors(folder: string, log: Log): Promise<Floors> {
  const path = floorsPath(folder)
  const bytes = await readFileBounded(path, FLOORS_BYTES_MAX)
  if (bytes === undefined) return noFloors
  const floors = parseFloors(bytes)
  if (floors === undefined) log.error('catalog floors are damaged; starting new ones', { path })
  return floors ?? noFloors
}

function cacheFolder(folder: string): string {
  return join(folder, 'cache')
}

function floorsPath(folder: string): string {
  return join(folder, 'floors.json')
}
