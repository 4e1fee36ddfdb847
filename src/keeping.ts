/** Builds what looks after the store: what is kept, what goes, and whether it is still what it was. */
import { type Catalog, type Platform, readStoredManifest } from '../catalog/index.ts'
import type { Orchestrator } from '../orchestrator/index.ts'
import type { BlobStore, Swarm } from '../swarm/index.ts'
import { COLLECT_LOOK_INTERVAL_MS, type Collector, createCollector } from './collector.ts'
import type { Clock } from './core/clock.ts'
import type { Log } from './core/log.ts'
import { openDamagedBlobs } from './damaged-blobs.ts'
import { every } from './every.ts'
import type { LocalManifests } from './local-manifests.ts'
import { createNeededReader } from './needed.ts'
import type { Offering } from './offering.ts'
import { createPins, type Pins } from './pins.ts'
import { createScrubRounds, SCRUB_LOOK_INTERVAL_MS } from './scrub-rounds.ts'
import { createScrubber, type Scrubber } from './scrubber.ts'
import type { Servable } from './servable.ts'
import type { Wanted } from './wanted.ts'

export interface Keeping extends AsyncDisposable {
  readonly pins: Pins
  readonly collector: Collector
  readonly scrubber: Scrubber
  /** Begins what goes on by itself; until then only a download that needs room makes something go. */
  start(): void
}

interface Deps {
  readonly store: BlobStore
  readonly swarm: Swarm
  readonly catalog: Catalog
  readonly wanted: Wanted
  readonly orchestrator: Pick<Orchestrator, 'releases'>
  readonly localManifests: LocalManifests
  readonly servable: Servable
  readonly platform: Platform
  readonly clock: Clock
  readonly log: Log
  readonly offering: Pick<Offering, 'refresh'>
}

export async function openKeeping(
  deps: Deps,
  options: { readonly stateFolder: string; readonly scrubIntervalMs: number },
): Promise<Keeping> {
  const { store, swarm, catalog, servable, clock } = deps
  const log = deps.log.child('store')
  const pins = createPins(options.stateFolder)
  const readNeeded = createNeededReader({
    offers: () => (catalog.status().timestamp === undefined ? undefined : catalog.offers()),
    unknownFeeds: () => catalog.status().unknownFeeds,
    wanted: () => deps.wanted.list(),
    localManifests: () => deps.localManifests.entries(),
    installed: () => deps.orchestrator.releases(),
    pins: () => pins.read(),
    manifestBlob: release => store.verified(release),
    readManifest: readStoredManifest,
    platform: deps.platform,
  })
  const collector = createCollector({
    ...{ store, clock, log, readNeeded },
    mayServe: digest => servable.mayServe(digest),
    onCollected: () => deps.offering.refresh(),
  })
  const damagedBlobs = await openDamagedBlobs(store, log)
  const releaseOf = (digest: Parameters<Servable['mayServe']>[0]) =>
    servable.releases().find(release => servable.blobs(release).includes(digest)) ?? digest
  const scrubber = createScrubber({ store, swarm, clock, log, damagedBlobs, releaseOf })
  const rounds = createScrubRounds({ store, scrubber, clock }, options.scrubIntervalMs)
  const stack = new AsyncDisposableStack()
  return {
    ...{ pins, collector, scrubber },
    start() {
      for (const loop of [
        every({ clock, log }, COLLECT_LOOK_INTERVAL_MS, () => collector.look()),
        every({ clock, log }, SCRUB_LOOK_INTERVAL_MS, rounds),
      ]) {
        stack.defer(() => loop.close())
      }
      // Closed first: a round waits for it.
      stack.use(scrubber)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
