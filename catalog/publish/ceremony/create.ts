/** Writes down what the holders of a role are to sign, and puts what they signed back into the origin. */
import { join } from 'node:path'
import { writeFileAtomic } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import { acceptEmbeddedRoot, acceptNextRoot } from '../../trust/accept.ts'
import type { PublicKey, TargetsDocument, TopRole } from '../../trust/document.ts'
import { keyIdOf } from '../../trust/key.ts'
import { readDraft } from '../draft.ts'
import { type Keyring, nameOfKey, openKeyring, readKeyring } from '../keys/keyring.ts'
import { documentOf, readLiveCatalog } from '../live-catalog.ts'
import { lockOrigin, type OriginFolder, originFolder } from '../origin-folder.ts'
import { DECIDING_ROLES, type DecidingRole, planRoles, replacedRoles } from '../plan-roles.ts'
import {
  newestRoot,
  nextRoot,
  type RoleChange,
  type RootFile,
  stagedRoot,
  topRole,
} from '../root-file.ts'
import { type DetachedSignature, mergeRequest, type SigningRequest } from './request.ts'

type RootChanges = Partial<Readonly<Record<TopRole, RoleChange>>>

/** The next root: it is signed by the holders of the present root, and by those of the new one. */
export function rootRequest(
  ring: Keyring,
  before: RootFile['document'],
  changes: RootChanges,
  nowMs: number,
): SigningRequest {
  const document = nextRoot(before, changes, nowMs)
  const named = (keys: Readonly<Record<string, PublicKey>>, ids: readonly string[]) =>
    Object.fromEntries(
      ids.flatMap(id => {
        const key = keys[id]
        return key === undefined ? [] : [[nameOfKey(ring, id), key] as const]
      }),
    )
  const old = topRole(before, 'root')
  const next = topRole(document, 'root')
  return {
    v: 1,
    role: 'root',
    document: { ...document },
    before: { ...before },
    quorums: [
      { who: 'old root', threshold: old.threshold, keys: named(before.keys, old.keyIds) },
      { who: 'new root', threshold: next.threshold, keys: named(document.keys, next.keyIds) },
    ],
  }
}

/** @throws PublishError `ORIGIN_MISSING`, `ORIGIN_DAMAGED`, `THRESHOLD_UNMET` */
export async function createRootRequest(
  path: string,
  changes: RootChanges,
  nowMs: number,
): Promise<SigningRequest> {
  const folder = originFolder(path)
  await readDraft(folder)
  const ring = await readKeyring(folder)
  return rootRequest(ring, (await newestRoot(folder)).document, changes, nowMs)
}

/**
 * What publishing would sign for a role.
 * @throws PublishError `REQUEST_MISMATCH` when there is nothing to sign
 */
export async function createRoleRequest(
  path: string,
  role: string,
  nowMs: number,
): Promise<SigningRequest> {
  const folder = originFolder(path)
  const draft = await readDraft(folder)
  const ring = await readKeyring(folder)
  if (!isDeciding(role)) {
    throw new PublishError(
      'REQUEST_MISMATCH',
      `a request is for root, ${DECIDING_ROLES.join(', ')}`,
    )
  }
  const { policy } = await openKeyring(folder, nobody)
  const live = await readLiveCatalog(folder)
  const { document: root } = await comingRoot(folder)
  const replaced = replacedRoles(live, root, policy)
  const plan = planRoles(draft, policy, live, nowMs, replaced).get(role)
  if (plan === undefined || plan.action === 'keep') {
    throw new PublishError('REQUEST_MISMATCH', `the role ${role} has nothing to sign`)
  }
  const before = live?.file(role)
  const { keys, threshold } = role === 'targets' ? topKeys(root, role) : policy[role]
  return {
    v: 1,
    role,
    document: { ...plan.document },
    before: before === undefined ? null : { ...documentOf<TargetsDocument>(before) },
    quorums: [
      {
        who: role,
        threshold,
        keys: Object.fromEntries(keys.map(key => [nameOfKey(ring, keyIdOf(key)), key])),
      },
    ],
  }
}

/**
 * Keeps the signed document where the next publication finds it; a root that fits is put beside the others at once.
 * @throws PublishError `THRESHOLD_UNMET`, `REQUEST_MISMATCH`
 */
export async function mergeIntoOrigin(
  path: string,
  request: SigningRequest,
  signatures: readonly (readonly [name: string, signature: DetachedSignature])[],
): Promise<{ readonly file: string; readonly isRoot: boolean }> {
  const folder = originFolder(path)
  await readDraft(folder)
  const bytes = mergeRequest(request, signatures)
  const { role, document } = request
  await using _lock = await lockOrigin(folder)
  const name = `${document.version}.${role}.json`
  if (role !== 'root') {
    const file = join(folder.signed, name)
    await writeFileAtomic(file, bytes)
    return { file, isRoot: false }
  }
  const before = await newestRoot(folder)
  if (before.document.version + 1 !== document.version) {
    throw new PublishError(
      'REQUEST_MISMATCH',
      `this is root ${document.version}, but the newest root of the origin is ${before.document.version}`,
    )
  }
  const rules = { strict: true }
  acceptNextRoot(acceptEmbeddedRoot(before.bytes, rules), bytes, rules)
  const file = join(folder.signed, name)
  await writeFileAtomic(file, bytes)
  return { file, isRoot: true }
}

/** The root that the next publication will stand under. */
async function comingRoot(folder: OriginFolder): Promise<RootFile> {
  return (await stagedRoot(folder)) ?? (await newestRoot(folder))
}

function topKeys(document: RootFile['document'], role: TopRole): RoleChange {
  const { keyIds, threshold } = topRole(document, role)
  const keys = keyIds.map(id => document.keys[id]).filter(key => key !== undefined)
  return { keys, threshold }
}

function isDeciding(role: string): role is DecidingRole {
  return (DECIDING_ROLES as readonly string[]).includes(role)
}

function nobody(): Promise<string> {
  return Promise.reject(new PublishError('PASSPHRASE_REQUIRED', 'nothing is signed here'))
}
