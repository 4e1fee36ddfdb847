/** Builds and signs the documents of one publication. Pure: keys, time and draft in, bytes of files out. */
import type { KeyObject } from 'node:crypto'
import {
  formatTime,
  metaEntryOf,
  type RoleKeys,
  type RootDocument,
  SPEC_VERSION,
  type TimestampDocument,
  TOP_ROLES,
  type TopRole,
} from '../trust/document.ts'
import { type SigningKey, signDocument } from '../trust/envelope.ts'
import { keyIdOf, publicKeyOf } from '../trust/key.ts'
import { coreDocument, issueOf, snapshotDocument, timestampDocument } from './documents.ts'
import type { Draft } from './draft.ts'
import { DAY_MS, type OriginRole, TERMS } from './terms.ts'

/** The first root of an origin: one key for each role. */
export function signRoot(keys: Readonly<Record<TopRole, KeyObject>>, nowMs: number): Uint8Array {
  const described = TOP_ROLES.map(role => publicKeyOf(keys[role]))
  const signedBy = (role: TopRole): RoleKeys => ({
    keyids: [keyIdOf(publicKeyOf(keys[role]))],
    threshold: 1,
  })
  const root: RootDocument = {
    spec_version: SPEC_VERSION,
    version: 1,
    expires: formatTime(nowMs + TERMS.root.validDays * DAY_MS),
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
  const issue = (role: OriginRole) => issueOf(role, draft.versions[role] ?? 1, nowMs)
  const metaOf = (role: OriginRole, bytes: Uint8Array) =>
    metaEntryOf(draft.versions[role] ?? 1, bytes)
  const targets = signDocument(coreDocument(draft, issue('targets')), [keys.targets])
  const meta = { 'targets.json': metaOf('targets', targets) }
  const snapshot = signDocument(snapshotDocument(meta, issue('snapshot')), [keys.snapshot])
  const timestamp = signDocument(
    timestampDocument(metaOf('snapshot', snapshot), previous, nowMs, issue('timestamp')),
    [keys.timestamp],
  )
  return { targets, snapshot, timestamp }
}
