/** Builds and signs the documents of one publication. Pure: keys, time and draft in, bytes of files out. */
import type { KeyObject } from 'node:crypto'
import { appPath, appTargetOf, FIRST_PARTY } from '../app-target.ts'
import {
  formatTime,
  metaEntryOf,
  type RoleKeys,
  type RootDocument,
  SPEC_VERSION,
  type TargetEntry,
  type TimestampDocument,
  TOP_ROLES,
  type TopRole,
} from '../trust/document.ts'
import { type SigningKey, signDocument } from '../trust/envelope.ts'
import { keyIdOf, publicKeyOf } from '../trust/key.ts'
import type { Draft } from './draft.ts'

const DAY_MS = 86_400_000

/** How long each document may be believed, in days; a root is renewed well before, a timestamp every day. */
export const VALID_DAYS: Readonly<Record<TopRole, number>> = {
  root: 365,
  targets: 180,
  snapshot: 30,
  timestamp: 7,
}

/** The first root of an origin: one key for each role. */
export function signRoot(keys: Readonly<Record<TopRole, KeyObject>>, nowMs: number): Uint8Array {
  const described = TOP_ROLES.map(role => publicKeyOf(keys[role]))
  const signedBy = (role: TopRole): RoleKeys => ({
    keyids: [keyIdOf(publicKeyOf(keys[role]))],
    threshold: 1,
  })
  const root: RootDocument = {
    ...commonFields('root', 1, nowMs),
    _type: 'root',
    consistent_snapshot: true,
    keys: Object.fromEntries(described.map(key => [keyIdOf(key), key])),
    roles: {
      root: signedBy('root'),
      timestamp: signedBy('timestamp'),
      snapshot: signedBy('snapshot'),
      targets: signedBy('targets'),
    },
  }
  const signer = { keyId: keyIdOf(publicKeyOf(keys.root)), privateKey: keys.root }
  return signDocument(root, [signer])
}

export interface CatalogFiles {
  readonly targets: Uint8Array
  readonly snapshot: Uint8Array
  readonly timestamp: Uint8Array
}

/** Signs everything below the root, with the versions that the draft holds. */
export function signCatalog(
  draft: Draft,
  keys: Readonly<Record<'targets' | 'snapshot' | 'timestamp', SigningKey>>,
  previous: TimestampDocument['x-prev'],
  nowMs: number,
): CatalogFiles {
  const { versions } = draft
  const targets = signDocument(
    {
      ...commonFields('targets', versions.targets, nowMs),
      _type: 'targets',
      targets: targetsOf(draft),
    },
    [keys.targets],
  )
  const snapshot = signDocument(
    {
      ...commonFields('snapshot', versions.snapshot, nowMs),
      _type: 'snapshot',
      meta: { 'targets.json': metaEntryOf(versions.targets, targets) },
    },
    [keys.snapshot],
  )
  const timestamp = signDocument(
    {
      ...commonFields('timestamp', versions.timestamp, nowMs),
      _type: 'timestamp',
      meta: { 'snapshot.json': metaEntryOf(versions.snapshot, snapshot) },
      'x-issued': formatTime(nowMs),
      ...(previous === undefined ? {} : { 'x-prev': previous }),
    },
    [keys.timestamp],
  )
  return { targets, snapshot, timestamp }
}

function commonFields(role: TopRole, version: number, nowMs: number) {
  const expires = formatTime(nowMs + VALID_DAYS[role] * DAY_MS)
  return { spec_version: SPEC_VERSION, version, expires }
}

function targetsOf(draft: Draft): Readonly<Record<string, TargetEntry>> {
  const targets = Object.entries(draft.apps).flatMap(([app, { releases, channels }]) =>
    Object.entries(channels).flatMap(([channel, head]) => {
      const release = releases.find(({ seq }) => seq === head)
      if (release === undefined) return []
      const path = appPath(FIRST_PARTY, app, channel)
      return [[path, appTargetOf({ head: release })] as const]
    }),
  )
  return Object.fromEntries(targets)
}
