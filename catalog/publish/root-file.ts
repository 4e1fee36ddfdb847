/** The roots of an origin: the newest one, and the one that may follow it. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileBounded } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import {
  formatTime,
  type PublicKey,
  type RoleKeys,
  type RootDocument,
  TOP_ROLES,
  type TopRole,
} from '../trust/document.ts'
import { keyIdOf } from '../trust/key.ts'
import { ROOT_BYTES_MAX } from '../trust/limits.ts'
import type { OriginFolder } from './origin-folder.ts'
import { DAY_MS, TERMS } from './terms.ts'

export interface RootFile {
  readonly document: RootDocument
  readonly bytes: Uint8Array
}

/** The root with the highest number in the folder. @throws PublishError `ORIGIN_DAMAGED` */
export async function newestRoot(folder: OriginFolder): Promise<RootFile> {
  const versions = (await readdir(folder.catalog))
    .map(name => /^(\d{1,15})\.root\.json$/.exec(name)?.[1])
    .filter(version => version !== undefined)
    .map(Number)
  const path = join(folder.catalog, `${Math.max(1, ...versions)}.root.json`)
  const bytes = await readFileBounded(path, ROOT_BYTES_MAX)
  if (bytes !== undefined)
    return {
      document: signedIn(bytes),
      bytes,
    }
  throw new PublishError('ORIGIN_DAMAGED', `${path} is missing; restore it from a backup`)
}

/** A root that its holders signed and that the next publication makes live: `draft/signed/<newest + 1>.root.json`. */
export async function stagedRoot(folder: OriginFolder): Promise<RootFile | undefined> {
  const { document } = await newestRoot(folder)
  const bytes = await readFileBounded(stagedPath(folder, document.version + 1), ROOT_BYTES_MAX)
  return bytes && { document: signedIn(bytes), bytes }
}

export function stagedPath(folder: OriginFolder, version: number): string {
  return join(folder.signed, `${version}.root.json`)
}

function signedIn(bytes: Uint8Array): RootDocument {
  return (JSON.parse(Buffer.from(bytes).toString('utf8')) as { signed: RootDocument }).signed
}

export function topRole(
  { roles }: RootDocument,
  role: TopRole,
): { readonly keyIds: readonly string[]; readonly threshold: number } {
  const { keyids: keyIds, threshold } = roles[role]
  return { keyIds, threshold }
}

/** Who signs a role from now on. */
export interface RoleChange {
  readonly keys: readonly PublicKey[]
  readonly threshold: number
}

/**
 * The next root: one number higher, valid for another year, with the changes. Keys that no role names are left out.
 * @throws PublishError `THRESHOLD_UNMET` for a threshold that the keys cannot reach
 */
export function nextRoot(
  before: RootDocument,
  changes: Partial<Readonly<Record<TopRole, RoleChange>>>,
  nowMs: number,
): RootDocument {
  const known = new Map(Object.entries(before.keys))
  const roles = Object.fromEntries(
    TOP_ROLES.map(role => {
      const change = changes[role]
      if (change === undefined) return [role, before.roles[role]]
      checkThreshold(role, change)
      for (const key of change.keys) known.set(keyIdOf(key), key)
      return [role, { keyids: change.keys.map(keyIdOf).sort(), threshold: change.threshold }]
    }),
  ) as Record<TopRole, RoleKeys>
  const named = new Set(TOP_ROLES.flatMap(role => roles[role].keyids))
  return {
    ...before,
    version: before.version + 1,
    expires: formatTime(nowMs + TERMS.root.validDays * DAY_MS),
    keys: Object.fromEntries([...known].filter(([id]) => named.has(id))),
    roles,
  }
}

/** A role of several holders must survive the loss of one. @throws PublishError `THRESHOLD_UNMET` */
export function checkThreshold(role: string, { keys, threshold }: RoleChange): void {
  const count = new Set(keys.map(keyIdOf)).size
  if (threshold < 1 || threshold > count) {
    throw new PublishError(
      'THRESHOLD_UNMET',
      `the role ${role} has ${count} keys, so its threshold cannot be ${threshold}`,
    )
  }
  if (threshold > 1 && threshold === count) {
    throw new PublishError(
      'THRESHOLD_UNMET',
      `the role ${role} would need all of its ${count} keys: one that is lost would end it. Add a key, or take a lower threshold`,
    )
  }
}
