/** `archy seed`: what this node gives to its peers, how much and how fast, and what it seeds beside its apps. */
import { Command, InvalidArgumentError } from 'commander'
import { createControlClient } from '../http/control-client.ts'
import type { SeedListView } from '../http/seed-routes.ts'
import { formatBytes, formatTable } from './format.ts'
import type { CommandIo } from './io.ts'
import { formatServing } from './status-serving.ts'

interface Context {
  readonly io: CommandIo
  readonly socket: string
}

type LimitWord = number | 'none' | 'default'

interface LimitOptions {
  readonly upload?: LimitWord
  readonly download?: LimitWord
  readonly origin?: LimitWord
  readonly json: boolean
}

export function seedCommand(context: Context): Command {
  const command = new Command('seed').description('what this node gives to its peers')
  command
    .command('list')
    .description('list what peers may have from this node, and what it gave')
    .option('--json', 'print JSON', false)
    .action(({ json }: { json: boolean }) => call(context, json, 'GET', '/v1/seed'))
  command
    .command('limit')
    .description('change limits of the running node; kept until they are set to "default"')
    .option('--upload <rate>', 'to peers: "2MiB" a second, "none" or "default"', parseRate)
    .option('--download <rate>', 'from peers and origins together', parseRate)
    .option('--origin <rate>', 'from origins', parseRate)
    .option('--json', 'print JSON', false)
    .action(({ json, ...limits }: LimitOptions) =>
      call(context, json, 'POST', '/v1/seed/limits', limits),
    )
  for (const [verb, method, what] of [
    ['add', 'POST', 'fetch and keep an app, or a blob, to seed it without running it'],
    ['remove', 'DELETE', 'seed it no longer than it is here for another reason'],
  ] as const) {
    command
      .command(`${verb} <app-or-digest>`)
      .description(what)
      .option('--json', 'print JSON', false)
      .action((name: string, { json }: { json: boolean }) =>
        call(context, json, method, `/v1/seed/${encodeURIComponent(name)}`),
      )
  }
  return command
}

const RATE = /^(\d{1,7})(KiB|MiB|GiB)$/
const BYTES = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const

/** Pure. @throws InvalidArgumentError */
export function parseRate(text: string): LimitWord {
  if (text === 'none' || text === 'default') return text
  const [, count, unit] = RATE.exec(text) ?? []
  const bytes = Number(count) * BYTES[unit as keyof typeof BYTES]
  if (bytes > 0) return bytes
  throw new InvalidArgumentError(
    'It must be a size such as "512KiB" or "2MiB", "none" or "default".',
  )
}

async function call(
  { io, socket }: Context,
  isJson: boolean,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<void> {
  await using client = createControlClient(socket)
  const view = (await client.call(method, path, body)) as SeedListView
  io.stdout(isJson ? `${JSON.stringify(view)}\n` : `${formatSeeds(view)}\n`)
}

/** Pure: the page for a person. */
export function formatSeeds(view: SeedListView): string {
  const rows = view.seeds.map(seed => [
    seed.app,
    seed.version,
    `${seed.heldBlobCount} of ${seed.blobCount} blobs`,
    formatBytes(seed.heldBytes),
    `gave ${formatBytes(seed.givenBytes.lan)} to the LAN, ${formatBytes(seed.givenBytes.wan)} beyond`,
    seed.peerCount === 1 ? '1 peer' : `${seed.peerCount} peers`,
  ])
  return [
    rows.length === 0 ? 'Nothing is seeded yet.' : formatTable(rows),
    ...(view.wanted.length === 0 ? [] : [`wanted: ${view.wanted.join(', ')}`]),
    formatServing(view),
  ].join('\n')
}
