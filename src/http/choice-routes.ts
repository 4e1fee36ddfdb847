/** The part of the control API that decides which release of an app runs: install, pin, explain, and what there is. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Resolution } from '../../catalog/index.ts'
import { NodeError } from '../core/errors.ts'
import type { Node } from '../node.ts'
import { nameOf, splitName, type WantedApp } from '../wanted.ts'

/** Why no release of an app may be installed now; the message has the fix. */
export class ChoiceError extends NodeError<
  | 'APP_ID_TAKEN'
  | 'CONSENT_REQUIRED'
  | 'PUBLISHER_REVOKED'
  | 'CATALOG_NOT_CURRENT'
  | 'PIN_UNAVAILABLE'
  | 'RELEASE_WITHDRAWN'
> {}

/** `<publisher>.<app>`, or the app alone. */
const parameters = z.object({ id: z.string().min(1).max(64) })
const channel = z.string().max(32)
const installBody = z
  .strictObject({
    channel: channel.optional(),
    trustPublisher: z.string().max(80).optional(),
    acceptStale: z
      .strictObject({ version: z.int().min(1), content: z.string().max(64) })
      .optional(),
  })
  .default({})
const pinBody = z.strictObject({ version: z.string().min(1).max(64) })
const explainQuery = z.object({ channel: channel.optional() })

/** The app's own id, however its name was written. */
export function idIn(params: unknown): string {
  return splitName(parameters.parse(params).id).id
}

/** What the owner wants of the app that the address names, or what asking for it for the first time means. */
export function wishOf(node: Node, params: unknown): WantedApp {
  return wishFor(node, parameters.parse(params).id, undefined)
}

export interface Explanation extends Resolution {
  readonly name: string
  readonly channel: string
  readonly pin?: string
  readonly catalog: { readonly version: number | undefined; readonly freshness: string }
}

export function addChoiceRoutes(server: FastifyInstance, node: Node): void {
  server.get('/v1/catalog', () => node.catalog.offers().map(offerView))
  server.get('/v1/apps/:id/explain', async request => {
    const { id: name } = parameters.parse(request.params)
    const query = explainQuery.parse(request.query)
    return await explain(node, wishFor(node, name, query.channel))
  })
  server.post('/v1/apps/:id/install', async (request, reply) => {
    const { id: name } = parameters.parse(request.params)
    const body = installBody.parse(request.body ?? undefined)
    const { acceptStale, trustPublisher } = body
    if (acceptStale !== undefined) {
      await node.catalog.acceptStale(acceptStale.version, acceptStale.content)
    }
    const before = wishFor(node, name, body.channel)
    const app = trustPublisher === undefined ? before : { ...before, trusts: trustPublisher }
    const { version } = await possible(node, app)
    await keepWish(node, app)
    return reply.code(202).send({ id: app.id, channel: app.channel, version })
  })
  server.post('/v1/apps/:id/pin', async request => {
    const { id: name } = parameters.parse(request.params)
    const { version } = pinBody.parse(request.body)
    const app = { ...wishFor(node, name, undefined), pin: version }
    await possible(node, app)
    await keepWish(node, app)
    return await explain(node, app)
  })
  server.delete('/v1/apps/:id/pin', async request => {
    const { id: name } = parameters.parse(request.params)
    const { pin: _, ...app } = wishFor(node, name, undefined)
    await keepWish(node, app)
    return await explain(node, app)
  })
}

/** What the owner said of the app so far, or what asking for it for the first time means. */
function wishFor(node: Node, name: string, channel: string | undefined): WantedApp {
  const { publisher, id } = splitName(name)
  const known = node.wanted.find(id)
  const isSame = known !== undefined && (known.publisher === publisher || !name.includes('.'))
  const before = isSame ? known : { id, publisher, channel: 'stable' }
  return channel === undefined ? before : { ...before, channel }
}

async function keepWish(node: Node, { id, ...wish }: WantedApp): Promise<void> {
  await node.wanted.add(id, wish)
  node.keeper.kickApp(id)
}

async function resolve(node: Node, app: WantedApp): Promise<Resolution> {
  const installed = (await node.orchestrator.apps()).find(({ id }) => id === app.id)
  return node.chooser.choose(app, installed)
}

/** @throws ChoiceError, CatalogError `APP_UNKNOWN` with the nearest name */
async function possible(node: Node, app: WantedApp): Promise<{ version: string }> {
  const { choice, considered, notices } = await resolve(node, app)
  if (choice.kind === 'install') return { version: choice.entry.version }
  if (choice.kind === 'none') {
    if (choice.code === 'APP_UNKNOWN') {
      return { version: node.catalog.find(nameOf(app), app.channel).head.version }
    }
    throw new ChoiceError(choice.code, choice.why)
  }
  const winner = considered.find(({ won }) => won)
  // Staying is an answer to a pin only when it is the pinned version that stays.
  if (app.pin !== undefined && winner?.version !== app.pin) {
    const why = considered.find(({ version }) => version === app.pin)?.why ?? notices.at(-1)
    throw new ChoiceError('PIN_UNAVAILABLE', `${app.id} ${app.pin}: ${why ?? 'it cannot be had'}`)
  }
  return { version: winner?.version ?? '' }
}

async function explain(node: Node, app: WantedApp): Promise<Explanation> {
  const { timestamp, freshness } = node.catalog.status()
  return {
    name: nameOf(app),
    channel: app.channel,
    ...(app.pin === undefined ? {} : { pin: app.pin }),
    catalog: { version: timestamp, freshness },
    ...(await resolve(node, app)),
  }
}

export interface OfferView {
  readonly name: string
  readonly channel: string
  readonly version: string
  readonly next?: string
  readonly tier: string
  readonly standing: string
  readonly did?: string
}

function offerView(offer: ReturnType<Node['catalog']['offers']>[number]): OfferView {
  const { publisher, app: id, channel, head, next, tier, standing, did } = offer
  return {
    name: nameOf({ publisher, id }),
    channel,
    version: head.version,
    ...(next === undefined ? {} : { next: next.entry.version }),
    tier,
    standing,
    ...(did === undefined ? {} : { did }),
  }
}
