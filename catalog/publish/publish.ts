/** `origin publish`: signs what is drafted and makes it the catalog, in one last rename. */
import { join } from 'node:path'
import { asDiskFull, readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import { parsePublishedManifest } from '../manifest/parse.ts'
import { TIMESTAMP_BYTES_MAX } from '../trust/limits.ts'
import { hasBlob } from './blob-writer.ts'
import { channelFields } from './documents.ts'
import { type Draft, type DraftApp, readDraft, writeDraft } from './draft.ts'
import { readKey } from './keys.ts'
import { type LiveCatalog, readLiveCatalog, verifyNext } from './live-catalog.ts'
import { blobPath, lockOrigin, type OriginFolder, originFolder } from './origin-folder.ts'
import { blobsOf } from './published-form.ts'
import { signCatalog } from './sign.ts'

export interface CatalogVersions {
  readonly targets: number
  readonly snapshot: number
  readonly timestamp: number
}

export interface Publication {
  /** Versions that are live now. */
  readonly versions: CatalogVersions
  /** When nodes stop believing the catalog unless it is published again, milliseconds since the epoch. */
  readonly expiresMs: number
  /** Heads of channels that the catalog lists. */
  readonly entryCount: number
}

/**
 * Signs and publishes the draft. A reader, or a crash at any point, sees the catalog before or the catalog after:
 * the timestamp, which names everything else, is replaced last, and only after our own verifier accepted the new
 * catalog as a node does that has seen the old one.
 * @throws PublishError `ORIGIN_MISSING`, `ORIGIN_DAMAGED`, `ORIGIN_BUSY`, `KEY_MISSING`
 * @throws CatalogError when a node would not accept the result (an expired root, a wrong key); nothing is changed
 * @throws FileError `DISK_FULL`
 */
export async function publishOrigin(
  originPath: string,
  { nowMs }: { readonly nowMs: number },
): Promise<Publication> {
  const folder = originFolder(originPath)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  try {
    return await publish(folder, nowMs)
  } catch (error) {
    throw asDiskFull(error, folder.root)
  }
}

async function publish(folder: OriginFolder, nowMs: number): Promise<Publication> {
  const keys = {
    targets: await readKey(folder, 'targets'),
    snapshot: await readKey(folder, 'snapshot'),
    timestamp: await readKey(folder, 'timestamp'),
  }
  const live = await readLiveCatalog(folder)
  if (live !== undefined) await keepTimestamp(folder, live.timestamp.version)
  const { draft, versions } = reserve(await readDraft(folder), live)
  await checkBlobs(folder, draft)
  await writeDraft(folder, draft)
  const previous = live && { version: live.timestamp.version, sha256: live.timestamp.content }
  const files = signCatalog(draft, keys, previous, nowMs)
  await writeFileAtomic(join(folder.catalog, `${versions.targets}.targets.json`), files.targets)
  await writeFileAtomic(join(folder.catalog, `${versions.snapshot}.snapshot.json`), files.snapshot)
  const next = await verifyNext(folder, files.timestamp, nowMs)
  await writeFileAtomic(join(folder.catalog, 'timestamp.json'), files.timestamp)
  await keepTimestamp(folder, versions.timestamp)
  const { root, timestamp, snapshot, targets } = next
  const expiries = [root, timestamp, snapshot, targets].map(({ expiresMs }) => expiresMs)
  return { versions, expiresMs: Math.min(...expiries), entryCount: targets.targets.size }
}

/**
 * The draft with the versions to sign, and its heads marked as published. Written before anything is signed, so that
 * a version number, or a release's version, is never used for two contents, wherever the process dies.
 */
function reserve(draft: Draft, live: LiveCatalog | undefined): Reserved {
  const next = (role: keyof CatalogVersions) =>
    Math.max(draft.versions[role] ?? 0, live?.[role].version ?? 0) + 1
  const apps = Object.entries(draft.apps).map(([id, app]) => {
    const named = namedSeqs(app)
    const releases = app.releases.map(release =>
      named.has(release.seq) ? { ...release, isPublished: true } : release,
    )
    return [id, { ...app, releases }] as const
  })
  const versions = {
    targets: next('targets'),
    snapshot: next('snapshot'),
    timestamp: next('timestamp'),
  }
  return { draft: { ...draft, versions, apps: Object.fromEntries(apps) }, versions }
}

interface Reserved {
  readonly draft: Draft
  readonly versions: CatalogVersions
}

/** The releases that the catalog says something of: nodes may ask for their blobs. */
function namedSeqs(app: DraftApp): ReadonlySet<number> {
  const channels = Object.values(app.channels).map(channel => channelFields(app, channel))
  return new Set(
    channels
      .flatMap(({ head, next, older = [] }) => [head, ...older, ...(next ? [next.release] : [])])
      .map(({ seq }) => seq),
  )
}

/** What the catalog names must be there before it is named. */
async function checkBlobs(folder: OriginFolder, draft: Draft): Promise<void> {
  for (const app of Object.values(draft.apps)) {
    const named = namedSeqs(app)
    for (const { seq, manifest } of app.releases) {
      if (!named.has(seq)) continue
      const bytes = await readFileBounded(blobPath(folder, manifest.blake3), manifest.size)
      if (bytes === undefined) throw absent(folder, manifest.blake3)
      for (const blob of blobsOf(parsePublishedManifest(bytes))) {
        if (!(await hasBlob(folder, blob))) throw absent(folder, blob.blake3)
      }
    }
  }
}

function absent(folder: OriginFolder, digest: string): PublishError {
  const why = `the blob ${digest} is missing or has the wrong size`
  const fix = 'add the app again with "archy origin add"'
  return new PublishError('ORIGIN_DAMAGED', `${why} in ${folder.blobs}; ${fix}`)
}

/** Keeps the live timestamp under its version too: who compares histories later needs it. */
async function keepTimestamp(folder: OriginFolder, version: number): Promise<void> {
  const path = join(folder.catalog, `${version}.timestamp.json`)
  if ((await readFileBounded(path, TIMESTAMP_BYTES_MAX)) !== undefined) return
  const bytes = await readFileBounded(join(folder.catalog, 'timestamp.json'), TIMESTAMP_BYTES_MAX)
  if (bytes !== undefined) await writeFileAtomic(path, bytes)
}
