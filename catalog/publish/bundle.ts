/** `origin bundle export`: the catalog and chosen apps in a folder, for a disk that is carried to nodes without a network. */
import { createReadStream } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { BlobRef } from '../../src/core/blob.ts'
import { createDigestHasher } from '../../src/core/digest.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { FIRST_PARTY, readAppTarget, type TargetOffer } from '../app-target.ts'
import { PublishError } from '../errors.ts'
import { ROOT_BYTES_MAX } from '../trust/limits.ts'
import { manifestsOf } from './delegate.ts'
import { type Deployment, deploy, TIMESTAMP } from './deploy.ts'
import { type Destination, feedName, type PublicName } from './destination/destination.ts'
import { openFolderDestination } from './destination/folder.ts'
import { readDraft } from './draft.ts'
import { type LiveCatalog, readBack, readLiveCatalog } from './live-catalog.ts'
import { releaseBlobs } from './named-blobs.ts'
import { blobPath, lockOrigin, originFolder } from './origin-folder.ts'
import type { AddProgress } from './published-form.ts'

export interface BundleOptions {
  readonly out: string
  /** `hello`, or `<publisher>.hello`; none: every app. */
  readonly apps: readonly string[]
  readonly nowMs: number
  readonly onProgress?: (progress: AddProgress) => void
  readonly signal?: AbortSignal
}

export interface Bundle {
  readonly folder: string
  /** Of the catalog in it. */
  readonly version: number
  readonly expiresMs: number
  readonly apps: readonly string[]
  readonly deployment: Deployment
}

/** Left free beside the bundle: a file system that is full to the last byte hurts everybody. */
const SPARE_BYTES = 16 * 2 ** 20

/**
 * Writes what is published now, not what is drafted, in the origin's own layout: any web server can serve it. Run
 * again on the same folder, it adds what is missing.
 * @throws PublishError `BUNDLE_REFUSED`, `RELEASE_UNKNOWN`, `ORIGIN_MISSING`, `ORIGIN_DAMAGED`, `ORIGIN_BUSY`
 * @throws FileError `DISK_FULL`
 */
export async function exportBundle(path: string, options: BundleOptions): Promise<Bundle> {
  const { out, nowMs, onProgress, signal } = options
  const folder = originFolder(path)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  const live = await readLiveCatalog(folder)
  if (live === undefined) {
    throw new PublishError('BUNDLE_REFUSED', `${folder.root} has published nothing yet`)
  }
  const offers = chooseOffers(offersOf(live), options.apps)
  const blobs = await releaseBlobs(folder, offers.flatMap(manifestsOf))
  const target = resolve(out)
  const destination = await openFolderDestination(target)
  await checkSameOrigin(destination, folder.catalog)
  const deployment = await deploy(folder, destination, blobs, {
    last: TIMESTAMP,
    isWanted: wantedFiles(live),
    onTotal: bytes => checkSpace(target, bytes),
    readBack: async ({ name, get }) => {
      // Expired or not is for the node to judge: a bundle may be on its way for weeks.
      const atMs = Math.min(nowMs, live.timestamp.expiresMs - 1)
      await readBack(folder, name, (file, max) => get(`catalog/${file}`, max), atMs)
      await checkBlobs(originFolderOfBundle(target), blobs, signal)
    },
    onProgress,
    signal,
  })
  const apps = [...new Set(offers.map(nameOf))].sort()
  const { version, expiresMs } = live.timestamp
  return { folder: target, version, expiresMs, apps, deployment }
}

/** The root chain, the newest set, and the timestamps before it, by which nodes see that no history was left out. */
function wantedFiles({ root, snapshot, delegated }: LiveCatalog): (name: PublicName) => boolean {
  const names = new Set([TIMESTAMP, `catalog/${snapshot.version}.snapshot.json`])
  for (let version = 1; version <= root.version; version += 1) {
    names.add(`catalog/${version}.root.json`)
  }
  for (const [role, { version }] of snapshot.meta) names.add(`catalog/${version}.${role}.json`)
  for (const { name } of delegated) {
    if (name.startsWith('pub-')) names.add(feedName(name.slice('pub-'.length)))
  }
  return name => names.has(name) || /^catalog\/\d+\.timestamp\.json$/.test(name)
}

function offersOf({ delegated }: LiveCatalog): readonly TargetOffer[] {
  return delegated.flatMap(({ targets, speaksFor }) =>
    [...targets.targets].flatMap(([path, target]) => {
      const read = speaksFor(path) ? readAppTarget(path, target) : undefined
      return read?.kind === 'offer' ? [read.offer] : []
    }),
  )
}

function chooseOffers(
  offers: readonly TargetOffer[],
  wanted: readonly string[],
): readonly TargetOffer[] {
  const known = new Set(offers.map(nameOf))
  const unknown = wanted.find(app => !known.has(app))
  if (unknown !== undefined) {
    const shown = JSON.stringify(unknown.slice(0, 80))
    const list = [...known].sort().slice(0, 20).join(', ') || 'none'
    throw new PublishError(
      'RELEASE_UNKNOWN',
      `no app ${shown} is published here; published are ${list}`,
    )
  }
  return wanted.length === 0 ? offers : offers.filter(offer => wanted.includes(nameOf(offer)))
}

function nameOf({ publisher, app }: TargetOffer): string {
  return publisher === FIRST_PARTY ? app : `${publisher}.${app}`
}

/** A folder with another origin's catalog would become a mixture that no node accepts. */
async function checkSameOrigin(destination: Destination, catalog: string): Promise<void> {
  const there = await destination.get('catalog/1.root.json', ROOT_BYTES_MAX)
  const own = await readFileBounded(join(catalog, '1.root.json'), ROOT_BYTES_MAX)
  if (there === undefined || (own !== undefined && Buffer.compare(there, own) === 0)) return
  throw new PublishError(
    'BUNDLE_REFUSED',
    `${destination.name} holds the catalog of another origin; give an empty folder`,
  )
}

async function checkSpace(target: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(target)
  const free = bavail * bsize
  if (free >= bytes + SPARE_BYTES) return
  throw new PublishError(
    'BUNDLE_REFUSED',
    `the bundle needs ${megabytes(bytes)} more, and ${target} has ${megabytes(free)} left; nothing was written. ` +
      'Choose fewer apps with --app',
  )
}

/** Disks that are carried around lose bits: every blob is read again from there. */
async function checkBlobs(
  bundle: ReturnType<typeof originFolder>,
  blobs: readonly BlobRef[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { blake3 } of blobs) {
    signal?.throwIfAborted()
    const path = blobPath(bundle, blake3)
    const hasher = createDigestHasher()
    for await (const part of createReadStream(path) as AsyncIterable<Buffer>) hasher.update(part)
    if (hasher.digest() === blake3) continue
    throw new PublishError(
      'BUNDLE_REFUSED',
      `${path} reads back with other bytes than were written; remove it, and do not trust this disk`,
    )
  }
}

/** A bundle is laid out as the public part of an origin. */
function originFolderOfBundle(path: string): ReturnType<typeof originFolder> {
  const folder = originFolder(path)
  return { ...folder, public: path, blobs: join(path, 'blobs', 'blake3') }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
