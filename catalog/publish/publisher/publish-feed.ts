/** Signs the one file of a publisher and makes it the feed: for nodes that trust its key, and for origins that list it. */
import { join } from 'node:path'
import { asDiskFull, readFileBounded, writeFileAtomic } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import { publisherIdOf } from '../../trust/did-key.ts'
import type { TargetsDocument } from '../../trust/document.ts'
import { TARGETS_BYTES_MAX } from '../../trust/limits.ts'
import { type Deployment, deploy, unexpected } from '../deploy.ts'
import { type Destination, feedName } from '../destination/destination.ts'
import { isCurrent } from '../documents.ts'
import { type Draft, readDraft, writeDraft } from '../draft.ts'
import type { AskPassphrase } from '../keys/keyring.ts'
import { signWith } from '../keys/signer.ts'
import { documentOf } from '../live-catalog.ts'
import { namedBlobs } from '../named-blobs.ts'
import { lockOrigin, type OriginFolder, originFolder } from '../origin-folder.ts'
import { nobodyToAsk, type PublishOptions, withPublished } from '../publish.ts'
import { DAY_MS, TERMS } from '../terms.ts'
import { type PublisherFile, publisherDocument, readPublisherFile } from './file.ts'
import { publisherOf, publisherSigner } from './signer.ts'

export interface FeedPublication {
  readonly did: string
  readonly id: string
  readonly version: number
  readonly expiresMs: number
  readonly entryCount: number
  /** Relative to the public part of the folder. */
  readonly feed: string
  readonly deployment?: Deployment
}

/** The name of the number of the file in the draft. */
const ROLE = 'publisher'
/** Signed by a person who is busy: as long as an origin lists a confirmed publisher. */
const TERM = 'claimed'

/** @throws PublishError `KEY_MISSING`, `ORIGIN_MISSING`, `ORIGIN_BUSY`, `HEAD_UNEXPECTED`, `PUBLICATION_UNVERIFIED` */
export async function publishFeed(path: string, options: PublishOptions): Promise<FeedPublication> {
  const folder = originFolder(path)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  try {
    return await publish(folder, options)
  } catch (error) {
    throw asDiskFull(error, folder.root)
  }
}

/** The feed that is in the folder; `undefined` before the first publication. @throws PublishError `PUBLISHER_REFUSED` */
export async function readLiveFeed(
  folder: OriginFolder,
  did: string,
): Promise<(PublisherFile & { readonly bytes: Uint8Array }) | undefined> {
  const bytes = await readFileBounded(feedPath(folder, did), TARGETS_BYTES_MAX)
  return bytes === undefined ? undefined : { ...readPublisherFile(did, bytes), bytes }
}

async function publish(folder: OriginFolder, options: PublishOptions): Promise<FeedPublication> {
  const { nowMs, destination, expectHead, onProgress, signal, passphrase = nobodyToAsk } = options
  const drafted = await readDraft(folder)
  const publisher = publisherOf(folder, drafted.publisher)
  const { did } = publisher
  const blobs = await namedBlobs(folder, drafted)
  const live = await readLiveFeed(folder, did)
  checkHead(folder.public, drafted, live, destination === undefined ? expectHead : undefined)
  if (destination !== undefined) {
    await checkServed(destination, drafted, did, live, expectHead, signal)
  }
  const file = await signFeed(folder, drafted, live, nowMs, passphrase)
  const { version, expiresMs } = file.targets
  const id = publisherIdOf(did)
  const result = { did, id, version, expiresMs, entryCount: file.offers.length, feed: feedName(id) }
  if (destination === undefined) return result
  const deployment = await deploy(folder, destination, blobs, {
    last: feedName(id),
    readBack: place => readBack(place, did, file, signal),
    onProgress,
    signal,
  })
  return { ...result, deployment }
}

async function signFeed(
  folder: OriginFolder,
  drafted: Draft,
  live: (PublisherFile & { readonly bytes: Uint8Array }) | undefined,
  nowMs: number,
  passphrase: AskPassphrase,
): Promise<PublisherFile> {
  const publisher = publisherOf(folder, drafted.publisher)
  const draft = withPublished(drafted)
  const version = Math.max(draft.versions[ROLE] ?? 0, live?.targets.version ?? 0) + 1
  const expiresMs = nowMs + TERMS[TERM].validDays * DAY_MS
  const document = publisherDocument(draft, publisher, { version, expiresMs })
  const before = live && documentOf<TargetsDocument>(live.bytes)
  if (live !== undefined && isCurrent(TERM, document, before, nowMs)) return live
  const signer = await publisherSigner(folder, publisher, passphrase)
  const reserved = { ...draft, versions: { ...draft.versions, [ROLE]: version } }
  await writeDraft(folder, reserved)
  const bytes = await signWith(document, [signer])
  const file = readPublisherFile(publisher.did, bytes)
  const head = headOf(file)
  await writeDraft(folder, { ...reserved, heads: [...(live ? [headOf(live)] : []), head] })
  await writeFileAtomic(feedPath(folder, publisher.did), bytes)
  await writeDraft(folder, { ...reserved, heads: [head] })
  return file
}

function headOf({ targets }: PublisherFile) {
  return { version: targets.version, content: targets.content }
}

function checkHead(
  place: string,
  { heads }: Draft,
  live: PublisherFile | undefined,
  expectHead: number | undefined,
): void {
  const version = live?.targets.version ?? 0
  if (expectHead !== undefined && expectHead !== version) {
    throw unexpected({ name: place }, `it has feed ${version}, not ${expectHead}`)
  }
  if (live === undefined && heads.length === 0) return
  if (heads.some(({ content }) => content === live?.targets.content)) return
  throw unexpected({ name: place }, `its feed ${version} is not the one that was signed here last`)
}

/** A feed that is older than ours is one of ours: only this key signs it. The same number must be the same feed. */
async function checkServed(
  destination: Destination,
  draft: Draft,
  did: string,
  live: PublisherFile | undefined,
  expectHead: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = await destination.get(feedName(publisherIdOf(did)), TARGETS_BYTES_MAX, signal)
  const served = bytes === undefined ? undefined : readPublisherFile(did, bytes)
  if (served !== undefined && served.targets.version < (live?.targets.version ?? 0)) {
    const { version } = served.targets
    if (expectHead === undefined || expectHead === version) return
  }
  checkHead(
    destination.name,
    served === undefined ? { ...draft, heads: [] } : draft,
    served,
    expectHead,
  )
}

async function readBack(
  { name, get }: Destination,
  did: string,
  { targets }: PublisherFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = await get(feedName(publisherIdOf(did)), TARGETS_BYTES_MAX, signal)
  const served = bytes === undefined ? undefined : readPublisherFile(did, bytes)
  if (served?.targets.content === targets.content) return
  const found = served === undefined ? 'no feed' : `feed ${served.targets.version}`
  throw new PublishError(
    'PUBLICATION_UNVERIFIED',
    `${name} serves ${found}, not feed ${targets.version} that was published; publish again`,
  )
}

function feedPath(folder: OriginFolder, did: string): string {
  return join(folder.feeds, `${publisherIdOf(did)}.json`)
}
