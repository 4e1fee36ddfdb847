/** What each role of an origin says, from the draft and the keys of the roles: documents that are not signed yet. Pure. */
import { canonicalJson } from '../../src/core/canonical-json.ts'
import {
  appPath,
  appTargetOf,
  type ChannelFields,
  FIRST_PARTY,
  type ReleaseFields,
} from '../app-target.ts'
import type { Yank } from '../entry.ts'
import {
  formatTime,
  type MetaEntry,
  type PublicKey,
  type SnapshotDocument,
  SPEC_VERSION,
  type TargetEntry,
  type TargetsDocument,
  type TimestampDocument,
} from '../trust/document.ts'
import { keyIdOf } from '../trust/key.ts'
import type { Draft, DraftApp, DraftChannel } from './draft.ts'
import { DAY_MS, type OriginRole, TERMS } from './terms.ts'

/** Who signs the roles that the top-level targets delegate to. */
export interface OriginPolicy {
  readonly core: RolePolicy
  readonly claimed: RolePolicy
  readonly registry: RolePolicy
}

export interface RolePolicy {
  readonly keys: readonly PublicKey[]
  readonly threshold: number
}

/** A document's number and end. */
export interface Issue {
  readonly version: number
  readonly expiresMs: number
}

type Delegations = NonNullable<TargetsDocument['delegations']>
type DelegatedRole = Delegations['roles'][number]

/** Earlier heads that a channel goes on offering. */
const OLDER_COUNT = 2
/** What nodes read at most in one list of an entry. */
const LIST_COUNT_MAX = 64

export function issueOf(role: OriginRole, version: number, nowMs: number): Issue {
  return { version, expiresMs: nowMs + TERMS[role].validDays * DAY_MS }
}

/** Lists no app: only who may speak for which paths, in the order in which nodes ask. */
export function targetsDocument(draft: Draft, policy: OriginPolicy, issue: Issue): TargetsDocument {
  const { core, claimed, registry } = policy
  const { revokedDids, acknowledgedForks, bootstrap } = draft
  return {
    ...targetsFields(issue),
    ...(revokedDids.length === 0 ? {} : { 'x-revoked-dids': revokedDids }),
    ...(acknowledgedForks.length === 0 ? {} : { 'x-ack-forks': acknowledgedForks }),
    ...(bootstrap.length === 0 ? {} : { 'x-bootstrap': bootstrap }),
    targets: {},
    delegations: delegationsOf([
      delegated('core', core, `apps/${FIRST_PARTY}.*/*`, true),
      delegated('claimed', claimed, 'apps/z*/*', false),
      delegated('registry', registry, 'apps/z*/*', false),
    ]),
  }
}

/** The origin's own apps. */
export function coreDocument(draft: Draft, issue: Issue): TargetsDocument {
  return { ...targetsFields(issue), targets: appTargets(draft, FIRST_PARTY) }
}

/** Which other publishers are listed in a tier; each speaks for its own paths alone. */
export function tierDocument(
  draft: Draft,
  tier: 'claimed' | 'registry',
  issue: Issue,
): TargetsDocument {
  const listed = draft.delegations.filter(delegation => delegation.tier === tier)
  return {
    ...targetsFields(issue),
    targets: {},
    delegations: delegationsOf(
      listed.map(({ id, key }) =>
        delegated(`pub-${id}`, { keys: [key], threshold: 1 }, `apps/${id}.*/*`, true),
      ),
    ),
  }
}

export function snapshotDocument(
  meta: Readonly<Record<string, MetaEntry>>,
  { version, expiresMs }: Issue,
): SnapshotDocument {
  return { ...commonFields(version, expiresMs), _type: 'snapshot', meta }
}

export function timestampDocument(
  snapshot: MetaEntry,
  previous: TimestampDocument['x-prev'],
  nowMs: number,
  { version, expiresMs }: Issue,
): TimestampDocument {
  return {
    ...commonFields(version, expiresMs),
    _type: 'timestamp',
    meta: { 'snapshot.json': snapshot },
    'x-issued': formatTime(nowMs),
    ...(previous === undefined ? {} : { 'x-prev': previous }),
  }
}

/** One target for each channel of each app. */
export function appTargets(draft: Draft, publisher: string): Readonly<Record<string, TargetEntry>> {
  const entries = Object.entries(draft.apps).flatMap(([id, app]) =>
    Object.entries(app.channels).map(([name, channel]) => {
      return [appPath(publisher, id, name), appTargetOf(channelFields(app, channel))] as const
    }),
  )
  return Object.fromEntries(entries)
}

/** What a channel says, with the numbers of the draft turned into releases. */
export function channelFields(app: DraftApp, channel: DraftChannel): ChannelFields {
  const { head, next, floor, rollbackTo } = channel
  return {
    head: releaseOf(app, head),
    next:
      next === null ? undefined : { release: releaseOf(app, next.seq), rollout: rolloutOf(next) },
    older: olderOf(app, channel).map(seq => releaseOf(app, seq)),
    floor,
    yanked: listedYanks(app, floor),
    rollbackTo: rollbackTo ?? undefined,
  }
}

/** The last earlier heads that may still be installed. */
function olderOf({ yanked }: DraftApp, { head, floor, older }: DraftChannel): readonly number[] {
  const gone = new Set(yanked.map(({ seq }) => seq))
  const usable = older.filter(seq => seq < head && seq >= floor && !gone.has(seq))
  return usable.slice(-OLDER_COUNT)
}

/** Where there are too many to list, those below the floor go first: nothing there is installed anyway. */
function listedYanks({ yanked }: DraftApp, floor: number): readonly Yank[] {
  const below = yanked.filter(({ seq }) => seq < floor)
  const above = yanked.filter(({ seq }) => seq >= floor)
  const room = Math.max(0, LIST_COUNT_MAX - above.length)
  return [...(room === 0 ? [] : below.slice(-room)), ...above]
}

function releaseOf({ releases }: DraftApp, wanted: number): ReleaseFields {
  const release = releases.find(({ seq }) => seq === wanted)
  if (release === undefined)
    throw new RangeError(`the draft points to release ${wanted}, which it lacks`)
  const { seq, version, totalSize, manifest } = release
  return { seq, version, totalSize, manifest }
}

function rolloutOf({ rollout }: NonNullable<DraftChannel['next']>) {
  const { salt, startMs, steps, haltedMs } = rollout
  return { salt, startMs, steps, halted: haltedMs !== null }
}

/**
 * True when `document` says nothing that `live` does not say, and `live` need not be renewed yet. Numbers and ends of
 * the two are not compared.
 */
export function isCurrent(
  role: OriginRole,
  document: TargetsDocument | SnapshotDocument,
  live: TargetsDocument | SnapshotDocument | undefined,
  nowMs: number,
): boolean {
  if (live === undefined) return false
  const endMs = Date.parse(live.expires)
  if (endMs - nowMs <= TERMS[role].renewDays * DAY_MS) return false
  const withoutIssue = ({ version: _, expires: __, ...said }: typeof document) =>
    canonicalJson(said)
  return Buffer.compare(withoutIssue(document), withoutIssue(live)) === 0
}

/** What every document of targets begins with. */
export function targetsFields({ version, expiresMs }: Issue) {
  return { ...commonFields(version, expiresMs), _type: 'targets' as const }
}

function commonFields(version: number, expiresMs: number) {
  return { spec_version: SPEC_VERSION, version, expires: formatTime(expiresMs) }
}

interface Delegation {
  readonly role: DelegatedRole
  readonly keys: readonly PublicKey[]
}

function delegated(
  name: string,
  { keys, threshold }: RolePolicy,
  path: string,
  terminating: boolean,
): Delegation {
  const keyids = keys.map(keyIdOf).sort()
  return { keys, role: { name, keyids, threshold, paths: [path], terminating } }
}

function delegationsOf(delegations: readonly Delegation[]): Delegations {
  const keys = delegations.flatMap(delegation => delegation.keys)
  return {
    keys: Object.fromEntries(keys.map(key => [keyIdOf(key), key])),
    roles: delegations.map(({ role }) => role),
  }
}
