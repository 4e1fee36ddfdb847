/** The part of the control API that is about seeding: what this node gives, its limits, and what it seeds beside its apps. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { LimitsInForce, Terms } from '../../swarm/index.ts'
import { parseDigest } from '../core/digest.ts'
import type { Node } from '../node.ts'
import { nameOf } from '../wanted.ts'
import { pinNameIn } from './blob-routes.ts'

/** One release that peers may have from this node. */
export interface SeedView {
  readonly app: string
  readonly version: string
  readonly manifest: string
  /** Of its blobs, with those of other platforms. */
  readonly blobCount: number
  readonly heldBlobCount: number
  readonly heldBytes: number
  /** Given since this node counts, to the LAN and beyond. */
  readonly givenBytes: { readonly lan: number; readonly wan: number }
  /** Different peers that got some of it, at most, in this run. */
  readonly peerCount: number
}

export interface SeedListView {
  readonly seeds: readonly SeedView[]
  /** What the owner wants to seed beside the apps of this node. */
  readonly wanted: readonly string[]
  readonly limits: LimitsInForce
  readonly lan: Terms
  readonly wan: Terms
}

const limit = z
  .int()
  .min(1024)
  .or(z.enum(['none', 'default']))
  .optional()
const limitsBody = z.strictObject({ upload: limit, download: limit, origin: limit })
const seedName = z.object({ name: z.string().min(1).max(97) })

export function addSeedRoutes(server: FastifyInstance, node: Node): void {
  const { words, seeder, swarm, keeping } = node
  server.get('/v1/seed', () => listSeeds(node))
  server.post('/v1/seed/limits', async request => {
    const body = limitsBody.parse(request.body ?? {})
    const change = Object.fromEntries(
      Object.entries(body).map(([name, value]) => [name, limitOf(value)]),
    )
    swarm.setLimits(await words.setLimits(change))
    return listSeeds(node)
  })
  server.post('/v1/seed/:name', async request => {
    const name = pinNameIn(node, seedName.parse(request.params).name)
    await keeping.collector.undisturbed(() => keeping.pins.add(name))
    await words.addSeed(name)
    seeder.tend()
    return listSeeds(node)
  })
  server.delete('/v1/seed/:name', async request => {
    const { name } = seedName.parse(request.params)
    await words.removeSeed(name)
    await keeping.pins.remove(name.startsWith('blake3:') ? parseDigest(name) : name)
    return listSeeds(node)
  })
}

/** `undefined` takes a limit back, `null` is none. */
function limitOf(word: number | 'none' | 'default' | undefined): number | null | undefined {
  if (word === undefined || word === 'default') return undefined
  return word === 'none' ? null : word
}

function listSeeds({ catalog, servable, store, swarm, words }: Node): SeedListView {
  const entries = catalog.offers().flatMap(({ publisher, app, head, next, older }) =>
    [head, ...(next === undefined ? [] : [next.entry]), ...older].map(entry => ({
      app: nameOf({ publisher, id: app }),
      entry,
    })),
  )
  const known = new Map(entries.map(each => [each.entry.manifest.blake3, each]))
  const seeds = servable.releases().flatMap((release): readonly SeedView[] => {
    const found = known.get(release)
    if (found === undefined) return []
    const blobs = [...new Set([release, ...servable.blobs(release)])]
    const held = blobs.flatMap(digest => store.verified(digest) ?? [])
    const given = blobs.map(digest => swarm.given(digest))
    return [
      {
        app: found.app,
        version: found.entry.version,
        manifest: release,
        blobCount: blobs.length,
        heldBlobCount: held.length,
        heldBytes: held.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        givenBytes: {
          lan: given.reduce((sum, { lan }) => sum + lan, 0),
          wan: given.reduce((sum, { wan }) => sum + wan, 0),
        },
        peerCount: Math.max(0, ...given.map(({ peerCount }) => peerCount)),
      },
    ]
  })
  const { limits, lan, wan } = swarm.status().serving
  return { seeds, wanted: words.seeds(), limits, lan, wan }
}
