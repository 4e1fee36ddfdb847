/** Brings what an adoption needs onto this node, and hands it to the orchestrator: the manifest to claim, everything to take over. */
import { type Catalog, type CatalogEntry, type Platform, readManifest } from '../catalog/index.ts'
import type { AdoptionReport, AdoptTerms, AppStatus, Orchestrator } from '../orchestrator/index.ts'
import type { BlobStore, Swarm } from '../swarm/index.ts'
import type { Chooser } from './chooser.ts'
import { NodeError } from './core/errors.ts'
import { deliverLeased } from './leased-delivery.ts'
import type { Offering } from './offering.ts'
import { nameOf, type Wanted, type WantedApp } from './wanted.ts'

class AdopterError extends NodeError<'ADOPTION_NO_RELEASE'> {}

export interface Adopter {
  /** An app that was adopted is wanted from then on. @throws AdopterError `ADOPTION_NO_RELEASE`, and as the orchestrator's `adopt` */
  adopt(app: WantedApp, terms: AdoptTerms): Promise<AdoptionReport>
  /** @throws AdopterError `ADOPTION_NO_RELEASE`, and as the orchestrator's `takeOver` */
  takeOver(app: WantedApp): Promise<AppStatus>
  /** @throws as the orchestrator's `letGo` */
  letGo(id: string): Promise<void>
}

interface Deps {
  readonly catalog: Pick<Catalog, 'find'>
  readonly chooser: Chooser
  readonly orchestrator: Pick<Orchestrator, 'adopt' | 'takeOver' | 'letGo'>
  readonly wanted: Pick<Wanted, 'add' | 'remove'>
  readonly store: BlobStore
  readonly swarm: Swarm
  readonly offering: Pick<Offering, 'offerComing'>
  readonly platform: Platform
}

export function createAdopter(deps: Deps): Adopter {
  const { catalog, chooser, orchestrator, wanted, store, swarm, offering, platform } = deps

  /** What would be installed if nothing were: an adopted app may be of any version. */
  function entryOf(app: WantedApp): CatalogEntry {
    const { choice } = chooser.choose(app, undefined)
    if (choice.kind === 'install') return choice.entry
    // For an app that nobody knows this throws, with the nearest name.
    if (choice.kind === 'none' && choice.code === 'APP_UNKNOWN') {
      return catalog.find(nameOf(app), app.channel).head
    }
    const why = choice.kind === 'none' ? choice.why : 'the catalog has no release of it'
    throw new AdopterError('ADOPTION_NO_RELEASE', `${app.id} cannot be adopted: ${why}`)
  }

  return {
    async adopt(app, terms) {
      const entry = entryOf(app)
      const { blake3, size } = entry.manifest
      using _lease = store.lease([blake3])
      const options = { release: blake3, similar: [] }
      const manifestBlob = await swarm.fetch({ digest: blake3, sizeBytes: size }, options)
      const manifest = await readManifest(entry, manifestBlob)
      const report = await orchestrator.adopt({ entry, manifest, manifestBlob, platform }, terms)
      const { id, ...wish } = app
      if (!terms.isDryRun) await wanted.add(id, wish)
      return report
    },
    async takeOver(app) {
      const entry = entryOf(app)
      using delivered = await deliverLeased({ store, swarm }, entry, {
        platform,
        onManifest: manifest => offering.offerComing(entry.manifest.blake3, manifest),
      })
      return await orchestrator.takeOver(delivered.release)
    },
    async letGo(id) {
      await orchestrator.letGo(id)
      await wanted.remove(id)
    },
  }
}
