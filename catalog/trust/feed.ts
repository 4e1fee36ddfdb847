/** A publisher's signed file that stands alone, believed by nothing but its `did:key`. The same bytes are its delegated role. Pure. */
import { CatalogError } from '../errors.ts'
import { acceptTargets } from './accept.ts'
import { pathsOfPublisher, roleOfPublisher } from './did-key.ts'
import type { PublicKey } from './document.ts'
import { malformed, parseEnvelope } from './envelope.ts'
import type { Floor } from './floors.ts'
import { keyIdOf } from './key.ts'
import { TARGETS_BYTES_MAX } from './limits.ts'
import { matchesPath } from './lookup.ts'
import type { PublisherModel, TargetsModel } from './model.ts'
import { checkCommitments, presentKey } from './publisher-chain.ts'
import { parsePublisherClaim } from './structure.ts'

/** What a node remembers of a publisher, apart from its file. */
export interface FeedFloor {
  readonly version: number
  /** Hash of the signed part seen at that version. */
  readonly content: string
  /** Every commitment to a next key that was seen, in order. */
  readonly commitments: readonly string[]
}

export interface Feed {
  readonly did: string
  /** Who signs it now. */
  readonly key: PublicKey
  readonly publisher: PublisherModel
  readonly targets: TargetsModel
}

/**
 * Order: size, JSON, the chain of keys (which proves itself), the signature over all of it, then its structure.
 * Whether it is expired is for the caller to judge.
 * @throws CatalogError
 */
export function acceptFeed(did: string, bytes: Uint8Array, floor?: FeedFloor): Feed {
  const role = roleOfPublisher(did)
  const name = `${role}.json`
  const { signed } = parseEnvelope(name, bytes, TARGETS_BYTES_MAX)
  const { publisher, version } = parsePublisherClaim(name, signed)
  if (publisher?.did !== did) throw malformed(name, 'it is the file of another publisher')
  const key = presentKey(publisher)
  checkCommitments(publisher, floor?.commitments ?? [])
  const keys = { keys: new Map([[keyIdOf(key), key]]), threshold: 1 }
  const expected = { version, length: undefined, hashes: new Map(), blake3: undefined }
  const rules = { strict: true }
  const known = hasMoved(publisher, floor) ? undefined : floor
  const targets = acceptTargets(role, keys, expected, known, bytes, rules)
  checkScope(name, did, targets)
  return { did, key, publisher, targets }
}

/** A new key counts anew: whoever stole the old one may have signed the highest number that there is. */
function hasMoved({ rotations }: PublisherModel, floor: FeedFloor | undefined): boolean {
  return floor !== undefined && rotations.length > Math.max(1, floor.commitments.length)
}

export function floorOf({ publisher, targets }: Feed): FeedFloor & Floor {
  const commitments = publisher.rotations.map(({ next }) => next)
  return { version: targets.version, content: targets.content, commitments }
}

/** Longer than a confirmed publisher signs for; a stolen key must not buy years. */
const FEED_DAYS_MAX = 190
const DAY_MS = 86_400_000

/** @throws CatalogError `VALIDITY_TOO_LONG` */
export function checkFeedTerm({ did, targets }: Feed, nowMs: number): void {
  if (targets.expiresMs - nowMs <= FEED_DAYS_MAX * DAY_MS) return
  throw new CatalogError(
    'VALIDITY_TOO_LONG',
    `the feed of ${did} is to be believed for more than ${FEED_DAYS_MAX} days`,
  )
}

/** @throws CatalogError `METADATA_MALFORMED` */
function checkScope(name: string, did: string, { targets, delegations }: TargetsModel): void {
  if (delegations.length > 0) throw malformed(name, 'it delegates to others')
  const allowed = pathsOfPublisher(did)
  for (const path of targets.keys()) {
    if (allowed.some(pattern => matchesPath(pattern, path))) continue
    throw malformed(name, `${JSON.stringify(path.slice(0, 80))} is not below its own id`)
  }
}
