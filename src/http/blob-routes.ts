/** The part of the control API that is about the blobs in the store. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { BlobRole, StoreUsage } from '../../swarm/index.ts'
import { type Digest, parseDigest } from '../core/digest.ts'
import { codeOf, NodeError } from '../core/errors.ts'
import type { Node } from '../node.ts'
import { nameOf } from '../wanted.ts'

/** One blob in the store, as `archy blob list` shows it. */
export interface BlobView {
  readonly digest: string
  readonly sizeBytes: number
  readonly pieceCount: number
  readonly heldPieceCount: number
  readonly isComplete: boolean
  readonly lastUsedMs: number
  /** Why it is kept, `seed`, or `unreachable`; `unknown` while it is not known what must be kept. */
  readonly use: string
}

export interface BlobListView {
  readonly blobs: readonly BlobView[]
  readonly usage: StoreUsage
}

/** `blake3:<hex>`, or the hex alone. */
const digest = z
  .string()
  .regex(/^(blake3:)?[0-9a-f]{64}$/, 'must be an address such as "blake3:9f86d0…"')
  .transform(text => parseDigest(text.startsWith('blake3:') ? text : `blake3:${text}`))
const pinName = z.object({ name: z.string().min(1).max(97) })
const collectBody = z.strictObject({ dryRun: z.boolean().default(false) })
const verifyBody = z.strictObject({
  digest: digest.optional(),
  bytesPerSecond: z.int().min(1024),
})

/** The last fetch of the blob is not remembered, or there was none. */
export class ExplanationError extends NodeError<'FETCH_UNKNOWN'> {}

export function addBlobRoutes(server: FastifyInstance, node: Node): void {
  const { pins, collector, scrubber } = node.keeping
  server.get('/v1/blobs', () => listBlobs(node))
  server.get('/v1/blobs/:digest/why', request => {
    const { digest: address } = z.object({ digest }).parse(request.params)
    const explanation = node.swarm.explain(address)
    if (explanation !== undefined) return explanation
    throw new ExplanationError('FETCH_UNKNOWN', `no fetch of ${address} is remembered`)
  })
  server.post('/v1/blobs/gc', async request => {
    const { dryRun } = collectBody.parse(request.body ?? {})
    return await collector.collect(dryRun)
  })
  server.get('/v1/blobs/pins', () => pins.read())
  server.post('/v1/blobs/pins/:name', async request => {
    const name = pinNameIn(node, pinName.parse(request.params).name)
    return await collector.undisturbed(() => pins.add(name))
  })
  server.delete('/v1/blobs/pins/:name', async request => {
    const { name } = pinName.parse(request.params)
    return await pins.remove(digest.safeParse(name).data ?? name)
  })
  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    server.route({
      method,
      url: '/v1/blobs/get/:digest',
      handler: async request => await getBlob(node, method, digestIn(request.params)),
    })
  }
  server.get('/v1/blobs/verify', () => scrubber.current() ?? null)
  server.post('/v1/blobs/verify', async (request, reply) => {
    const { digest: one, bytesPerSecond } = verifyBody.parse(request.body)
    const begun = await scrubber.start({
      bytesPerSecond,
      digests: one === undefined ? undefined : [one],
    })
    return reply.code(202).send(begun)
  })
  server.delete('/v1/blobs/verify', async () => {
    await scrubber.cancel()
    return scrubber.current() ?? null
  })
}

function digestIn(params: unknown): Digest {
  return z.object({ digest }).parse(params).digest
}

async function getBlob({ getter }: Node, method: 'GET' | 'POST' | 'DELETE', blob: Digest) {
  if (method === 'POST') return getter.get(blob)
  if (method === 'DELETE') await getter.cancel(blob)
  return getter.current(blob)
}

/** The blob that was used last comes first. */
async function listBlobs({ store, keeping }: Node): Promise<BlobListView> {
  const roleOf = await keeping.collector.roles().catch(error => {
    if (codeOf(error) !== 'NEEDS_UNKNOWN') throw error
    return undefined
  })
  const blobs = store
    .list()
    .map(({ digest, sizeBytes, pieceCount, heldPieceCount, isComplete, lastUsedMs }) => {
      const use = useText(roleOf?.(digest))
      return { digest, sizeBytes, pieceCount, heldPieceCount, isComplete, lastUsedMs, use }
    })
    .sort((a, b) => b.lastUsedMs - a.lastUsedMs)
  return { blobs, usage: await store.usage() }
}

function useText(role: BlobRole | undefined): string {
  if (role === undefined) return 'unknown'
  return role.kind === 'keep' ? role.why : role.kind
}

/** @throws CatalogError `APP_UNKNOWN`, with the nearest name: a pin with a mistake in it keeps nothing */
export function pinNameIn({ catalog, wanted }: Node, name: string): Digest | string {
  const asDigest = digest.safeParse(name).data
  if (asDigest !== undefined) return asDigest
  const known = [
    ...catalog.offers().map(({ publisher, app }) => nameOf({ publisher, id: app })),
    ...wanted.list().map(nameOf),
  ]
  if (!known.includes(name)) catalog.find(name, 'stable')
  return name
}
