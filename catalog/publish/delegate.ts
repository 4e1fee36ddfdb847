/** Listing other publishers at an origin: their signed file and every blob of it are imported, checked, and kept. */
import { join } from 'node:path'
import type { BlobRef } from '../../src/core/blob.ts'
import { readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import type { TargetOffer } from '../app-target.ts'
import { CatalogError, PublishError } from '../errors.ts'
import { parsePublishedManifest } from '../manifest/parse.ts'
import { parseDidKey, publisherIdOf } from '../trust/did-key.ts'
import { TARGETS_BYTES_MAX } from '../trust/limits.ts'
import { hasBlob, importBlob } from './blob-writer.ts'
import { feedName } from './destination/destination.ts'
import { type Draft, type DraftDelegation, readDraft, writeDraft } from './draft.ts'
import { blobPath, lockOrigin, type OriginFolder, originFolder } from './origin-folder.ts'
import { type AddProgress, blobsOf } from './published-form.ts'
import { type PublisherFile, readPublisherFile, refused } from './publisher/file.ts'
import type { PublisherSource } from './publisher/source.ts'

export interface DelegateOptions {
  readonly did: string
  /** `undefined`: as it is listed now. */
  readonly tier: 'claimed' | 'registry' | undefined
  readonly source: PublisherSource
  readonly nowMs: number
  readonly onProgress?: (progress: AddProgress) => void
  readonly signal?: AbortSignal
}

export interface Delegated {
  readonly did: string
  readonly id: string
  readonly tier: 'claimed' | 'registry'
  readonly version: number
  readonly expiresMs: number
  readonly apps: readonly string[]
  /** Bytes that the origin did not have yet. */
  readonly newBytes: number
  readonly outcome: 'added' | 'updated' | 'unchanged'
}

/**
 * Imports the newest file of a publisher and drafts its listing; `publishOrigin` makes it visible. Run again, it
 * updates. When it fails, the draft is as before; blobs that were copied stay.
 * @throws PublishError `PUBLISHER_REFUSED`, `BLOB_REFUSED`, `ORIGIN_MISSING`, `ORIGIN_BUSY`
 * @throws FileError `DISK_FULL`
 */
export async function delegateTo(path: string, options: DelegateOptions): Promise<Delegated> {
  const { did, source, nowMs } = options
  const folder = originFolder(path)
  checkDid(did)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  const draft = await readDraft(folder)
  const bytes = await fetchFile(source, did, options.signal)
  const file = readPublisherFile(did, bytes)
  const before = draft.delegations.find(delegation => delegation.did === did)
  checkNewer(draft, file, before, nowMs)
  const tier = options.tier ?? before?.tier
  if (tier === undefined || tier === 'ended') throw refused(did, 'it is not listed here yet')
  const newBytes = await importBlobs(folder, file.offers, options)
  const { id, key, targets } = file
  const { version, content, expiresMs } = targets
  await writeFileAtomic(join(folder.publishers, `${id}.json`), bytes)
  const entry: DraftDelegation = { did, id, tier, key: { ...key }, version, content }
  const others = draft.delegations.filter(delegation => delegation.did !== did)
  await writeDraft(folder, { ...draft, delegations: [...others, entry] })
  const apps = [...new Set(file.offers.map(({ app }) => app))]
  const isSame = before?.content === content && before.tier === tier
  const outcome = before === undefined ? 'added' : isSame ? 'unchanged' : 'updated'
  return { did, id, tier, version, expiresMs, apps, newBytes, outcome }
}

/**
 * Takes a publisher off the list. Revoked, nodes install nothing of it any more, from wherever it comes.
 * @throws PublishError `PUBLISHER_REFUSED`
 */
export async function endDelegation(path: string, did: string): Promise<void> {
  const folder = originFolder(path)
  checkDid(did)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  const draft = await readDraft(folder)
  if (draft.revokedDids.includes(did)) throw refused(did, 'it is revoked already')
  await writeDraft(folder, {
    ...draft,
    delegations: draft.delegations.map(delegation =>
      delegation.did === did ? { ...delegation, tier: 'ended' } : delegation,
    ),
    revokedDids: [...draft.revokedDids, did],
  })
}

/** Every blob of the imported publishers that the catalog names. @throws PublishError `ORIGIN_DAMAGED` */
export async function importedManifests(
  folder: OriginFolder,
  draft: Draft,
): Promise<readonly BlobRef[]> {
  const manifests: BlobRef[] = []
  for (const { did, id, tier } of draft.delegations) {
    if (tier === 'ended') continue
    const path = join(folder.publishers, `${id}.json`)
    const bytes = await readFileBounded(path, TARGETS_BYTES_MAX)
    if (bytes === undefined) {
      throw new PublishError('ORIGIN_DAMAGED', `${path} is missing; import the publisher again`)
    }
    manifests.push(...readPublisherFile(did, bytes).offers.flatMap(manifestsOf))
  }
  return manifests
}

async function importBlobs(
  folder: OriginFolder,
  offers: readonly TargetOffer[],
  { source, onProgress, signal }: DelegateOptions,
): Promise<number> {
  let newBytes = 0
  const take = async (blob: BlobRef): Promise<void> => {
    if (await hasBlob(folder, blob)) return
    await importBlob(folder, blob, source.blob(blob.blake3, signal))
    newBytes += blob.size
  }
  const manifests = offers.flatMap(manifestsOf)
  const blobs: BlobRef[] = []
  for (const manifest of manifests) {
    await take(manifest)
    const bytes = await readFileBounded(blobPath(folder, manifest.blake3), manifest.size)
    if (bytes !== undefined) blobs.push(...blobsOf(parsePublishedManifest(bytes)))
  }
  const totalBytes = blobs.reduce((sum, { size }) => sum + size, 0)
  let doneBytes = 0
  for (const blob of blobs) {
    signal?.throwIfAborted()
    await take(blob)
    doneBytes += blob.size
    onProgress?.({ doneBytes, totalBytes })
  }
  return newBytes
}

/** Everything that an offer lets a node install. */
export function manifestsOf({ head, next, older }: TargetOffer): readonly BlobRef[] {
  return [head, ...older, ...(next === undefined ? [] : [next.entry])].map(e => e.manifest)
}

/**
 * Records that the holders of the offline keys know of a fork: nodes go on from the catalog that is published next.
 * @param contents of both heads, as nodes report them (SHA-256, hex)
 * @throws PublishError `DECISION_REFUSED`
 */
export function acknowledgeFork(draft: Draft, contents: readonly [string, string]): Draft {
  const [a, b] = [...contents].sort()
  const isHash = (text: string | undefined) => /^[0-9a-f]{64}$/.test(text ?? '')
  if (a === undefined || b === undefined || a === b || !contents.every(isHash)) {
    throw new PublishError(
      'DECISION_REFUSED',
      'a fork is two different contents of 64 hex digits each, as the log of a node has them at "catalog fork"',
    )
  }
  const isKnown = draft.acknowledgedForks.some(fork => fork.includes(a) && fork.includes(b))
  return isKnown ? draft : { ...draft, acknowledgedForks: [...draft.acknowledgedForks, [a, b]] }
}

async function fetchFile(
  source: PublisherSource,
  did: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const name = feedName(publisherIdOf(did))
  const bytes = await source.get(name, TARGETS_BYTES_MAX, signal)
  if (bytes !== undefined) return bytes
  throw refused(did, `there is no ${name} at ${source.name}`)
}

function checkNewer(
  { revokedDids }: Draft,
  { did, targets }: PublisherFile,
  before: DraftDelegation | undefined,
  nowMs: number,
): void {
  if (revokedDids.includes(did)) {
    throw refused(did, 'it was revoked, which cannot be taken back; it needs a new identity')
  }
  if (targets.expiresMs <= nowMs) throw refused(did, 'its file is expired; it has to publish again')
  if (before === undefined) return
  if (targets.version < before.version) {
    throw refused(
      did,
      `its file is ${targets.version}, older than ${before.version} that is listed`,
    )
  }
  if (targets.version === before.version && targets.content !== before.content) {
    throw refused(did, `it signed two different files with the number ${targets.version}`)
  }
}

function checkDid(did: string): void {
  try {
    parseDidKey(did)
  } catch (cause) {
    if (!(cause instanceof CatalogError)) throw cause
    throw refused(did, cause.message, cause)
  }
}
