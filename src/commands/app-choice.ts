/** `archy app explain | pin | unpin | catalog`: which release runs, and why. */
import type { Command } from 'commander'
import type { Explanation, OfferView } from '../http/choice-routes.ts'
import { createControlClient } from '../http/control-client.ts'
import { formatTable } from './format.ts'
import type { CommandIo } from './io.ts'

interface Context {
  readonly io: CommandIo
  readonly socket: string
}

interface JsonOption {
  readonly json: boolean
}

/** Adds its commands to `archy app`. */
export function addChoiceCommands(app: Command, context: Context): void {
  app
    .command('explain <id>')
    .description('say which release of an app runs here, and why not another')
    .option('--channel <name>', 'as if it were to follow this channel')
    .option('--json', 'print JSON', false)
    .action(async (id: string, { channel, json }: JsonOption & { channel?: string }) => {
      const query = channel === undefined ? '' : `?channel=${encodeURIComponent(channel)}`
      await show(context, json, 'GET', `${pathOf(id)}/explain${query}`)
    })
  app
    .command('pin <id> <version>')
    .description('stay at a version, within what the catalog still allows')
    .option('--json', 'print JSON', false)
    .action(async (id: string, version: string, { json }: JsonOption) => {
      await show(context, json, 'POST', `${pathOf(id)}/pin`, { version })
    })
  app
    .command('unpin <id>')
    .description('follow the channel again')
    .option('--json', 'print JSON', false)
    .action(async (id: string, { json }: JsonOption) => {
      await show(context, json, 'DELETE', `${pathOf(id)}/pin`)
    })
  app
    .command('catalog')
    .description('list every app that the catalog offers')
    .option('--json', 'print JSON', false)
    .action(async ({ json }: JsonOption) => {
      await using client = createControlClient(context.socket)
      const offers = (await client.call('GET', '/v1/catalog')) as readonly OfferView[]
      context.io.stdout(json ? `${JSON.stringify(offers)}\n` : `${formatOffers(offers)}\n`)
    })
}

function pathOf(id: string): string {
  return `/v1/apps/${encodeURIComponent(id)}`
}

async function show(
  { io, socket }: Context,
  isJson: boolean,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<void> {
  await using client = createControlClient(socket)
  const explanation = (await client.call(method, path, body)) as Explanation
  io.stdout(isJson ? `${JSON.stringify(explanation)}\n` : `${formatExplanation(explanation)}\n`)
}

/** Pure: the page for a person. */
export function formatExplanation(explanation: Explanation): string {
  const { name, channel, pin, catalog, choice, considered, notices } = explanation
  const version = catalog.version === undefined ? 'no catalog' : `catalog ${catalog.version}`
  const head = `${name}, channel ${channel}${pin === undefined ? '' : `, pinned to ${pin}`} (${version}, ${catalog.freshness})`
  const rows = considered.map(({ from, version: each, won, why }) => [
    won ? '→' : '',
    each,
    from,
    why,
  ])
  return [
    head,
    ...(rows.length === 0 ? [] : [formatTable(rows)]),
    ...(choice.kind === 'none' ? [`nothing is installed: ${choice.why} (${choice.code})`] : []),
    ...notices.map(notice => `note: ${notice}`),
  ].join('\n')
}

/** Pure. */
export function formatOffers(offers: readonly OfferView[]): string {
  if (offers.length === 0) return 'The catalog offers no app.'
  return formatTable(
    offers.map(({ name, channel, version, next, tier, standing }) => [
      name,
      channel,
      next === undefined ? version : `${version} → ${next}`,
      tier,
      standing === 'current' ? '' : standing,
    ]),
  )
}
