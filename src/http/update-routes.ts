/** The part of the control API that changes what runs of one app: agreeing to an update, taking one back, settings. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Node } from '../node.ts'
import type { AppView } from '../status.ts'
import { idIn } from './choice-routes.ts'

const rollbackBody = z.strictObject({ force: z.boolean().default(false) }).prefault({})

const settingName = z.string().max(64)
const configBody = z
  .strictObject({
    set: z.record(settingName, z.string().max(4096)).default({}),
    unset: z.array(settingName).max(256).default([]),
  })
  .refine(({ set, unset }) => Object.keys(set).length + unset.length > 0, {
    message: 'set or unset at least one setting',
  })

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
  server.get('/v1/apps/:id/config', async request => {
    const id = idIn(request.params)
    await viewOf(id)
    return { id, settings: await node.orchestrator.settings(id) }
  })
  server.post('/v1/apps/:id/config', async request => {
    const id = idIn(request.params)
    const { set, unset } = configBody.parse(request.body)
    await viewOf(id)
    const taken = Object.fromEntries(unset.map(name => [name, null]))
    await node.orchestrator.configure(id, { ...set, ...taken })
    // An install or update may have waited for it.
    node.keeper.kickApp(id)
    return { id, settings: await node.orchestrator.settings(id) }
  })
}
