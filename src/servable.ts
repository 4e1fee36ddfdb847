/** Which blobs this node may serve and announce: those reachable from the verified catalog, and nothing else. */
import type { AppManifest, AppOffer, CatalogEntry } from '../catalog/index.ts'
import type { Digest } from './core/digest.ts'

export interface Servable {
  mayServe(digest: Digest): boolean
  /** Replaces the catalog's entries; the manifests of those that are gone are forgotten. */
  setEntries(entries: readonly CatalogEntry[]): void
  /** Every blob that a verified manifest names may be served as long as the catalog lists the release. */
  addManifest(release: Digest, manifest: AppManifest): void
  /** The image blobs of a release; none while its manifest is not known here. */
  blobs(release: Digest): readonly Digest[]
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
  const blobsByRelease = new Map<Digest, ReadonlySet<Digest>>()
  let reachable: ReadonlySet<Digest> = new Set()
  const rebuild = (): void => {
    reachable = new Set([...listed, ...[...blobsByRelease.values()].flatMap(blobs => [...blobs])])
  }
  return {
    mayServe: digest => reachable.has(digest),
    setEntries(entries) {
      listed = new Set(entries.map(entry => entry.manifest.blake3))
      for (const release of blobsByRelease.keys()) {
        if (!listed.has(release)) blobsByRelease.delete(release)
      }
      rebuild()
    },
    addManifest(release, manifest) {
      if (!listed.has(release)) return
      blobsByRelease.set(release, blobsOf(manifest))
      rebuild()
    },
    blobs: release => [...(blobsByRelease.get(release) ?? [])],
    releases: () => [...blobsByRelease.keys()],
  }
}

function blobsOf(manifest: AppManifest): ReadonlySet<Digest> {
  const images = Object.values(manifest.images).flatMap(image => Object.values(image.platforms))
  return new Set(
    images.flatMap(image => [image.manifest, image.config, ...image.layers].map(ref => ref.blake3)),
  )
}
