/** What of the stored files can be proven from the embedded root: the state of a node before it asks anybody. */
import { CatalogError } from '../errors.ts'
import {
  acceptEmbeddedRoot,
  acceptNextRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
} from './accept.ts'
import { floorsUnder, noFloors, raiseByRole, raiseBySnapshot, raiseByTimestamp } from './floors.ts'
import { ROOT_STEPS_MAX } from './limits.ts'
import type { RootModel, Rules, SnapshotModel, TargetsModel, TimestampModel } from './model.ts'
import type { Store } from './store.ts'

/** What the verifier believes. A later document is there only when the ones before it are, and belongs to them. */
export interface Trusted {
  readonly root: RootModel
  readonly timestamp: TimestampModel | undefined
  readonly snapshot: SnapshotModel | undefined
  readonly targets: TargetsModel | undefined
  /** Why stored files were not used; empty in the normal case. */
  readonly problems: readonly string[]
}

/**
 * Believes the embedded root, then as much of the store as can be proven from it. Expiry is not looked at.
 * @throws CatalogError `ROOT_INVALID`
 */
export function loadTrusted(store: Store, embeddedRoot: Uint8Array, rules: Rules): Trusted {
  let root = acceptEmbeddedRoot(embeddedRoot, rules)
  const problems: string[] = []
  for (let steps = 0; steps < ROOT_STEPS_MAX; steps += 1) {
    const bytes = store.get('root', root.version + 1)
    if (bytes === undefined) break
    const current = root
    const next = attempt(problems, () => acceptNextRoot(current, bytes, rules))
    if (next === undefined) break
    root = next
  }
  return loadUnder(root, store, rules, problems)
}

/**
 * Stored files were accepted once, so only their proofs are checked again; floors bind what comes from outside. When `online`, the keys
 * that they were accepted with, are others now, none is loaded: a thief of one key may have used up the numbers of the other's.
 * @see TUF 1.0.34 §5.3.11
 */
export function loadUnder(
  root: RootModel,
  store: Store,
  rules: Rules,
  problems: string[],
  online = store.getFloors().online,
): Trusted {
  const floors = floorsUnder(root, store.getFloors())
  store.setFloors(floors)
  const none = { root, timestamp: undefined, snapshot: undefined, targets: undefined, problems }
  if (online !== '' && online !== floors.online) return none
  const newest = loadSet(root, store, rules, problems, undefined)
  // A crash between a root that replaced a key and the timestamp under it: the new set is there, by its number.
  const [version] = store.versions('timestamp')
  const isWhole = newest.targets !== undefined || version === undefined
  const numbered = isWhole ? newest : loadSet(root, store, rules, [], version)
  const loaded = numbered.targets === undefined ? newest : numbered
  if (root.version >= floors.root) raiseBy(store, loaded)
  return loaded
}

function loadSet(
  root: RootModel,
  store: Store,
  rules: Rules,
  problems: string[],
  version: number | undefined,
): Trusted {
  const none = { root, timestamp: undefined, snapshot: undefined, targets: undefined, problems }
  const timestamp = loadOne(store, 'timestamp', version, problems, bytes =>
    acceptTimestamp(root, noFloors, bytes, rules),
  )
  if (timestamp === undefined) return none
  const { snapshot: expected } = timestamp
  const snapshot = loadOne(store, 'snapshot', expected.version, problems, bytes =>
    acceptSnapshot(root, expected, noFloors, bytes, rules),
  )
  const meta = snapshot?.meta.get('targets')
  if (snapshot === undefined || meta === undefined) return { ...none, timestamp, snapshot }
  const targets = loadOne(store, 'targets', meta.version, problems, bytes =>
    acceptTargets('targets', root.roles.targets, meta, undefined, bytes, rules),
  )
  return { root, timestamp, snapshot, targets, problems }
}

function raiseBy(store: Store, { timestamp, snapshot, targets }: Trusted): void {
  if (timestamp !== undefined) store.setFloors(raiseByTimestamp(store.getFloors(), timestamp))
  if (snapshot !== undefined) store.setFloors(raiseBySnapshot(store.getFloors(), snapshot))
  if (targets !== undefined) store.setFloors(raiseByRole(store.getFloors(), 'targets', targets))
}

export function loadOne<T>(
  store: Store,
  role: string,
  version: number | undefined,
  problems: string[],
  accept: (bytes: Uint8Array) => T,
): T | undefined {
  const bytes = store.get(role, version)
  return bytes === undefined ? undefined : attempt(problems, () => accept(bytes))
}

function attempt<T>(problems: string[], accept: () => T): T | undefined {
  try {
    return accept()
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error
    problems.push(error.message)
    return undefined
  }
}
