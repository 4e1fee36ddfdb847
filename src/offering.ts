/** Offers what the catalog lists and the store holds: manifests known here open their blobs for serving. */
import { type AppManifest, type Catalog, readManifest } from '../catalog/index.ts'
import type { BlobStore, Swarm } from '../swarm/index.ts'
import type { Digest } from './core/digest.ts'
import { messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'
import { type Servable, servableReleases } from './servable.ts'
import type { Wanted } from './wanted.ts'

export interface Offering {
  /** Brings what may be served, and what is announced, up to date with the catalog and the store. */
  refresh(): Promise<void>
  /** A release that is on its way is offered from its first piece on. */
  offerComing(release: Digest, manifest: AppManifest): void
}

interface Deps {
  readonly catalog: Pick<Catalog, 'offers'>
  readonly wanted: Pick<Wanted, 'list'>
  readonly store: Pick<BlobStore, 'verified' | 'held'>
  readonly servable: Servable
  readonly swarm: Pick<Swarm, 'announce'>
  readonly log: Log
}

export function createOffering({ catalog, wanted, store, servable, swarm, log }: Deps): Offering {
  const coming = new Set<Digest>()

  /** A release of which only the manifest is here is of no use to others. */
  const announce = (): void => {
    const isWorthIt = (release: Digest): boolean =>
      coming.has(release) || servable.blobs(release).some(blob => store.held(blob) !== undefined)
    swarm.announce(servable.releases().filter(isWorthIt))
  }

  return {
    async refresh() {
      const trusted = new Set(wanted.list().flatMap(({ trusts }) => trusts ?? []))
      const entries = servableReleases(catalog.offers(), trusted)
      servable.setEntries(entries)
      for (const entry of entries) {
        const release = entry.manifest.blake3
        // A manifest is read once, and not again at every refresh.
        if (servable.knows(release)) {
          if (store.held(release) === undefined) servable.dropManifest(release)
          continue
        }
        const blob = store.verified(release)
        if (blob === undefined) continue
        try {
          servable.addManifest(release, await readManifest(entry, blob))
        } catch (error) {
          log.warn('manifest not usable', { app: entry.app, reason: messageOf(error) })
        }
      }
      for (const release of coming) if (!servable.knows(release)) coming.delete(release)
      announce()
    },
    offerComing(release, manifest) {
      servable.addManifest(release, manifest)
      coming.add(release)
      announce()
    },
  }
}
