/** The composition root: builds every part in order, starts them forwards and stops them backwards. */
import { join } from 'node:path'
import {
  type Catalog,
  type CatalogEntry,
  createCatalog,
  openFeeds,
  type Platform,
  withFeeds,
} from '../catalog/index.ts'
import { createHost, createOrchestrator, type Orchestrator } from '../orchestrator/index.ts'
import { type BlobStore, openBlobStore, type Swarm } from '../swarm/index.ts'
import { type Adopter, createAdopter } from './adopter.ts'
import { type BlobGetter, createBlobGetter } from './blob-getter.ts'
import { BUILT_MS } from './built.ts'
import { createBundles, type Imported } from './bundle.ts'
import { type CatalogSources, createCatalogSources } from './catalog-sources.ts'
import { type Chooser, createChooser } from './chooser.ts'
import type { Config } from './config.ts'
import type { Clock } from './core/clock.ts'
import type { Digest } from './core/digest.ts'
import { NodeError } from './core/errors.ts'
import { readFileBounded } from './core/files.ts'
import type { Log } from './core/log.ts'
import { every } from './every.ts'
import type { Folders } from './folders.ts'
import { createGossip } from './gossip.ts'
import { createFeedSource } from './http/metadata-source.ts'
import { createKeeper, type Keeper } from './keeper.ts'
import { type Keeping, openKeeping } from './keeping.ts'
import { deliverLeased } from './leased-delivery.ts'
import { createLocalManifests, type LocalManifests } from './local-manifests.ts'
import { createOffering, type Offering } from './offering.ts'
import { openSwarm } from './open-swarm.ts'
import { createRefresher, type Refresher } from './refresher.ts'
import { openSeed } from './seed.ts'
import { openSeeder, type Seeder } from './seeder.ts'
import { openSeedingWords, type SeedingWords } from './seeding-words.ts'
import { createServable, type Servable } from './servable.ts'
import { openWanted, type Wanted } from './wanted.ts'

export class StartError extends NodeError<'ROOT_MISSING' | 'PLATFORM_UNSUPPORTED'> {}

/** Far above any root file; the catalog's own limit applies after this one. */
const ROOT_FILE_BYTES_MAX = 1_048_576

export interface NodeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly randomBytes: (count: number) => Uint8Array
}

/** The parts of a running node, for the control API. */
export interface Node extends AsyncDisposable {
  readonly catalog: Catalog
  readonly swarm: Swarm
  readonly store: BlobStore
  readonly keeping: Keeping
  readonly orchestrator: Orchestrator
  readonly getter: BlobGetter
  readonly keeper: Keeper
  readonly adopter: Adopter
  readonly chooser: Chooser
  readonly localManifests: LocalManifests
  readonly refresher: Refresher
  readonly wanted: Wanted
  readonly words: SeedingWords
  readonly seeder: Seeder
  readonly servable: Servable
  /** Takes a catalog and apps from a folder. @throws as `importBundle` */
  importBundle(folder: string): Promise<Imported>
}

/** Builds and starts a node. When it resolves, everything that the node had before serves and runs again. */
export async function startNode(config: Config, folders: Folders, deps: NodeDeps): Promise<Node> {
  const { clock, log } = deps
  const platform = platformOf(process.arch)
  const stack = new AsyncDisposableStack()
  try {
    const servable = createServable()
    const store = stack.use(await openStore(config, folders, deps))
    const sources = createCatalogSources(config.origin.urls, deps.random)
    const catalog = await openCatalog(config, folders, deps, sources)
    const gossip = createGossip({ catalog, sources, ...deps, log: log.child('gossip') })
    const wanted = await openWanted(folders.state, config.apps)
    const orchestrator = await openOrchestrator(config, folders, deps)
    stack.defer(() => orchestrator.close())
    const words = await openSeedingWords(folders.state)
    const { swarm, watch } = await openSwarm(config, folders, deps, {
      ...{ store, catalog: gossip.mirror },
      mayServe: digest => servable.mayServe(digest),
    })
    stack.defer(() => swarm.stop())
    stack.use(watch)
    swarm.setLimits(words.limits())
    stack.defer(() => gossip.close())
    if (swarm.relay !== undefined) sources.use(swarm.relay, () => catalog.head())
    const offering = createOffering({ catalog, wanted, store, servable, swarm, log })
    const { chooser, localManifests } = await openChooser(config, folders, deps, { catalog, store })
    const tools = { chooser, orchestrator, wanted, store, swarm, catalog, servable, offering }
    const keeper = openKeeper(tools, deps, platform)
    stack.defer(() => keeper.close())
    const adopter = createAdopter({ ...tools, platform })
    const getter = stack.use(createBlobGetter({ catalog, servable, store, swarm }))
    const seeding = { catalog, store, swarm, offering, getter, words, platform, log }
    const seeder = stack.use(openSeeder(seeding))
    const keeping = stack.use(
      await openKeeping(
        {
          ...{ store, swarm, catalog, wanted, orchestrator, localManifests, servable },
          ...{ platform, clock, log, offering },
        },
        { stateFolder: folders.state, scrubIntervalMs: config.storage.scrubInterval },
      ),
    )
    const afterEach = async (): Promise<void> => {
      swarm.setBootstrap(catalog.status().bootstrap)
      gossip.tell()
      await offering.refresh()
      await localManifests.read()
      keeper.kick()
      seeder.tend()
    }
    const refresher = createRefresher({ catalog, clock, log: log.child('catalog'), afterEach })
    gossip.onNews(() => refresher.refresh())
    await offering.refresh()
    swarm.setBootstrap(catalog.status().bootstrap)
    await swarm.start()
    const parts = { refresher, keeper, orchestrator, localManifests, chooser, adopter }
    for (const loop of startLoops(config, deps, parts)) stack.use(loop)
    keeping.start()
    const bundles = createBundles({ catalog, store, platform, afterEach })
    const all = stack.move()
    return {
      ...{ catalog, swarm, store, servable, keeping, getter, wanted, words, seeder, ...parts },
      importBundle: folder => bundles.import(folder),
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

interface KeeperParts
  extends Pick<Node, 'chooser' | 'orchestrator' | 'wanted' | 'swarm' | 'catalog' | 'servable'> {
  readonly store: BlobStore
  readonly offering: Offering
}

function openKeeper(
  { chooser, orchestrator, wanted, store, swarm, catalog, servable, offering }: KeeperParts,
  { clock, log }: Pick<NodeDeps, 'clock' | 'log'>,
  platform: Platform,
): Keeper {
  return createKeeper({
    ...{ chooser, orchestrator, wanted, clock },
    log: log.child('keeper'),
    deliver: async (entry, signal, onProgress) =>
      await deliverLeased({ store, swarm }, entry, {
        platform,
        similar: otherReleases(catalog, entry).flatMap(release => servable.blobs(release)),
        signal,
        onProgress,
        onManifest: manifest => offering.offerComing(entry.manifest.blake3, manifest),
      }),
  })
}

/** What goes on by itself for as long as the node runs. */
function startLoops(
  config: Config,
  { clock, log }: NodeDeps,
  {
    refresher,
    keeper,
    orchestrator,
    localManifests,
  }: Pick<Node, 'refresher' | 'keeper' | 'orchestrator' | 'localManifests'>,
): readonly AsyncDisposable[] {
  const loops = [
    every({ clock, log }, config.catalog.refreshInterval, signal => refresher.refresh(signal)),
    every({ clock, log }, config.orchestrator.reconcileInterval, async () => {
      await localManifests.read()
      keeper.kick()
      await orchestrator.reconcile()
    }),
  ]
  return loops.map(loop => ({ [Symbol.asyncDispose]: () => loop.close() }))
}

async function openStore(config: Config, folders: Folders, deps: NodeDeps): Promise<BlobStore> {
  return await openBlobStore(
    { folder: join(folders.state, 'store'), clock: deps.clock, log: deps.log.child('store') },
    {
      minFreeBytes: config.storage.minimumFree,
      quotaBytes: config.storage.quota ?? undefined,
    },
  )
}

async function openCatalog(
  config: Config,
  folders: Folders,
  deps: NodeDeps,
  sources: CatalogSources,
): Promise<Catalog> {
  const root = await readFileBounded(config.origin.rootFile, ROOT_FILE_BYTES_MAX)
  if (root === undefined) {
    const fix = 'copy the publisher\'s "1.root.json" there, or correct origin.rootFile'
    throw new StartError('ROOT_MISSING', `no catalog root at ${config.origin.rootFile}; ${fix}`)
  }
  const { clock } = deps
  const log = deps.log.child('catalog')
  const folder = join(folders.state, 'catalog')
  const own = await createCatalog({ ...sources, folder, root, clock, log }, { builtMs: BUILT_MS })
  const followed = config.feeds.map(({ did, url }) => ({ did, source: createFeedSource(url) }))
  const place = join(folders.state, 'feeds')
  const nowMs = (): number => own.status().nowMs
  const feeds = await openFeeds({ folder: place, nowMs, log }, followed)
  return withFeeds(own, feeds)
}

/** What decides on releases, with the manifests that the owner keeps. */
async function openChooser(
  config: Config,
  folders: Folders,
  deps: NodeDeps,
  { catalog, store }: { catalog: Catalog; store: BlobStore },
): Promise<Pick<Node, 'chooser' | 'localManifests'>> {
  const localManifests = createLocalManifests({
    folder: config.catalog.localManifests ?? undefined,
    store,
    stateFolder: folders.state,
  })
  await localManifests.read()
  const seed = await openSeed(folders.state, deps)
  const local = (app: string): CatalogEntry | undefined => localManifests.find(app)
  return { localManifests, chooser: createChooser({ catalog, seed, local }) }
}

async function openOrchestrator(
  config: Config,
  folders: Folders,
  deps: NodeDeps,
): Promise<Orchestrator> {
  const orchestrator = createOrchestrator(
    {
      ...createHost(),
      clock: deps.clock,
      log: deps.log.child('orchestrator'),
      randomBytes: deps.randomBytes,
    },
    {
      mode: config.orchestrator.mode,
      stateFolder: join(folders.state, 'orchestrator'),
      dataFolder: folders.data,
      unitFolder: folders.units,
      userUnitFolder: folders.userUnits,
    },
  )
  await orchestrator.open()
  return orchestrator
}

/** Releases of the same app that the catalog still lists: what is installed is among them, or was replaced long ago. */
function otherReleases(catalog: Catalog, { app, manifest }: CatalogEntry): readonly Digest[] {
  return catalog
    .offers()
    .flatMap(({ head, older }) => [head, ...older])
    .filter(entry => entry.app === app && entry.manifest.blake3 !== manifest.blake3)
    .map(entry => entry.manifest.blake3)
}

function platformOf(architecture: string): Platform {
  if (architecture === 'x64') return 'amd64'
  if (architecture === 'arm64') return 'arm64'
  const message = `this machine is ${architecture}; apps are published for amd64 (x64) and arm64`
  throw new StartError('PLATFORM_UNSUPPORTED', message)
}
