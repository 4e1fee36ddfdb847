/** Decides which documents of an origin are signed anew, and what they say. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { RootDocument, SnapshotDocument, TargetsDocument } from '../trust/document.ts'
import { keyIdOf } from '../trust/key.ts'
import type { RoleModel } from '../trust/model.ts'
import {
  coreDocument,
  type Issue,
  isCurrent,
  issueOf,
  type OriginPolicy,
  targetsDocument,
  tierDocument,
} from './documents.ts'
import type { Draft } from './draft.ts'
import { documentOf, type LiveCatalog } from './live-catalog.ts'

/** Roles whose documents say what the draft decides, in the order in which they are signed. */
export const DECIDING_ROLES = ['targets', 'claimed', 'core', 'registry'] as const
export type DecidingRole = (typeof DECIDING_ROLES)[number]

export type RolePlan =
  | { readonly action: 'keep'; readonly bytes: Uint8Array; readonly version: number }
  | {
      readonly action: 'sign'
      readonly document: TargetsDocument
      /** `renewal`: it says nothing new, so that the live one will do for now. */
      readonly why: 'change' | 'renewal'
      readonly live: Uint8Array | undefined
    }

/** What is to be done for each role. A new document has the next number, whatever became of the numbers before. */
export function planRoles(
  draft: Draft,
  policy: OriginPolicy,
  live: LiveCatalog | undefined,
  nowMs: number,
  /** Roles whose keys were replaced: what they say stays, who signs it does not. */
  replaced: ReadonlySet<string> = new Set(),
): ReadonlyMap<DecidingRole, RolePlan> {
  return new Map(
    DECIDING_ROLES.map(role => {
      const version = nextVersion(draft, live, role)
      const document = documentFor(role, draft, policy, issueOf(role, version, nowMs))
      const known = replaced.has(role) ? undefined : live
      return [role, planRole(role, document, known, nowMs)]
    }),
  )
}

/** Roles that the live catalog lets other keys sign than `root` and `policy` do. */
export function replacedRoles(
  live: LiveCatalog | undefined,
  root: RootDocument,
  policy: OriginPolicy,
): ReadonlySet<string> {
  if (live === undefined) return new Set()
  const isSame = (model: RoleModel | undefined, ids: readonly string[], threshold: number) =>
    model !== undefined &&
    model.threshold === threshold &&
    isDeepStrictEqual([...model.keys.keys()].sort(), [...ids].sort())
  const top = (['targets', 'snapshot'] as const).filter(role => {
    const { keyids, threshold } = root.roles[role]
    return !isSame(live.root.roles[role], keyids, threshold)
  })
  const below = (['core', 'claimed', 'registry'] as const).filter(role => {
    const model = live.targets.delegations.find(({ name }) => name === role)
    return !isSame(model, policy[role].keys.map(keyIdOf), policy[role].threshold)
  })
  return new Set([...top, ...below])
}

function planRole(
  role: DecidingRole,
  document: TargetsDocument,
  live: LiveCatalog | undefined,
  nowMs: number,
): RolePlan {
  const bytes = live?.file(role)
  if (bytes === undefined) return { action: 'sign', document, why: 'change', live: undefined }
  const before = documentOf<TargetsDocument>(bytes)
  if (isCurrent(role, document, before, nowMs)) {
    return { action: 'keep', bytes, version: before.version }
  }
  const isSame = isCurrent(role, document, { ...before, expires: document.expires }, nowMs)
  return { action: 'sign', document, why: isSame ? 'renewal' : 'change', live: bytes }
}

function documentFor(
  role: DecidingRole,
  draft: Draft,
  policy: OriginPolicy,
  issue: Issue,
): TargetsDocument {
  if (role === 'targets') return targetsDocument(draft, policy, issue)
  if (role === 'core') return coreDocument(draft, issue)
  return tierDocument(draft, role, issue)
}

/** Never a number that was used, or was about to be. */
export function nextVersion(
  draft: Draft,
  live: LiveCatalog | undefined,
  role: DecidingRole | 'snapshot' | 'timestamp',
): number {
  const served =
    role === 'timestamp'
      ? live?.timestamp.version
      : role === 'snapshot'
        ? live?.snapshot.version
        : live?.snapshot.meta.get(role)?.version
  return Math.max(draft.versions[role] ?? 0, served ?? 0) + 1
}

/** The live snapshot when it lists the same files and need not be renewed. */
export function currentSnapshot(
  document: SnapshotDocument,
  live: LiveCatalog | undefined,
  nowMs: number,
): { readonly bytes: Uint8Array; readonly version: number } | undefined {
  const bytes = live?.file('snapshot')
  if (bytes === undefined) return undefined
  const before = documentOf<SnapshotDocument>(bytes)
  return isCurrent('snapshot', document, before, nowMs)
    ? { bytes, version: before.version }
    : undefined
}
