/** The node's catalog: keeps the trusted set on disk, refreshes it from a source, and answers what may run. */
import { join } from 'node:path'
import type { Clock } from '../src/core/clock.ts'
import { messageOf } from '../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../src/core/files.ts'
import type { Log } from '../src/core/log.ts'
import {
  applySteps,
  type CacheFiles,
  createMemoryStore,
  filesOf,
  isRootFile,
  planCommit,
  readCache,
} from './cache.ts'
import { type AppList, findApp, listApps, noApps, type Shelf } from './entries.ts'
import type { AppOffer } from './entry.ts'
import { encodeFloors, FLOORS_BYTES_MAX, parseFloors } from './floors-file.ts'
import type { MetadataSource } from './source.ts'
import { type CatalogStatus, statusOf } from './status.ts'
import { type Floors, noFloors } from './trust/floors.ts'
import type { Rules, TargetsModel } from './trust/model.ts'
import { loadTrusted, refreshTrusted, type Trusted } from './trust/refresh.ts'

export interface CatalogDeps {
  readonly source: MetadataSource
  /** A folder of the catalog's own: `cache/` and `floors.json`. */
  readonly folder: string
  /** The embedded root: the one file that is trusted as it is. */
  readonly root: Uint8Array
  readonly clock: Clock
  readonly log: Log
}

export interface CatalogOptions {
  /** How long after its expiry a catalog counts as `stale`; after that it is `expired`. */
  readonly staleGraceMs?: number
}

export interface Catalog {
  /**
   * Asks the source for a newer catalog. Calls run one after another.
   * @throws CatalogError when what the source serves is refused; the catalog stays as it was, except that a new
   * root takes effect at once, so that revoked keys are believed no longer
   */
  refresh(signal?: AbortSignal): Promise<'updated' | 'unchanged'>
  /** Every app in every channel that some role may speak for. */
  offers(): readonly AppOffer[]
  /** @throws CatalogError `APP_UNKNOWN`, with the nearest name */
  find(app: string, channel: string): AppOffer
  status(): CatalogStatus
}

const RULES: Rules = { strict: true }
/** Longer than a holiday without anyone at the origin. */
const STALE_GRACE_MS = 30 * 86_400_000

interface State {
  readonly files: CacheFiles
  readonly floors: Floors
  readonly trusted: Trusted
  readonly apps: AppList
}

/**
 * Opens the catalog in `folder` and believes as much of it as the embedded root proves, whether expired or not:
 * what is installed must stay known. Damaged files are reported and fetched again by the next refresh.
 * @throws CatalogError `ROOT_INVALID`
 */
export async function createCatalog(
  deps: CatalogDeps,
  { staleGraceMs = STALE_GRACE_MS }: CatalogOptions = {},
): Promise<Catalog> {
  const { clock } = deps
  let state = await openState(deps)
  let turn: Promise<unknown> = Promise.resolve()
  async function refreshNow(signal?: AbortSignal): Promise<'updated' | 'unchanged'> {
    signal?.throwIfAborted()
    const before = state.trusted
    state = await refreshState(deps, state, signal, kept => {
      state = kept
    })
    return state.trusted === before ? 'unchanged' : 'updated'
  }
  return {
    refresh(signal) {
      const run = turn.then(() => refreshNow(signal))
      // The caller of that refresh gets its error; the next one only has to wait for it.
      turn = run.catch(() => undefined)
      return run
    },
    offers: () => state.apps.offers,
    find: (app, channel) => findApp(state.apps, app, channel),
    status: () => statusOf(state.trusted, clock.nowMs(), staleGraceMs),
  }
}

async function openState({ folder, root, log }: CatalogDeps): Promise<State> {
  const files = await readCache(cacheFolder(folder), log)
  const floors = await readFloors(folder, log)
  const store = createMemoryStore(files, floors)
  const trusted = loadTrusted(store, root, RULES)
  for (const problem of trusted.problems) log.warn('stored catalog file not used', { problem })
  await saveFloors(folder, floors, store.getFloors())
  return stateOf(files, store.getFloors(), trusted, log)
}

async function refreshState(
  deps: CatalogDeps,
  state: State,
  signal: AbortSignal | undefined,
  keep: (state: State) => void,
): Promise<State> {
  const { source, folder, clock, log } = deps
  const store = createMemoryStore(state.files, state.floors)
  const get = async (name: string, maxBytes: number): Promise<Uint8Array | undefined> => {
    const bytes = await source.get(name, maxBytes, signal)
    signal?.throwIfAborted()
    return bytes
  }
  let trusted: Trusted
  try {
    const trust = { source: { get }, store, nowMs: () => clock.nowMs(), rules: RULES }
    trusted = await refreshTrusted(trust, state.trusted)
  } catch (error) {
    await keepRoots(deps, state, store.files(), store.getFloors(), keep)
    if (signal?.aborted) throw signal.reason
    throw error
  }
  const files = filesOf(store.files(), trusted)
  await commit(folder, state, files, store.getFloors())
  if (trusted === state.trusted) return { ...state, files, floors: store.getFloors() }
  const next = stateOf(files, store.getFloors(), trusted, log)
  log.info('catalog accepted', { ...versionsOf(next), entries: next.apps.offers.length })
  return next
}

/** After a failed refresh: new roots and floors count from now on, everything else is as before. */
async function keepRoots(
  { folder, root, log }: CatalogDeps,
  state: State,
  staged: CacheFiles,
  floors: Floors,
  keep: (state: State) => void,
): Promise<void> {
  const roots = [...staged].filter(([name]) => isRootFile(name))
  const files = new Map([...state.files, ...roots])
  try {
    await commit(folder, state, files, floors)
  } catch (error) {
    return log.warn('catalog progress could not be saved', { error: messageOf(error) })
  }
  if (planCommit(state.files, files).length === 0) return keep({ ...state, floors })
  const store = createMemoryStore(files, floors)
  const trusted = loadTrusted(store, root, RULES)
  keep(stateOf(files, store.getFloors(), trusted, log))
}

/** Floors first: should the process die here, it knows too much rather than too little. */
async function commit(
  folder: string,
  before: State,
  files: CacheFiles,
  floors: Floors,
): Promise<void> {
  await saveFloors(folder, before.floors, floors)
  await applySteps(cacheFolder(folder), planCommit(before.files, files))
}

async function saveFloors(folder: string, before: Floors, floors: Floors): Promise<void> {
  const bytes = encodeFloors(floors)
  if (Buffer.compare(bytes, encodeFloors(before)) === 0) return
  await writeFileAtomic(floorsPath(folder), bytes)
}

function stateOf(files: CacheFiles, floors: Floors, trusted: Trusted, log: Log): State {
  const { targets } = trusted
  const apps = targets === undefined ? noApps : listApps([topShelf(targets)])
  for (const [path, why] of apps.refused) log.warn('catalog entry not used', { path, why })
  return { files, floors, trusted, apps }
}

function topShelf(targets: TargetsModel): Shelf {
  const standing = 'current' as const
  return { role: 'targets', tier: 'core', did: undefined, standing, targets, speaksFor: () => true }
}

async function readFloors(folder: string, log: Log): Promise<Floors> {
  const path = floorsPath(folder)
  const bytes = await readFileBounded(path, FLOORS_BYTES_MAX)
  if (bytes === undefined) return noFloors
  const floors = parseFloors(bytes)
  if (floors === undefined) log.error('catalog floors are damaged; starting new ones', { path })
  return floors ?? noFloors
}

function versionsOf({ trusted }: State): Readonly<Record<string, number | undefined>> {
  const { root, timestamp, snapshot, targets } = trusted
  return {
    root: root.version,
    timestamp: timestamp?.version,
    snapshot: snapshot?.version,
    targets: targets?.version,
  }
}

function cacheFolder(folder: string): string {
  return join(folder, 'cache')
}

function floorsPath(folder: string): string {
  return join(folder, 'floors.json')
}
