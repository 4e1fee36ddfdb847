/** A publisher without an origin: making its key, committing to the next one, and moving to that. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { writeFileAtomic } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import { didKeyOf, publisherIdOf } from '../../trust/did-key.ts'
import type { KeyRotation } from '../../trust/document.ts'
import { EMPTY_DRAFT, readDraft, writeDraft } from '../draft.ts'
import { type Signer, signerOf } from '../keys/signer.ts'
import { makeOriginFolder } from '../new-folder.ts'
import { keyPath, lockOrigin, type OriginFolder, originFolder } from '../origin-folder.ts'
import { commitmentBytes, commitmentTo } from './chain.ts'
import { type FeedPublication, publishFeed, readLiveFeed } from './publish-feed.ts'
import { type PublisherKeyType, parseRecoveryText, recoveryText } from './recovery-text.ts'
import { PUBLISHER_KEY, publisherOf } from './signer.ts'

export interface InitializedPublisher {
  readonly did: string
  readonly id: string
  /** The next key, for paper: it is kept nowhere else. */
  readonly recovery: string
  readonly publication: FeedPublication
}

/** @throws PublishError `ORIGIN_EXISTS` */
export async function initPublisher(
  path: string,
  { nowMs, type = 'ed25519' }: { readonly nowMs: number; readonly type?: PublisherKeyType },
): Promise<InitializedPublisher> {
  const { made } = await makeOriginFolder(path, async folder => {
    const key = newKey(type)
    const next = newKey(type)
    const did = didKeyOf(signerOf(key).publicKey)
    const rotations = [await commit(did, 0, signerOf(key), next)]
    await writeKey(folder, key)
    await writeDraft(folder, { ...EMPTY_DRAFT, publisher: { did, rotations } })
    const publication = await publishFeed(folder.root, { nowMs })
    return { did, id: publisherIdOf(did), recovery: recoveryText(type, next), publication }
  })
  return made
}

/**
 * Moves to the key that the last commitment speaks of, and commits to a new one. Readers follow it by the chain.
 * @returns the new next key, for paper
 * @throws PublishError `KEY_MISSING` when `recovery` is not the key that was committed to
 */
export async function rotatePublisher(
  path: string,
  recovery: string,
): Promise<{ readonly did: string; readonly recovery: string }> {
  const folder = originFolder(path)
  const { type, key } = parseRecoveryText(recovery)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  const draft = await readDraft(folder)
  const { did, rotations } = publisherOf(folder, draft.publisher)
  const signer = signerOf(key)
  const present = didKeyOf(signer.publicKey)
  const isTaken = rotations.at(-1)?.key === present
  if (!isTaken && commitmentTo(present) !== rotations.at(-1)?.next) {
    throw new PublishError(
      'KEY_MISSING',
      'this is not the key that the publisher committed to; use the newest recovery sheet',
    )
  }
  const next = newKey(type)
  const published = (await readLiveFeed(folder, did))?.targets.publisher?.rotations.length ?? 0
  if (isTaken && published >= rotations.length) {
    throw new PublishError(
      'KEY_MISSING',
      'this key signs already; use the recovery sheet that was printed when it was taken',
    )
  }
  const place = isTaken ? rotations.length - 1 : rotations.length
  const kept = rotations.slice(0, place)
  const committed = await commit(did, place, signer, next)
  // The key first: a crash between the two leaves a key that the next attempt with the same sheet finds again.
  await writeKey(folder, key)
  await writeDraft(folder, { ...draft, publisher: { did, rotations: [...kept, committed] } })
  return { did, recovery: recoveryText(type, next) }
}

async function commit(
  did: string,
  index: number,
  signer: Signer,
  nextKey: KeyObject,
): Promise<KeyRotation> {
  const next = commitmentTo(didKeyOf(signerOf(nextKey).publicKey))
  const sig = await signer.sign(commitmentBytes(did, index, next))
  return { key: didKeyOf(signer.publicKey), next, sig }
}

async function writeKey(folder: OriginFolder, key: KeyObject): Promise<void> {
  const pem = key.export({ format: 'pem', type: 'pkcs8' })
  await writeFileAtomic(keyPath(folder, PUBLISHER_KEY), pem, { mode: 0o600 })
}

function newKey(type: PublisherKeyType): KeyObject {
  return type === 'ed25519'
    ? generateKeyPairSync('ed25519').privateKey
    : generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
}
