/** Fetches what the owner wants to seed and does not run: the head of an app, again with every new catalog, or one blob. */
import type { Catalog, CatalogEntry, Platform } from '../catalog/index.ts'
import type { BlobStore, Swarm } from '../swarm/index.ts'
import type { BlobGetter } from './blob-getter.ts'
import { type Digest, parseDigest } from './core/digest.ts'
import { messageOf } from './core/errors.ts'
import type { Log } from './core/log.ts'
import { deliverLeased } from './leased-delivery.ts'
import type { Offering } from './offering.ts'
import type { SeedingWords } from './seeding-words.ts'

export interface Seeder extends AsyncDisposable {
  /** Begins to fetch what is missing; returns at once. */
  tend(): void
}

interface Deps {
  readonly catalog: Pick<Catalog, 'find'>
  readonly log: Log
  seeds(): readonly string[]
  /** Brings a whole release into the store. */
  deliver(entry: CatalogEntry, signal: AbortSignal): Promise<void>
  fetchBlob(digest: Digest): void
}

const SEED_CHANNEL = 'stable'

interface Parts extends Pick<Deps, 'catalog' | 'log'> {
  readonly store: BlobStore
  readonly swarm: Swarm
  readonly offering: Offering
  readonly getter: BlobGetter
  readonly words: SeedingWords
  readonly platform: Platform
}

/** The seeder of a node; what it brings is offered to peers from its first piece on. */
export function openSeeder({ store, swarm, offering, getter, words, platform, ...deps }: Parts) {
  return createSeeder({
    ...deps,
    seeds: () => words.seeds(),
    fetchBlob: digest => void getter.get(digest),
    async deliver(entry, signal) {
      using _delivered = await deliverLeased({ store, swarm }, entry, {
        ...{ platform, signal },
        onManifest: manifest => offering.offerComing(entry.manifest.blake3, manifest),
      })
    },
  })
}

export function createSeeder({ catalog, log, seeds, deliver, fetchBlob }: Deps): Seeder {
  const abort = new AbortController()
  /** Releases that are here: asked for once in a run. */
  const done = new Set<Digest>()
  let running: Promise<void> | undefined
  let isWanted = false

  async function bring(name: string): Promise<void> {
    if (name.startsWith('blake3:')) {
      fetchBlob(parseDigest(name))
      return
    }
    const { head } = catalog.find(name, SEED_CHANNEL)
    if (done.has(head.manifest.blake3)) return
    await deliver(head, abort.signal)
    done.add(head.manifest.blake3)
    log.info('seed complete', { app: name, version: head.version })
  }

  /** Never rejects: what does not come now is tried again with the next catalog. */
  async function run(): Promise<void> {
    while (isWanted && !abort.signal.aborted) {
      isWanted = false
      for (const name of seeds()) {
        await bring(name).catch((error: unknown) => {
          if (!abort.signal.aborted) log.warn('seed failed', { name, reason: messageOf(error) })
        })
      }
    }
    running = undefined
  }

  return {
    tend() {
      isWanted = true
      // Never in this turn: a run that finds nothing would end before it is known to run.
      running ??= Promise.resolve().then(run)
    },
    async [Symbol.asyncDispose]() {
      abort.abort(new Error('the node stops'))
      await running
    },
  }
}
