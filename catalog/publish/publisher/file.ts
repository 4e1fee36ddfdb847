/** The signed file of a publisher: what it says, and whether it may be believed. Pure. */
import { readAppTarget, type TargetOffer } from '../../app-target.ts'
import { CatalogError, PublishError } from '../../errors.ts'
import { publisherIdOf } from '../../trust/did-key.ts'
import type { PublicKey, TargetsDocument } from '../../trust/document.ts'
import { acceptFeed } from '../../trust/feed.ts'
import type { TargetsModel } from '../../trust/model.ts'
import { appTargets, type Issue, targetsFields } from '../documents.ts'
import type { Draft, DraftPublisher } from '../draft.ts'

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
 * Believes the file of a publisher by nothing but its `did:key`, and refuses entries that nodes could not use.
 * @throws PublishError `PUBLISHER_REFUSED`
 */
export function readPublisherFile(did: string, bytes: Uint8Array): PublisherFile {
  try {
    const { key, targets } = acceptFeed(did, bytes)
    return { did, id: publisherIdOf(did), key, targets, offers: offersOf(did, targets) }
  } catch (cause) {
    if (!(cause instanceof CatalogError)) throw cause
    throw refused(did, cause.message, cause)
  }
}

function offersOf(did: string, { targets }: TargetsModel): readonly TargetOffer[] {
  return [...targets].map(([path, target]) => {
    const read = readAppTarget(path, target)
    if (read.kind === 'offer') return read.offer
    throw refused(did, `${path}: ${read.kind === 'refused' ? read.why : 'it is no app'}`)
  })
}

export function refused(did: string, why: string, cause?: unknown): PublishError {
  const shown = did.slice(0, 80)
  return new PublishError('PUBLISHER_REFUSED', `the publisher ${shown} cannot be used: ${why}`, {
    cause,
  })
}
