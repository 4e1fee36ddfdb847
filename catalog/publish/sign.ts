/** The first root of an origin. Pure: keys and time in, the bytes of the file out. */
import {
  type CatalogPolicy,
  formatTime,
  PROFILE,
  type RootDocument,
  SPEC_VERSION,
  TOP_ROLES,
  type TopRole,
} from '../trust/document.ts'
import { keyIdOf } from '../trust/key.ts'
import { checkThreshold, type RoleChange } from './root-file.ts'
import { DAY_MS, TERMS } from './terms.ts'

/** How long nodes go on with a catalog that nobody renews, and what a timestamp may claim at most. */
const STALE_GRACE_DAYS = 30
const TIMESTAMP_DAYS_MAX = 14

export interface FirstRoot {
  /** For people. */
  readonly name: string
  readonly roles: Readonly<Record<TopRole, RoleChange>>
}

/** @throws PublishError `THRESHOLD_UNMET` */
export function firstRoot({ name, roles }: FirstRoot, nowMs: number): RootDocument {
  for (const role of TOP_ROLES) checkThreshold(role, roles[role])
  const policy: CatalogPolicy = {
    profile: PROFILE,
    name,
    origins: [],
    staleGraceDays: STALE_GRACE_DAYS,
    maxTimestampDays: TIMESTAMP_DAYS_MAX,
  }
  const keys = TOP_ROLES.flatMap(role => roles[role].keys)
  const signedBy = (role: TopRole) => ({
    keyids: roles[role].keys.map(keyIdOf).sort(),
    threshold: roles[role].threshold,
  })
  return {
    _type: 'root',
    spec_version: SPEC_VERSION,
    version: 1,
    expires: formatTime(nowMs + TERMS.root.validDays * DAY_MS),
    'x-catalog': policy,
    consistent_snapshot: true,
    keys: Object.fromEntries(keys.map(key => [keyIdOf(key), key])),
    roles: {
      root: signedBy('root'),
      timestamp: signedBy('timestamp'),
      snapshot: signedBy('snapshot'),
      targets: signedBy('targets'),
    },
  }
}
