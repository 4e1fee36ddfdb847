/** The part of the control API that is about updates of one app: agreeing to one, and taking one back. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Node } from '../node.ts'
import type { AppView } from '../status.ts'
import { idIn } from './choice-routes.ts'

const rollbackBody = z.strictObject({ force: z.boolean().default(false) }).prefault({})

/** `viewOf` fails for an app that this node does not have. */
export function addUpdateRoutes(
  server: FastifyInstance,
  node: Node,
  viewOf: (id: string) => Promise<AppView>,
): void {
  server.post('/v1/apps/:id/approve', async request => {
    const id = idIn(request.params)
    await viewOf(id)
    await node.orchestrator.approve(id)
    node.keeper.kickApp(id)
    return await viewOf(id)
  })
  server.post('/v1/apps/:id/rollback', async request => {
    const id = idIn(request.params)
    const { force } = rollbackBody.parse(request.body ?? undefined)
    await viewOf(id)
    await node.orchestrator.rollback(id, { isForced: force })
    return await viewOf(id)
  })
}
