/**
 * The lowest versions this node still accepts: what it has seen can never be taken back. Floors outlive the cached
 * documents. Pure values; raising never lowers.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { openKey } from './key.ts'
import type { RoleModel, RootModel, SnapshotModel, TargetsModel, TimestampModel } from './model.ts'

export interface Floor {
  readonly version: number
  /** Hash of the signed part seen at that version; undefined when only the number is known. */
  readonly content: string | undefined
}

export interface Floors {
  readonly root: number
  /**
   * Fingerprint of the timestamp and snapshot keys that the floors below were seen with. When a root replaces one
   * of them, all of these floors go: that is how an origin recovers from a thief who used up the version numbers.
   * @see TUF 1.0.34 §5.3.11
   */
  readonly online: string
  /** The newest time of signing that was seen: this machine's clock cannot be before it. 0: none. */
  readonly issuedMs: number
  readonly timestamp: Floor | undefined
  readonly snapshot: Floor | undefined
  /** By role name: `targets` and every delegated role that a trusted snapshot listed. */
  readonly roles: ReadonlyMap<string, Floor>
}

export const noFloors: Floors = {
  root: 1,
  online: '',
  issuedMs: 0,
  timestamp: undefined,
  snapshot: undefined,
  roles: new Map(),
}

/**
 * The floors that hold under `root`. A root below the highest one seen changes nothing: it is a step of the walk,
 * not a reason to forget.
 */
export function floorsUnder(root: RootModel, floors: Floors): Floors {
  if (root.version < floors.root) return floors
  const online = fingerprint(root.roles.timestamp, root.roles.snapshot)
  if (online !== floors.online) return { ...noFloors, root: root.version, online }
  return { ...floors, root: root.version }
}

export function raiseByTimestamp(floors: Floors, timestamp: TimestampModel): Floors {
  const { version, content, snapshot, issuedMs = 0 } = timestamp
  return {
    ...floors,
    issuedMs: Math.max(floors.issuedMs, issuedMs),
    timestamp: higher(floors.timestamp, { version, content }),
    snapshot: higher(floors.snapshot, { version: snapshot.version, content: undefined }),
  }
}

export function raiseBySnapshot(floors: Floors, snapshot: SnapshotModel): Floors {
  const { version, content } = snapshot
  const roles = new Map(floors.roles)
  for (const [role, meta] of snapshot.meta) {
    const floor = higher(roles.get(role), { version: meta.version, content: undefined })
    roles.set(role, floor)
  }
  return { ...floors, snapshot: higher(floors.snapshot, { version, content }), roles }
}

export function raiseByRole(floors: Floors, role: string, targets: TargetsModel): Floors {
  const { version, content } = targets
  const roles = new Map(floors.roles)
  roles.set(role, higher(roles.get(role), { version, content }))
  return { ...floors, roles }
}

function higher(old: Floor | undefined, seen: Floor): Floor {
  if (old === undefined || seen.version > old.version) return seen
  const isMore = seen.version === old.version && old.content === undefined
  return isMore && seen.content !== undefined ? seen : old
}

function fingerprint(...roles: readonly RoleModel[]): string {
  const parts = roles.map(({ keys, threshold }) => ({
    keys: [...keys.values()].map(key => openKey(key)?.material ?? '').sort(),
    threshold,
  }))
  return createHash('sha256').update(canonicalJson(parts)).digest('hex')
}
