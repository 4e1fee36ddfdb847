/** The chain of a publisher's keys: each commits to the next before that one is known. Pure. */
import { createHash } from 'node:crypto'
import { CatalogError } from '../errors.ts'
import { parseDidKey } from './did-key.ts'
import type { KeyRotation, PublicKey } from './document.ts'
import { signedBytes } from './envelope.ts'
import { isSignedBy, openKey } from './key.ts'
import type { PublisherModel } from './model.ts'

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
 * @throws CatalogError `PUBLISHER_CHAIN`, `DID_MALFORMED`
 */
export function presentKey({ did, next, rotations }: PublisherModel): PublicKey {
  if (rotations.length === 0) {
    if (next !== undefined) throw broken(did, 'its commitment to a next key is not signed')
    return parseDidKey(did)
  }
  if (rotations.length > ROTATION_COUNT_MAX) throw broken(did, 'it has too many rotations')
  let expected: string | undefined
  rotations.forEach((rotation, index) => {
    checkLink(did, rotation, index, expected)
    expected = rotation.next
  })
  if (next !== expected) throw broken(did, 'the last commitment is not the one that it states')
  return parseDidKey(rotations.at(-1)?.key ?? did)
}

/**
 * What was committed to once stays: a thief of the present key cannot put another next key in its place, and a key
 * that was replaced cannot come back.
 * @throws CatalogError `PUBLISHER_CHAIN`
 */
export function checkCommitments(
  { did, rotations }: PublisherModel,
  known: readonly string[],
): void {
  if (rotations.length < known.length) throw broken(did, 'its key was replaced already')
  known.forEach((next, index) => {
    if (rotations[index]?.next === next) return
    throw broken(did, `commitment ${index + 1} is not the one that this node has seen`)
  })
}

function checkLink(
  did: string,
  { key, next, sig }: KeyRotation,
  index: number,
  expected: string | undefined,
): void {
  if (index === 0 ? key !== did : commitmentTo(key) !== expected) {
    throw broken(did, `key ${index + 1} of its chain is not the one that was committed to`)
  }
  const opened = openKey(parseDidKey(key))
  if (opened === undefined || !isSignedBy(opened, commitmentBytes(did, index, next), sig)) {
    throw broken(did, `commitment ${index + 1} of its chain is not signed by the key of its time`)
  }
}

function broken(did: string, why: string): CatalogError {
  return new CatalogError('PUBLISHER_CHAIN', `the publisher ${did.slice(0, 80)}: ${why}`)
}
