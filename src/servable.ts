/** Which blobs this node may serve and announce: those reachable from the verified catalog, and nothing else. */
import type { AppManifest, AppOffer, CatalogEntry } from '../catalog/index.ts'
import type { Digest } from './core/digest.ts'

export interface Servable {
  /** Takes the same short time however much there is: it is asked for every request of every peer. */
  mayServe(digest: Digest): boolean
  /** Replaces the catalog's entries; the manifests of those that are gone are forgotten. */
  setEntries(entries: readonly CatalogEntry[]): void
  /** Every blob that a verified manifest names may be served as long as the catalog lists the release. */
  addManifest(release: Digest, manifest: AppManifest): void
  /** What the manifest names may no longer be served: the manifest itself is gone from this node. */
  dropManifest(release: Digest): void
  /** True when the manifest of the release is known here. */
  knows(release: Digest): boolean
  /** The image blobs of a release; none while its manifest is not known here. */
  blobs(release: Digest): readonly Digest[]
  /** The size of an image blob, and a release that names it; `undefined` when no known one does. */
  find(digest: Digest): { readonly sizeBytes: number; readonly release: Digest } | undefined
  /** The releases whose manifest is known here: those worth announcing. */
  releases(): readonly Digest[]
}

/**
 * Every release that the catalog still allows: a node that is pinned, or not reached yet, needs the others too. Of a
 * publisher for whom nobody vouches only when the owner trusts its `did:key`. Pure.
 */
export function servableReleases(
  offers: readonly AppOffer[],
  trusted: ReadonlySet<string>,
): readonly CatalogEntry[] {
  return offers.flatMap(({ head, next, older, standing, tier, did = '' }) => {
    if (standing === 'revoked' || (tier === 'feed' && !trusted.has(did))) return []
    return next === undefined ? [head, ...older] : [head, next.entry, ...older]
  })
}

export function createServable(): Servable {
  let listed: ReadonlySet<Digest> = new Set()
  const blobsByRelease = new Map<Digest, ReadonlyMap<Digest, number>>()
  /** How many known releases name a blob. */
  const namedCount = new Map<Digest, number>()
  const dropManifest = (release: Digest): void => {
    for (const blob of blobsByRelease.get(release)?.keys() ?? []) {
      const left = (namedCount.get(blob) ?? 0) - 1
      if (left > 0) namedCount.set(blob, left)
      else namedCount.delete(blob)
    }
    blobsByRelease.delete(release)
  }
  return {
    mayServe: digest => listed.has(digest) || namedCount.has(digest),
    setEntries(entries) {
      listed = new Set(entries.map(entry => entry.manifest.blake3))
      for (const release of blobsByRelease.keys()) if (!listed.has(release)) dropManifest(release)
    },
    addManifest(release, manifest) {
      if (!listed.has(release) || blobsByRelease.has(release)) return
      const blobs = blobsOf(manifest)
      blobsByRelease.set(release, blobs)
      for (const blob of blobs.keys()) namedCount.set(blob, (namedCount.get(blob) ?? 0) + 1)
    },
    dropManifest,
    knows: release => blobsByRelease.has(release),
    blobs: release => [...(blobsByRelease.get(release)?.keys() ?? [])],
    find(digest) {
      for (const [release, blobs] of blobsByRelease) {
        const sizeBytes = blobs.get(digest)
        if (sizeBytes !== undefined) return { sizeBytes, release }
      }
      return undefined
    },
    releases: () => [...blobsByRelease.keys()],
  }
}

/** Each once, over all platforms, with its size. */
function blobsOf(manifest: AppManifest): ReadonlyMap<Digest, number> {
  const images = Object.values(manifest.images).flatMap(image => Object.values(image.platforms))
  const refs = images.flatMap(image => [image.manifest, image.config, ...image.layers])
  return new Map(refs.map(ref => [ref.blake3, ref.size]))
}
