/** The TUF client workflow over the two ports: walk the roots, fetch what is newer, keep what was accepted. */
import { messageOf } from '../../src/core/errors.ts'
import { CatalogError } from '../errors.ts'
import {
  acceptNextRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  checkExpiry,
  readTimestamp,
} from './accept.ts'
import {
  type Floors,
  floorsUnder,
  raiseByRole,
  raiseBySnapshot,
  raiseByTimestamp,
} from './floors.ts'
import {
  ROOT_BYTES_MAX,
  ROOT_STEPS_MAX,
  SNAPSHOT_BYTES_MAX,
  TARGETS_BYTES_MAX,
  TIMESTAMP_BYTES_MAX,
} from './limits.ts'
import { loadOne, loadUnder, type Trusted } from './load.ts'
import type {
  MetaModel,
  RoleModel,
  RootModel,
  Rules,
  SnapshotModel,
  TargetsModel,
  TimestampModel,
} from './model.ts'
import type { Source, Store } from './store.ts'

export interface TrustDeps {
  readonly source: Source
  readonly store: Store
  readonly nowMs: () => number
  readonly rules: Rules
  /** Is shown every head that the origin's keys signed, before it is believed; throws to refuse it. */
  readonly onHead?: (timestamp: TimestampModel, bytes: Uint8Array) => void
  /** Takes a set that is expired: for a node that has none, an old catalog is better than nothing. */
  readonly acceptExpired?: boolean
}

/**
 * Asks the source for newer metadata and keeps every file as it is accepted.
 * @returns what is trusted after; the same documents when nothing is newer
 * @throws CatalogError; what was accepted before the failure is in the store, and nothing else
 */
export async function refreshTrusted(deps: TrustDeps, before: Trusted): Promise<Trusted> {
  const { store, rules, nowMs } = deps
  const { online } = store.getFloors()
  const root = await walkRoots(deps, before.root)
  const known = root === before.root ? before : loadUnder(root, store, rules, [], online)
  const { root: highest } = store.getFloors()
  if (root.version < highest) {
    throw new CatalogError(
      'VERSION_ROLLBACK',
      `the origin's newest root is version ${root.version}, but this node has seen version ${highest}. ` +
        `An origin that was restored from a backup has to publish what it lost`,
    )
  }
  const checkTime = (name: string, model: { expiresMs: number }): void => {
    if (deps.acceptExpired !== true) checkExpiry(name, model, nowMs())
  }
  checkTime(`${root.version}.root.json`, root)
  const timestamp = await refreshTimestamp(deps, root, known.timestamp)
  if (timestamp === known.timestamp && known.snapshot && known.targets) {
    checkTime('snapshot.json', known.snapshot)
    checkTime('targets.json', known.targets)
    return known
  }
  const snapshot = await refreshSnapshot(deps, root, timestamp)
  const targets = await refreshRole(deps, root, snapshot, 'targets', root.roles.targets)
  return { root, timestamp, snapshot, targets, problems: [] }
}

/**
 * Asks the source; bytes above the bound and a source that cannot be reached become errors with a code.
 * @throws CatalogError `METADATA_UNREACHABLE`, `METADATA_TOO_LARGE`
 */
async function fetchFrom(
  source: Source,
  name: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  let bytes: Uint8Array | undefined
  try {
    bytes = await source.get(name, maxBytes)
  } catch (error) {
    if (error instanceof CatalogError) throw error
    const why = messageOf(error)
    throw new CatalogError('METADATA_UNREACHABLE', `${name} could not be fetched: ${why}`, {
      cause: error,
    })
  }
  if (bytes !== undefined && bytes.length > maxBytes) {
    throw new CatalogError('METADATA_TOO_LARGE', `${name} has more than ${maxBytes} bytes`)
  }
  return bytes
}

/** The file that `expected` describes. @throws CatalogError also `METADATA_MISSING` */
async function fetchExpected(
  deps: TrustDeps,
  root: RootModel,
  role: string,
  expected: MetaModel,
  cap: number,
): Promise<Uint8Array> {
  const file = `${encodeURIComponent(role)}.json`
  const name = root.consistentSnapshot ? `${expected.version}.${file}` : file
  if (expected.length !== undefined && expected.length > cap) {
    const length = `${expected.length} bytes`
    throw new CatalogError('METADATA_TOO_LARGE', `${name} has ${length}; the limit is ${cap}`)
  }
  const bytes = await fetchFrom(deps.source, name, expected.length ?? cap)
  if (bytes !== undefined) return bytes
  throw new CatalogError('METADATA_MISSING', `the origin does not have ${name}, which it signed`)
}

async function walkRoots({ source, store, rules }: TrustDeps, from: RootModel): Promise<RootModel> {
  let root = from
  for (let steps = 0; steps < ROOT_STEPS_MAX; steps += 1) {
    const name = `${root.version + 1}.root.json`
    const bytes = await fetchFrom(source, name, ROOT_BYTES_MAX)
    if (bytes === undefined) break
    root = acceptNextRoot(root, bytes, rules)
    store.set('root', root.version, bytes)
    store.setFloors(floorsUnder(root, store.getFloors()))
  }
  return root
}

async function refreshTimestamp(
  { source, store, rules, nowMs, acceptExpired, onHead }: TrustDeps,
  root: RootModel,
  known: TimestampModel | undefined,
): Promise<TimestampModel> {
  const bytes = await fetchFrom(source, 'timestamp.json', TIMESTAMP_BYTES_MAX)
  if (bytes === undefined) {
    throw new CatalogError('METADATA_MISSING', 'the origin has no timestamp.json')
  }
  const floors = store.getFloors()
  if (onHead !== undefined) onHead(readTimestamp(root, bytes, rules), bytes)
  const found = acceptTimestamp(root, floors, bytes, rules)
  const timestamp = found.version === known?.version ? known : found
  store.setFloors(raiseByTimestamp(floors, timestamp))
  if (acceptExpired !== true) checkExpiry('timestamp.json', timestamp, nowMs())
  if (timestamp !== known) store.set('timestamp', timestamp.version, bytes)
  return timestamp
}

async function refreshSnapshot(
  deps: TrustDeps,
  root: RootModel,
  { snapshot: expected }: TimestampModel,
): Promise<SnapshotModel> {
  const { store, rules } = deps
  return obtain(deps, root, {
    role: 'snapshot',
    expected,
    maxBytes: SNAPSHOT_BYTES_MAX,
    accept: bytes => acceptSnapshot(root, expected, store.getFloors(), bytes, rules),
    raise: snapshot => raiseBySnapshot(store.getFloors(), snapshot),
  })
}

/**
 * The targets of one role, from the store or the source; `keys` is who may sign it.
 * @throws CatalogError
 */
export function refreshRole(
  deps: TrustDeps,
  root: RootModel,
  snapshot: SnapshotModel,
  role: string,
  keys: RoleModel,
): Promise<TargetsModel> {
  const { store, rules } = deps
  const expected = snapshot.meta.get(role)
  if (expected === undefined) {
    throw new CatalogError('METADATA_MISSING', `the snapshot does not list ${role}.json`)
  }
  return obtain(deps, root, {
    role,
    expected,
    maxBytes: TARGETS_BYTES_MAX,
    accept: bytes =>
      acceptTargets(role, keys, expected, store.getFloors().roles.get(role), bytes, rules),
    raise: targets => raiseByRole(store.getFloors(), role, targets),
  })
}

interface Wanted<M> {
  readonly role: string
  readonly expected: MetaModel
  readonly maxBytes: number
  accept(bytes: Uint8Array): M
  raise(model: M): Floors
}

/** A file that a signed parent names: the stored one when it is that file, else fetched, accepted and kept. */
async function obtain<M extends { version: number; expiresMs: number }>(
  deps: TrustDeps,
  root: RootModel,
  { role, expected, maxBytes, accept, raise }: Wanted<M>,
): Promise<M> {
  const { store, nowMs, acceptExpired } = deps
  const name = `${expected.version}.${role}.json`
  const stored = loadOne(store, role, expected.version, [], accept)
  if (stored !== undefined) {
    if (acceptExpired !== true) checkExpiry(name, stored, nowMs())
    return stored
  }
  const bytes = await fetchExpected(deps, root, role, expected, maxBytes)
  const model = accept(bytes)
  store.setFloors(raise(model))
  if (acceptExpired !== true) checkExpiry(name, model, nowMs())
  store.set(role, model.version, bytes)
  return model
}
