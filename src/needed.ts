/** What this node needs of its store: the releases that it runs, ran before or wants, and what its owner pinned. */
import {
  type AppManifest,
  type AppOffer,
  type CatalogEntry,
  type Platform,
  releaseBlobs,
} from '../catalog/index.ts'
import type { InstalledRelease } from '../orchestrator/index.ts'
import type { VerifiedBlob } from './core/blob.ts'
import type { Digest } from './core/digest.ts'
import { messageOf, NodeError } from './core/errors.ts'
import type { PinSet } from './pins.ts'
import { nameOf, type WantedApp } from './wanted.ts'

/** It is not known what must be kept, so that nothing may go. */
export class NeededError extends NodeError<'NEEDS_UNKNOWN'> {}

export interface NeededRelease {
  readonly manifest: Digest
  readonly why: string
}

/** Which blobs must stay, and why: the first reason that was found. */
export type Needed = ReadonlyMap<Digest, string>

interface Deps {
  /** `undefined` while no catalog was ever accepted. */
  offers(): readonly AppOffer[] | undefined
  /** Publishers whose offers could not be read, although they were known once. */
  unknownFeeds(): readonly string[]
  wanted(): readonly WantedApp[]
  localManifests(): readonly CatalogEntry[]
  /** @throws when one record cannot be read */
  installed(): Promise<readonly InstalledRelease[]>
  /** @throws PinsError */
  pins(): Promise<PinSet>
  /** The manifest, when it is here. */
  manifestBlob(release: Digest): VerifiedBlob | undefined
  /** @throws ManifestError */
  readManifest(blob: VerifiedBlob): Promise<AppManifest>
  readonly platform: Platform
}

/** The result reads what is there now. @throws NeededError `NEEDS_UNKNOWN` */
export function createNeededReader(deps: Deps): () => Promise<Needed> {
  /** What was read once: a manifest never changes. */
  let known = new Map<Digest, readonly Digest[]>()

  async function read(): Promise<Needed> {
    const offers = deps.offers()
    if (offers === undefined) throw new Error('there is no catalog yet')
    const lost = deps.unknownFeeds()
    if (lost.length > 0) {
      const fix =
        'it comes again with a refresh, or is not needed once it is not in "feeds" any more'
      throw new Error(`the last file of ${lost.join(', ')} cannot be read; ${fix}`)
    }
    const pins = await deps.pins()
    const local = deps.localManifests()
    const releases = [
      ...(await deps.installed()).map(runningRelease),
      ...wantedReleases(offers, deps.wanted(), local),
      ...pinnedReleases(offers, pins),
    ]
    const needed = new Map<Digest, string>()
    const keep = (digest: Digest, why: string): void => {
      if (!needed.has(digest)) needed.set(digest, why)
    }
    const read = new Map<Digest, readonly Digest[]>()
    for (const { manifest, why } of releases) {
      keep(manifest, why)
      const blobs = read.get(manifest) ?? known.get(manifest) ?? (await blobsOf(deps, manifest))
      if (blobs === undefined) continue
      read.set(manifest, blobs)
      for (const blob of blobs) keep(blob, why)
    }
    known = read
    for (const blob of pins.blobs) keep(blob, 'pinned')
    for (const { app, manifest } of local) keep(manifest.blake3, `local manifest of ${app}`)
    return needed
  }

  return async () => {
    try {
      return await read()
    } catch (error) {
      const message = `what must be kept is not known, so nothing is deleted: ${messageOf(error)}`
      throw new NeededError('NEEDS_UNKNOWN', message, { cause: error })
    }
  }
}

/** `undefined` when the manifest is not here: then this node cannot know what it names. */
async function blobsOf(
  { manifestBlob, readManifest, platform }: Deps,
  release: Digest,
): Promise<readonly Digest[] | undefined> {
  const blob = manifestBlob(release)
  if (blob === undefined) return undefined
  return releaseBlobs(await readManifest(blob), platform).map(({ blake3 }) => blake3)
}

function runningRelease({ app, version, manifest, place }: InstalledRelease): NeededRelease {
  return { manifest, why: `${place}: ${app} ${version}` }
}

/** What a wanted app may be brought to: head, staged release, and the version that its owner pinned it to. Pure. */
export function wantedReleases(
  offers: readonly AppOffer[],
  wanted: readonly WantedApp[],
  local: readonly CatalogEntry[],
): readonly NeededRelease[] {
  return wanted.flatMap(app => {
    const own = offers.filter(offer => offer.app === app.id && offer.publisher === app.publisher)
    const entries = [
      ...own
        .filter(({ channel }) => channel === app.channel)
        .flatMap(({ head, next }) => [head, ...(next === undefined ? [] : [next.entry])]),
      ...own.flatMap(releasesOf).filter(({ version }) => version === app.pin),
      ...local.filter(entry => entry.app === app.id),
    ]
    return entries.map(entry => neededOf(entry, `wanted: ${nameOf(app)} ${entry.version}`))
  })
}

/** Every listed release of a pinned app, and every one whose manifest is pinned. Pure. */
export function pinnedReleases(
  offers: readonly AppOffer[],
  pins: PinSet,
): readonly NeededRelease[] {
  const apps = new Set(pins.apps)
  const blobs = new Set(pins.blobs)
  return offers
    .flatMap(releasesOf)
    .filter(
      ({ publisher, app, manifest }) =>
        apps.has(nameOf({ publisher, id: app })) || blobs.has(manifest.blake3),
    )
    .map(entry => neededOf(entry, `pinned: ${entry.app} ${entry.version}`))
}

function releasesOf({ head, next, older }: AppOffer): readonly CatalogEntry[] {
  return [head, ...(next === undefined ? [] : [next.entry]), ...older]
}

function neededOf({ manifest }: CatalogEntry, why: string): NeededRelease {
  return { manifest: manifest.blake3, why }
}
