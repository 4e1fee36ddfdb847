/** `origin publish`: signs what is drafted and makes it the catalog, in one last rename. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef } from '../../src/core/blob.ts'
import { asDiskFull, readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import { TIMESTAMP_BYTES_MAX } from '../trust/limits.ts'
import { importedManifests } from './delegate.ts'
import { checkServedHead, type Deployment, deploy, TIMESTAMP } from './deploy.ts'
import type { Destination } from './destination/destination.ts'
import { type Draft, readDraft, writeDraft } from './draft.ts'
import { type AskPassphrase, type OriginKeys, openKeyring } from './keys/keyring.ts'
import {
  type LiveCatalog,
  readBack,
  readFrom,
  readLiveCatalog,
  timestampContent,
  verifyNext,
} from './live-catalog.ts'
import { namedBlobs, namedSeqs, releaseBlobs } from './named-blobs.ts'
import { lockOrigin, type OriginFolder, originFolder } from './origin-folder.ts'
import type { AddProgress } from './published-form.ts'
import { newestRoot, stagedPath, stagedRoot } from './root-file.ts'
import { type SignedFile, signCatalog } from './sign-catalog.ts'

export interface PublishOptions {
  readonly nowMs: number
  /** Where else it is served from; the folder's own public part is always brought up to date. */
  readonly destination?: Destination
  /** Refuse when the live catalog has another number; 0: there must be none. */
  readonly expectHead?: number
  /** Asked when a key that is needed is behind one; without it such a key counts as not here. */
  readonly passphrase?: AskPassphrase
  /** Renews timestamp, snapshot and registry and decides nothing: what a machine does every day, with the online keys alone. */
  readonly isStamp?: boolean
  readonly onProgress?: (progress: AddProgress) => void
  readonly signal?: AbortSignal
}

export interface Publication {
  /** Versions that are live now, by role. */
  readonly versions: Readonly<Record<string, number>>
  /** Roles that were signed anew. */
  readonly signed: readonly string[]
  /** Roles that should have been renewed, but whose keys could not be had; they hold until they expire. */
  readonly due: readonly string[]
  /** When nodes stop believing the catalog unless it is published again, milliseconds since the epoch. */
  readonly expiresMs: number
  /** Channels of apps that the catalog lists. */
  readonly entryCount: number
  /** What was brought where, and read back from there. */
  readonly deployment?: Deployment
}

/**
 * Signs and publishes the draft. A reader, or a crash at any point, sees the catalog before or the catalog after:
 * the timestamp, which names everything else, is replaced last, and only after our own verifier accepted the new
 * catalog as a node does that has seen the old one. What is served is then read back and verified.
 * @throws PublishError `ORIGIN_MISSING`, `ORIGIN_DAMAGED`, `ORIGIN_BUSY`, `KEY_MISSING`, `HEAD_UNEXPECTED`,
 * `DESTINATION_FAILED`, `PUBLICATION_UNVERIFIED`
 * @throws CatalogError when a node would not accept the result (an expired root, a wrong key); nothing is changed
 * @throws FileError `DISK_FULL`
 */
export async function publishOrigin(
  originPath: string,
  options: PublishOptions,
): Promise<Publication> {
  const folder = originFolder(originPath)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  try {
    return await publish(folder, options)
  } catch (error) {
    throw asDiskFull(error, folder.root)
  }
}

async function publish(folder: OriginFolder, options: PublishOptions): Promise<Publication> {
  const { nowMs, destination, expectHead, signal } = options
  const draft = await readDraft(folder)
  if (draft.publisher !== null) {
    throw new PublishError('ORIGIN_MISSING', `${folder.root} is the folder of a publisher`)
  }
  const blobs = [
    ...(await namedBlobs(folder, draft)),
    ...(await releaseBlobs(folder, await importedManifests(folder, draft))),
  ]
  const live = await readLiveCatalog(folder)
  checkHead(folder, draft, live, destination === undefined ? expectHead : undefined)
  if (destination !== undefined) {
    await checkServedHead(folder, destination, expectHead, signal)
  }
  const keys = await openKeyring(folder, options.passphrase ?? nobodyToAsk)
  if (options.isStamp === true && live === undefined) throw nothingToStamp(folder)
  const result = await signAndReplace(folder, draft, live, keys, options)
  await readBack(folder, folder.public, readFrom(folder), nowMs)
  if (destination === undefined) return result
  const deployment = await deployTo(folder, destination, blobs, options)
  return { ...result, deployment }
}

async function deployTo(
  folder: OriginFolder,
  destination: Destination,
  blobs: readonly BlobRef[],
  { nowMs, onProgress, signal }: PublishOptions,
): Promise<Deployment> {
  const verify = ({ name, get }: Destination) =>
    readBack(folder, name, (file, max) => get(`catalog/${file}`, max, signal), nowMs)
  return deploy(folder, destination, blobs, {
    last: TIMESTAMP,
    readBack: verify,
    onProgress,
    signal,
  })
}

async function signAndReplace(
  folder: OriginFolder,
  drafted: Draft,
  live: LiveCatalog | undefined,
  keys: OriginKeys,
  { nowMs, isStamp = false }: PublishOptions,
): Promise<Publication> {
  if (live !== undefined) await keepTimestamp(folder, live.timestamp.version)
  const draft = isStamp ? drafted : withPublished(drafted)
  const reserve = async (versions: Draft['versions']) =>
    writeDraft(folder, { ...draft, versions: { ...draft.versions, ...versions } })
  const newRoot = await stagedRoot(folder)
  const { document: root } = newRoot ?? (await newestRoot(folder))
  const { files, timestamp, signed, due } = await signCatalog(
    { folder, draft, live, keys, root, nowMs, isStamp },
    reserve,
  )
  for (const file of files) await writeCatalogFile(folder, file)
  const rootName = `${root.version}.root.json`
  const staged = new Map([[timestamp.name, timestamp.bytes]])
  if (newRoot !== undefined) staged.set(rootName, newRoot.bytes)
  const next = await verifyNext(folder, staged, live, nowMs)
  const { version, content } = timestampContent(folder.catalog, timestamp.bytes)
  const after = await readDraft(folder)
  const before = live && { version: live.timestamp.version, content: live.timestamp.content }
  const heads = [...(before === undefined ? [] : [before]), { version, content }]
  await writeDraft(folder, { ...after, heads })
  if (newRoot !== undefined) await writeCatalogFile(folder, { name: rootName, ...newRoot })
  await writeFileAtomic(join(folder.catalog, 'timestamp.json'), timestamp.bytes)
  await rm(stagedPath(folder, root.version), { force: true })
  await keepTimestamp(folder, version)
  await writeDraft(folder, { ...after, heads: [{ version, content }] })
  return { ...describe(next), signed, due }
}

function nothingToStamp(folder: OriginFolder): PublishError {
  return new PublishError(
    'ORIGIN_DAMAGED',
    `nothing is published in ${folder.root} yet: publish first`,
  )
}

/** Key files behind a passphrase count as not here when nobody can be asked. */
export function nobodyToAsk(): Promise<string> {
  return Promise.reject(
    new PublishError(
      'PASSPHRASE_REQUIRED',
      'a key is behind a passphrase and nobody can be asked for it: give --passphrase-file FILE, or set ARCHY_PASSPHRASE_FILE',
    ),
  )
}

function describe(next: LiveCatalog): Pick<Publication, 'versions' | 'expiresMs' | 'entryCount'> {
  const { root, timestamp, snapshot, targets, delegated } = next
  const documents = [root, timestamp, snapshot, targets, ...delegated.map(role => role.targets)]
  return {
    versions: {
      root: root.version,
      ...Object.fromEntries([...snapshot.meta].map(([role, meta]) => [role, meta.version])),
      snapshot: snapshot.version,
      timestamp: timestamp.version,
    },
    expiresMs: Math.min(...documents.map(({ expiresMs }) => expiresMs)),
    entryCount: delegated.reduce((sum, role) => sum + role.targets.targets.size, 0),
  }
}

/**
 * Releases that the catalog will name are marked before anything is signed, so that a version is never used for two
 * contents, wherever the process dies.
 */
export function withPublished(draft: Draft): Draft {
  const apps = Object.entries(draft.apps).map(([id, app]) => {
    const named = namedSeqs(app)
    const releases = app.releases.map(release =>
      named.has(release.seq) ? { ...release, isPublished: true } : release,
    )
    return [id, { ...app, releases }] as const
  })
  return { ...draft, apps: Object.fromEntries(apps) }
}

/** The folder itself may be an old copy: then its draft does not know the head that it serves. */
function checkHead(
  folder: OriginFolder,
  { heads }: Draft,
  live: LiveCatalog | undefined,
  expectHead: number | undefined,
): void {
  const version = live?.timestamp.version ?? 0
  if (expectHead !== undefined && expectHead !== version) {
    const found = version === 0 ? 'there is no catalog' : `the live catalog is ${version}`
    throw new PublishError(
      'HEAD_UNEXPECTED',
      `${found} in ${folder.catalog}, not ${expectHead}; nothing was signed or written`,
    )
  }
  if (live === undefined && heads.length === 0) return
  if (heads.some(({ content }) => content === live?.timestamp.content)) return
  const own = heads.map(head => head.version).join(' or ') || 'none'
  throw new PublishError(
    'HEAD_UNEXPECTED',
    `the live catalog in ${folder.catalog} is ${version || 'gone'}, but this folder published ${own} last. ` +
      'Somebody else published there, or a part of the folder is an old copy; nothing was signed or written',
  )
}

async function writeCatalogFile(folder: OriginFolder, { name, bytes }: SignedFile): Promise<void> {
  await writeFileAtomic(join(folder.catalog, name), bytes)
}

/** Keeps the live timestamp under its version too: who compares histories later needs it. */
async function keepTimestamp(folder: OriginFolder, version: number): Promise<void> {
  const path = join(folder.catalog, `${version}.timestamp.json`)
  if ((await readFileBounded(path, TIMESTAMP_BYTES_MAX)) !== undefined) return
  const bytes = await readFileBounded(join(folder.catalog, 'timestamp.json'), TIMESTAMP_BYTES_MAX)
  if (bytes !== undefined) await writeFileAtomic(path, bytes)
}
