/** The signed file of a publisher: what it says, and whether it may be believed. Pure. */
import { createHash } from 'node:crypto'
import { readAppTarget, type TargetOffer } from '../../app-target.ts'
import { CatalogError } from '../../errors.ts'
import { acceptTargets } from '../../trust/accept.ts'
import { publisherIdOf } from '../../trust/did-key.ts'
import type { PublicKey, TargetsDocument } from '../../trust/document.ts'
import { parseEnvelope, signedBytes } from '../../trust/envelope.ts'
import { keyIdOf } from '../../trust/key.ts'
import { TARGETS_BYTES_MAX } from '../../trust/limits.ts'
import type { TargetsModel } from '../../trust/model.ts'
import { parseTargets } from '../../trust/structure.ts'
import { appTargets, type Issue, targetsFields } from '../documents.ts'
import type { Draft, DraftPublisher } from '../draft.ts'
import { presentKey, refused } from './chain.ts'

/** A file of which every signature and every entry was accepted. */
export interface PublisherFile {
  readonly did: string
  readonly id: string
  /** Who signs it now. */
  readonly key: PublicKey
  readonly targets: TargetsModel
  readonly offers: readonly TargetOffer[]
}

/** One file with two lives: a feed that stands alone, and a role that an origin delegates to. */
export function publisherDocument(
  draft: Draft,
  { did, rotations }: DraftPublisher,
  issue: Issue,
): TargetsDocument {
  const next = rotations.at(-1)?.next
  return {
    ...targetsFields(issue),
    'x-did': did,
    ...(next === undefined ? {} : { 'x-next': next }),
    'x-rotations': rotations,
    targets: appTargets(draft, publisherIdOf(did)),
  }
}

/**
 * Believes the file of a publisher by nothing but its `did:key`.
 * @throws PublishError `PUBLISHER_REFUSED`
 */
export function readPublisherFile(did: string, bytes: Uint8Array): PublisherFile {
  const id = publisherIdOf(did)
  const name = `pub-${id}.json`
  try {
    const claimed = claimOf(name, bytes)
    const { publisher, version } = claimed
    if (publisher?.did !== did) throw refused(did, 'the file is of another publisher')
    const key = presentKey(publisher)
    const keys = { keys: new Map([[keyIdOf(key), key]]), threshold: 1 }
    const expected = { version, length: undefined, hashes: new Map(), blake3: undefined }
    const role = `pub-${id}`
    const targets = acceptTargets(role, keys, expected, undefined, bytes, { strict: true })
    return { did, id, key, targets, offers: offersOf(did, id, targets) }
  } catch (cause) {
    if (!(cause instanceof CatalogError)) throw cause
    throw refused(did, cause.message, cause)
  }
}

/** Who says to have signed it; proven by nothing yet. */
function claimOf(name: string, bytes: Uint8Array): TargetsModel {
  const { signed } = parseEnvelope(name, bytes, TARGETS_BYTES_MAX)
  const content = createHash('sha256').update(signedBytes(signed)).digest('hex')
  return parseTargets(name, { signed, content })
}

function offersOf(did: string, id: string, { targets, delegations }: TargetsModel) {
  if (delegations.length > 0) throw refused(did, 'it delegates to others')
  return [...targets].map(([path, target]) => {
    const read = readAppTarget(path, target)
    if (read.kind === 'offer' && read.offer.publisher === id) return read.offer
    const why = read.kind === 'refused' ? read.why : 'it is not below its own id'
    throw refused(did, `${path}: ${why}`)
  })
}
