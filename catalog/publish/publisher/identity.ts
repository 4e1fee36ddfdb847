/** A publisher without an origin: making its key, committing to the next one, and moving to that. */
import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { writeFileAtomic } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import { didKeyOf, publisherIdOf } from '../../trust/did-key.ts'
import type { KeyRotation } from '../../trust/document.ts'
import { commitmentBytes, commitmentTo } from '../../trust/publisher-chain.ts'
import { EMPTY_DRAFT, readDraft, writeDraft } from '../draft.ts'
import { encodeKeyFile, generateKey, type Protection } from '../keys/key-file.ts'
import { type PublisherKeyType, parseRecoveryText, recoveryText } from '../keys/recovery-text.ts'
import { type Signer, signerOf } from '../keys/signer.ts'
import { makeOriginFolder } from '../new-folder.ts'
import { lockOrigin, type OriginFolder, originFolder } from '../origin-folder.ts'
import { type FeedPublication, publishFeed, readLiveFeed } from './publish-feed.ts'
import { PUBLISHER_KEY_FILE, publisherOf } from './signer.ts'

export interface InitializedPublisher {
  readonly did: string
  readonly id: string
  /** The next key, for paper: it is kept nowhere else. */
  readonly recovery: string
  readonly publication: FeedPublication
}

export interface NewPublisher {
  readonly nowMs: number
  readonly type?: PublisherKeyType
  /** Without it the key is kept as it is. */
  readonly protection?: Protection | undefined
}

/** @throws PublishError `ORIGIN_EXISTS`, `PASSPHRASE_WEAK` */
export async function initPublisher(
  path: string,
  { nowMs, type = 'ed25519', protection }: NewPublisher,
): Promise<InitializedPublisher> {
  const { made } = await makeOriginFolder(path, async folder => {
    const key = generateKey(type)
    const next = generateKey(type)
    const did = didKeyOf(signerOf(key).publicKey)
    const rotations = [await commit(did, 0, signerOf(key), next)]
    await writeKey(folder, key, protection)
    await writeDraft(folder, { ...EMPTY_DRAFT, publisher: { did, rotations } })
    const publication = await publishFeed(folder.root, {
      nowMs,
      passphrase: async () => protection?.passphrase ?? '',
    })
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
  protection?: Protection,
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
  const next = generateKey(type)
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
  await writeKey(folder, key, protection)
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

async function writeKey(
  folder: OriginFolder,
  key: KeyObject,
  protection: Protection | undefined,
): Promise<void> {
  const path = join(folder.root, PUBLISHER_KEY_FILE)
  await writeFileAtomic(path, encodeKeyFile(key, protection), { mode: 0o600 })
}
