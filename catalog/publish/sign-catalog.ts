/** Signs the documents of one publication: what is current is kept, what was signed elsewhere is taken, the rest is signed. */

import { join } from 'node:path'
import { codeOf } from '../../src/core/errors.ts'
import { namesIn, readFileBounded } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import {
  type MetaEntry,
  metaEntryOf,
  type RootDocument,
  type TargetsDocument,
} from '../trust/document.ts'
import { TARGETS_BYTES_MAX } from '../trust/limits.ts'
import { isCurrent, issueOf, snapshotDocument, timestampDocument } from './documents.ts'
import type { Draft } from './draft.ts'
import type { OriginKeys } from './keys/keyring.ts'
import { type Signer, signWith } from './keys/signer.ts'
import { documentOf, type LiveCatalog } from './live-catalog.ts'
import type { OriginFolder } from './origin-folder.ts'
import {
  currentSnapshot,
  DECIDING_ROLES,
  type DecidingRole,
  nextVersion,
  planRoles,
  type RolePlan,
  replacedRoles,
} from './plan-roles.ts'

export interface SignInput {
  readonly folder: OriginFolder
  readonly draft: Draft
  readonly live: LiveCatalog | undefined
  readonly keys: OriginKeys
  /** The root that the catalog will stand under. */
  readonly root: RootDocument
  readonly nowMs: number
  /** Only the online roles are signed anew; whatever else was decided waits. */
  readonly isStamp?: boolean
}

export interface SignedFile {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface SignedCatalog {
  /** Everything but the timestamp, in the order of writing. */
  readonly files: readonly SignedFile[]
  readonly timestamp: SignedFile
  readonly signed: readonly string[]
  readonly due: readonly string[]
}

type Reserve = (versions: Draft['versions']) => Promise<void>

interface RoleFile {
  readonly role: string
  readonly version: number
  readonly bytes: Uint8Array
  readonly source: 'kept' | 'due' | 'signed' | 'waiting'
}

/**
 * @param reserve is called before anything is signed: it keeps the numbers that are about to be used, for ever
 * @throws PublishError `KEY_MISSING`, `ORIGIN_DAMAGED`
 */
export async function signCatalog(input: SignInput, reserve: Reserve): Promise<SignedCatalog> {
  const { folder, draft, live, keys, root, nowMs } = input
  const replaced = replacedRoles(live, root, keys.policy)
  const isStamp = input.isStamp === true && live !== undefined
  const planned = planRoles(draft, keys.policy, live, nowMs, replaced)
  const plans = isStamp ? stampRoles(live, planned) : planned
  const works: RoleWork[] = []
  for (const [role, plan] of plans) works.push(await workFor(input, role, plan))
  const versions = {
    snapshot: nextVersion(draft, live, 'snapshot'),
    timestamp: nextVersion(draft, live, 'timestamp'),
  }
  await reserve({
    ...versions,
    ...Object.fromEntries(works.map(({ role, version }) => [role, version])),
  })
  const roles: RoleFile[] = []
  for (const { act } of works) roles.push(await act())
  if (isStamp) roles.push(...keptPublishers(live))
  for (const { id, version } of isStamp ? [] : draft.delegations) {
    const bytes = await readPublisher(folder, id)
    roles.push({ role: `pub-${id}`, version, bytes, source: 'kept' })
  }
  const known = replaced.has('snapshot') ? undefined : live
  const snapshot = await signSnapshot({ ...input, live: known }, roles, versions.snapshot)
  const timestamp = await signTimestamp(input, snapshot, versions.timestamp)
  const all = [...roles, snapshot]
  const rolesFrom = (...sources: readonly RoleFile['source'][]) =>
    all.filter(({ source }) => sources.includes(source)).map(({ role }) => role)
  return {
    files: all.map(({ role, version, bytes }) => ({ name: `${version}.${role}.json`, bytes })),
    timestamp: { name: 'timestamp.json', bytes: timestamp },
    signed: [...rolesFrom('signed', 'waiting'), 'timestamp'],
    due: rolesFrom('due'),
  }
}

/** As they are; but the registry is signed by a machine too, and would end while its owner publishes nothing. */
function stampRoles(
  live: LiveCatalog,
  planned: ReadonlyMap<DecidingRole, RolePlan>,
): ReadonlyMap<DecidingRole, RolePlan> {
  const kept = DECIDING_ROLES.map((role): readonly [DecidingRole, RolePlan] => {
    const plan = planned.get(role)
    const isRenewal = plan?.action === 'sign' && plan.why === 'renewal'
    if (role === 'registry' && isRenewal) return [role, plan]
    const bytes = live.file(role) ?? new Uint8Array()
    return [role, { action: 'keep', bytes, version: live.snapshot.meta.get(role)?.version ?? 0 }]
  })
  return new Map(kept)
}

function keptPublishers(live: LiveCatalog): readonly RoleFile[] {
  return [...live.snapshot.meta]
    .filter(([role]) => role.startsWith('pub-'))
    .map(([role, { version }]) => {
      return { role, version, bytes: live.file(role) ?? new Uint8Array(), source: 'kept' }
    })
}

interface RoleWork {
  readonly role: DecidingRole
  readonly version: number
  act(): Promise<RoleFile>
}

/** Whether a document can be had is known before any number is used up. */
async function workFor(input: SignInput, role: DecidingRole, plan: RolePlan): Promise<RoleWork> {
  const done = (file: Omit<RoleFile, 'role'>): RoleWork => ({
    role,
    version: file.version,
    act: async () => ({ role, ...file }),
  })
  if (plan.action === 'keep') return done({ ...plan, source: 'kept' })
  const { document, live } = plan
  const waiting = await readWaiting(input, role, document)
  if (waiting !== undefined) return done({ ...waiting, source: 'waiting' })
  let signers: readonly Signer[]
  try {
    signers = await input.keys.signers(role)
  } catch (error) {
    if (!isKeyAway(error)) throw error
    const before = live && documentOf<TargetsDocument>(live)
    const holds = before !== undefined && Date.parse(before.expires) > input.nowMs
    if (plan.why === 'change' || !holds || live === undefined) {
      throw codeOf(error) === 'PASSPHRASE_REQUIRED' ? error : needsCeremony(role, plan, error)
    }
    const { version } = before
    return done({ version, bytes: live, source: 'due' })
  }
  const { version } = document
  const act = async (): Promise<RoleFile> => {
    return { role, version, bytes: await signWith(document, signers), source: 'signed' }
  }
  return { role, version, act }
}

/** The newest document from a ceremony that says what the draft says. */
async function readWaiting(
  { folder, live, nowMs }: SignInput,
  role: DecidingRole,
  wanted: TargetsDocument,
): Promise<{ readonly version: number; readonly bytes: Uint8Array } | undefined> {
  const above = live?.snapshot.meta.get(role)?.version ?? 0
  const versions = (await namesIn(folder.signed))
    .map(name => /^(\d+)\.([a-z]+)\.json$/.exec(name))
    .filter(match => match?.[2] === role)
    .map(match => Number(match?.[1]))
    .filter(version => version > above)
    .sort((a, b) => b - a)
  for (const version of versions) {
    const bytes = await readFileBounded(
      join(folder.signed, `${version}.${role}.json`),
      TARGETS_BYTES_MAX,
    )
    if (bytes !== undefined && isCurrent(role, wanted, documentOf(bytes), nowMs)) {
      return { version, bytes }
    }
  }
  return undefined
}

async function signSnapshot(
  { live, keys, nowMs }: SignInput,
  roles: readonly RoleFile[],
  version: number,
): Promise<RoleFile> {
  const meta: Record<string, MetaEntry> = {}
  for (const file of roles) meta[`${file.role}.json`] = metaEntryOf(file.version, file.bytes)
  const document = snapshotDocument(meta, issueOf('snapshot', version, nowMs))
  const current = currentSnapshot(document, live, nowMs)
  if (current !== undefined) return { role: 'snapshot', ...current, source: 'kept' }
  const bytes = await signWith(document, await keys.signers('snapshot'))
  return { role: 'snapshot', version, bytes, source: 'signed' }
}

async function signTimestamp(
  { live, keys, nowMs }: SignInput,
  snapshot: RoleFile,
  version: number,
): Promise<Uint8Array> {
  const previous = live && { version: live.timestamp.version, sha256: live.timestamp.content }
  const meta = metaEntryOf(snapshot.version, snapshot.bytes)
  const document = timestampDocument(meta, previous, nowMs, issueOf('timestamp', version, nowMs))
  return signWith(document, await keys.signers('timestamp'))
}

async function readPublisher(folder: OriginFolder, id: string): Promise<Uint8Array> {
  const path = join(folder.publishers, `${id}.json`)
  const bytes = await readFileBounded(path, TARGETS_BYTES_MAX)
  if (bytes !== undefined) return bytes
  throw new PublishError('ORIGIN_DAMAGED', `${path} is missing; import the publisher again`)
}

function isKeyAway(error: unknown): boolean {
  return codeOf(error) === 'KEY_MISSING' || codeOf(error) === 'PASSPHRASE_REQUIRED'
}

function needsCeremony(role: DecidingRole, plan: RolePlan, cause: unknown): PublishError {
  const isChange = plan.action === 'sign' && plan.why === 'change'
  const what = isChange ? 'says something new' : 'is expired'
  const why = cause instanceof Error ? cause.message : String(cause)
  return new PublishError(
    'KEY_MISSING',
    `the role ${role} ${what}, but cannot be signed here: ${why}. ` +
      `"archy origin request create <dir> ${role}" writes what its holders sign on their machines; nothing was changed`,
    { cause },
  )
}
