/** The control API: HTTP and JSON on a Unix socket that only its owner can open. The command line is its client. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { type FastifyInstance, fastify } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { codeOf, messageOf, NodeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Node } from '../node.ts'
import { appViews, nodeStatus } from '../status.ts'
import { addAdoptionRoutes } from './adoption-routes.ts'
import { addBlobRoutes } from './blob-routes.ts'
import { addChoiceRoutes, idIn } from './choice-routes.ts'
import { METRICS_CONTENT_TYPE, metricsText, processFigures } from './metrics-text.ts'
import { addRetainedRoutes } from './retained-routes.ts'
import { addSeedRoutes } from './seed-routes.ts'
import { addUpdateRoutes } from './update-routes.ts'

export class ControlError extends NodeError<'NODE_RUNNING' | 'APP_ABSENT'> {}

/** A folder of this machine, as the owner wrote it: the node runs as the same user. */
const bundleBody = z.strictObject({ folder: z.string().min(1).max(4096) })

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  APP_UNKNOWN: 404,
  FETCH_UNKNOWN: 404,
  BUNDLE_MISSING: 404,
  APP_ABSENT: 404,
  BLOB_UNKNOWN: 404,
  BLOB_ABSENT: 404,
  APP_NOT_INSTALLED: 404,
  APP_ID_TAKEN: 409,
  CONSENT_REQUIRED: 403,
  PUBLISHER_REVOKED: 403,
  CATALOG_NOT_CURRENT: 409,
  PIN_UNAVAILABLE: 409,
  RELEASE_WITHDRAWN: 409,
  STALE_NOT_THIS: 409,
  PORT_TAKEN: 409,
  VERIFY_RUNNING: 409,
  NEEDS_UNKNOWN: 409,
  ADOPTION_REFUSED: 409,
  ADOPTION_NO_RELEASE: 409,
  APP_ADOPTED: 409,
  TAKE_OVER_REFUSED: 409,
  TAKE_OVER_FAILED: 409,
  CONSENT_NOT_ASKED: 409,
  ROLLBACK_IMPOSSIBLE: 409,
  APP_INSTALLED: 409,
  APP_WANTED: 409,
  ROTATION_REFUSED: 409,
  SETTING_INVALID: 400,
  PINS_UNREADABLE: 409,
}

/** Requests are tiny; anything larger is not one of ours. */
const BODY_BYTES_MAX = 65_536

interface Deps {
  readonly node: Node
  readonly network: string
  readonly clock: Clock
  readonly log: Log
}

/**
 * Listens on `socket` (mode 0600), replacing what a killed node left there.
 * @throws ControlError `NODE_RUNNING` when another node answers on it.
 */
export async function serveControl(deps: Deps, socket: string): Promise<AsyncDisposable> {
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 })
  if (await answers(socket)) {
    throw new ControlError('NODE_RUNNING', `another node is running: it answers on ${socket}`)
  }
  await rm(socket, { force: true })
  const server = fastify({ bodyLimit: BODY_BYTES_MAX, forceCloseConnections: true })
  addRoutes(server, deps)
  server.setErrorHandler((error, request, reply) => {
    const code = codeOf(error) ?? 'INTERNAL'
    const status = error instanceof z.ZodError ? 400 : (STATUS_BY_CODE[code] ?? 500)
    if (status === 500)
      deps.log.warn('request failed', { url: request.url, code, reason: messageOf(error) })
    const problems = error instanceof NodeError ? error.problems : []
    return reply.code(status).send({ error: { code, message: messageOf(error), problems } })
  })
  await server.listen({ path: socket })
  await chmod(socket, 0o600)
  return { [Symbol.asyncDispose]: () => server.close() }
}

function addRoutes(server: FastifyInstance, deps: Deps): void {
  const { node } = deps
  server.get('/v1/status', () => nodeStatus(node, deps.network, deps.clock.nowMs()))
  server.get('/metrics', async (_request, reply) => {
    const status = await nodeStatus(node, deps.network, deps.clock.nowMs())
    return reply.type(METRICS_CONTENT_TYPE).send(await metricsText(status, processFigures()))
  })
  server.get('/v1/apps', () => appViews(node))
  server.get('/v1/apps/:id', request => viewOf(node, idIn(request.params)))
  server.post('/v1/bundle', async request => {
    const { folder } = bundleBody.parse(request.body)
    return await node.importBundle(folder)
  })
  server.post('/v1/refresh', async () => {
    await node.refresher.refresh()
    return nodeStatus(node, deps.network, deps.clock.nowMs())
  })
  addChoiceRoutes(server, node)
  addBlobRoutes(server, node)
  addSeedRoutes(server, node)
  addUpdateRoutes(server, node, id => viewOf(node, id))
  addRetainedRoutes(server, node)
  addAdoptionRoutes(server, node, id => viewOf(node, id))
  for (const verb of ['start', 'stop', 'restart'] as const) {
    server.post(`/v1/apps/:id/${verb}`, async request => {
      const id = idIn(request.params)
      await viewOf(node, id)
      await node.orchestrator[verb](id)
      return await viewOf(node, id)
    })
  }
  server.delete('/v1/apps/:id', async request => {
    const id = idIn(request.params)
    await viewOf(node, id)
    await node.wanted.remove(id)
    await node.keeper.abandon(id)
    const installed = (await node.orchestrator.apps()).some(
      app => app.id === id && app.state !== 'retained',
    )
    if (installed) await node.orchestrator.uninstall(id)
    return { id }
  })
}

async function viewOf(node: Node, id: string) {
  const view = (await appViews(node)).find(app => app.id === id)
  if (view !== undefined) return view
  const known = (await appViews(node)).map(app => app.id).join(', ') || 'none'
  throw new ControlError('APP_ABSENT', `no app "${id}" on this node; there is: ${known}`)
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const connection = connect(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    connection.once('error', () => resolve(false))
  })
}
