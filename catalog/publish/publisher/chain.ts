/** The chain of a publisher's keys: each commits to the next before that one is known. Pure. */
import { createHash } from 'node:crypto'
import { CatalogError, PublishError } from '../../errors.ts'
import { parseDidKey } from '../../trust/did-key.ts'
import type { KeyRotation, PublicKey } from '../../trust/document.ts'
import { signedBytes } from '../../trust/envelope.ts'
import { isSignedBy, openKey } from '../../trust/key.ts'
import type { PublisherModel } from '../../trust/model.ts'

/** More rotations than a publisher makes in a life. */
const ROTATION_COUNT_MAX = 100

/** SHA-256 (hex) of the text of a `did:key`: what a publisher commits to. */
export function commitmentTo(did: string): string {
  return createHash('sha256').update(did, 'utf8').digest('hex')
}

/** What the key of place `index` signs to commit to the next one. */
export function commitmentBytes(did: string, index: number, next: string): Uint8Array {
  return signedBytes({ _type: 'x-commitment', did, index, next })
}

/**
 * The key that signs for the publisher now, when the chain leads to it from its first key.
 * @throws PublishError `PUBLISHER_REFUSED`
 */
export function presentKey({ did, next, rotations }: PublisherModel): PublicKey {
  if (rotations.length === 0) {
    if (next !== undefined) throw refused(did, 'its commitment to a next key is not signed')
    return keyOf(did, did)
  }
  if (rotations.length > ROTATION_COUNT_MAX) throw refused(did, 'it has too many rotations')
  let expected: string | undefined
  rotations.forEach((rotation, index) => {
    checkLink(did, rotation, index, expected)
    expected = rotation.next
  })
  if (next !== expected) throw refused(did, 'the last commitment is not the one that it states')
  return keyOf(did, rotations.at(-1)?.key ?? did)
}

function checkLink(
  did: string,
  { key, next, sig }: KeyRotation,
  index: number,
  expected: string | undefined,
): void {
  if (index === 0 ? key !== did : commitmentTo(key) !== expected) {
    throw refused(did, `key ${index + 1} of its chain is not the one that was committed to`)
  }
  const opened = openKey(keyOf(did, key))
  if (opened === undefined || !isSignedBy(opened, commitmentBytes(did, index, next), sig)) {
    throw refused(did, `commitment ${index + 1} of its chain is not signed by the key of its time`)
  }
}

function keyOf(did: string, key: string): PublicKey {
  try {
    return parseDidKey(key)
  } catch (cause) {
    if (!(cause instanceof CatalogError)) throw cause
    throw refused(did, cause.message, cause)
  }
}

export function refused(did: string, why: string, cause?: unknown): PublishError {
  const shown = did.slice(0, 80)
  return new PublishError('PUBLISHER_REFUSED', `the publisher ${shown} cannot be used: ${why}`, {
    cause,
  })
}
