/** The part of the control API that is about apps that ran here before the node did. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Node } from '../node.ts'
import type { AppView } from '../status.ts'
import { idIn, wishOf } from './choice-routes.ts'

const adoptBody = z
  .strictObject({
    dryRun: z.boolean().default(false),
    /** Container by component. */
    containers: z.record(z.string().max(64), z.string().min(1).max(128)).default({}),
  })
  .prefault({})

export function addAdoptionRoutes(
  server: FastifyInstance,
  node: Node,
  viewOf: (id: string) => Promise<AppView>,
): void {
  server.post('/v1/apps/:id/adopt', async request => {
    const { dryRun, containers } = adoptBody.parse(request.body ?? undefined)
    const named = new Map(Object.entries(containers))
    return await node.adopter.adopt(wishOf(node, request.params), { named, isDryRun: dryRun })
  })
  server.post('/v1/apps/:id/take-over', async request => {
    const wish = wishOf(node, request.params)
    await viewOf(wish.id)
    await node.adopter.takeOver(wish)
    return await viewOf(wish.id)
  })
  server.delete('/v1/apps/:id/adoption', async request => {
    const id = idIn(request.params)
    await viewOf(id)
    await node.adopter.letGo(id)
    return { id }
  })
}
