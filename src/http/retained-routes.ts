/** The part of the control API that is about what is kept of an app: its secrets, and everything that a purge deletes. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { NodeError } from '../core/errors.ts'
import type { Node } from '../node.ts'
import { appViews } from '../status.ts'
import { idIn } from './choice-routes.ts'

/** The owner still wants the app: what is deleted now would be made again a moment later. */
export class RetainedError extends NodeError<'APP_WANTED'> {}

const rotateParameters = z.object({ secret: z.string().min(1).max(64) })

export function addRetainedRoutes(server: FastifyInstance, node: Node): void {
  server.post('/v1/apps/:id/secrets/:secret/rotate', async request => {
    const id = idIn(request.params)
    const { secret } = rotateParameters.parse(request.params)
    await node.orchestrator.rotate(id, secret)
    return (await appViews(node)).find(view => view.id === id)
  })
  server.get('/v1/apps/:id/retained', async request => {
    return await node.orchestrator.retained(idIn(request.params))
  })
  server.delete('/v1/apps/:id/retained', async request => {
    const id = idIn(request.params)
    const { id: known } = await node.orchestrator.retained(id)
    if (node.wanted.find(known) !== undefined) {
      const fix = `"archy app uninstall ${id}" first, which keeps its data`
      throw new RetainedError('APP_WANTED', `${id} is installed, or to be installed; ${fix}`)
    }
    return await node.orchestrator.purge(id)
  })
}
