/** `archy app`: install, start, stop and remove apps of the running node. */
import { Command, InvalidArgumentError } from 'commander'
import type { Clock } from '../core/clock.ts'
import { NodeError } from '../core/errors.ts'
import { type ControlClient, createControlClient } from '../http/control-client.ts'
import type { AppView } from '../status.ts'
import { addChoiceCommands } from './app-choice.ts'
import { formatTable } from './format.ts'
import type { CommandIo } from './io.ts'
import { formatProgress } from './progress.ts'

class AppCommandError extends NodeError<'APP_FAILED'> {}

export interface AppCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  readonly socket: string
  readonly stopped: AbortSignal
}

/** A person watches the progress; twice a second looks alive and costs nothing. */
const POLL_INTERVAL_MS = 500

export function appCommand(context: AppCommandContext): Command {
  const command = new Command('app').description('apps of the running node')
  command
    .command('list')
    .description('list the apps of this node')
    .option('--json', 'print JSON', false)
    .action(async (options: { json: boolean }) => await list(context, options.json))
  command
    .command('install <id>')
    .description('install an app of the catalog and keep it up to date')
    .option('--channel <name>', 'the channel to follow; "stable" the first time')
    .option(
      '--trust-publisher <did>',
      'agree to run apps of a publisher that the origin does not know',
    )
    .option(
      '--accept-stale <version:hash>',
      'install from exactly this expired catalog',
      parseStale,
    )
    .option('--no-wait', 'return at once, do not wait until it runs')
    .option('--json', 'print JSON', false)
    .action(async (id: string, options: InstallOptions) => await install(context, id, options))
  for (const [verb, what] of Object.entries(VERBS)) {
    command
      .command(`${verb} <id>`)
      .description(what)
      .option('--json', 'print JSON', false)
      .action(
        async (id: string, options: { json: boolean }) =>
          await act(context, verb, id, options.json),
      )
  }
  command
    .command('uninstall <id>')
    .description('remove an app; its data and secrets stay')
    .option('--json', 'print JSON', false)
    .action(
      async (id: string, options: { json: boolean }) => await uninstall(context, id, options.json),
    )
  addChoiceCommands(command, context)
  return command
}

function parseStale(text: string): { version: number; content: string } {
  const match = /^(\d{1,15}):([0-9a-f]{16,64})$/.exec(text)
  const [, version = '', content = ''] = match ?? []
  if (match !== null) return { version: Number(version), content }
  throw new InvalidArgumentError('give it as "archy status" shows it, such as 42:9f86d081884c7d65')
}

const VERBS = {
  start: 'start an app that was stopped',
  stop: 'stop an app; it stays stopped until it is started again',
  restart: 'stop and start an app',
} as const

interface InstallOptions {
  readonly channel?: string
  readonly trustPublisher?: string
  readonly acceptStale?: { readonly version: number; readonly content: string }
  readonly wait: boolean
  readonly json: boolean
}

async function list({ io, socket }: AppCommandContext, isJson: boolean): Promise<void> {
  await using client = createControlClient(socket)
  const apps = (await client.call('GET', '/v1/apps')) as readonly AppView[]
  io.stdout(isJson ? `${JSON.stringify(apps)}\n` : `${formatApps(apps)}\n`)
}

async function install(
  context: AppCommandContext,
  id: string,
  options: InstallOptions,
): Promise<void> {
  const { io, socket } = context
  await using client = createControlClient(socket)
  const path = `/v1/apps/${encodeURIComponent(id)}`
  const { channel, trustPublisher, acceptStale } = options
  const accepted = (await client.call('POST', `${path}/install`, {
    channel,
    trustPublisher,
    acceptStale,
  })) as AppView
  const view = options.wait ? await waitUntilSettled(context, client, path) : accepted
  io.stdout(options.json ? `${JSON.stringify(view)}\n` : `${describe(view)}\n`)
}

/** @throws AppCommandError `APP_FAILED` */
async function waitUntilSettled(
  { io, clock, stopped }: AppCommandContext,
  client: ControlClient,
  path: string,
): Promise<AppView> {
  let shown = ''
  for (;;) {
    const view = (await client.call('GET', path)) as AppView
    const line = describe(view)
    if (line !== shown && io.isTty) io.stderr(`\r\u001b[2K${line}`)
    shown = line
    if (view.next === undefined && (view.state === 'running' || view.state === 'stopped')) {
      if (io.isTty) io.stderr('\r\u001b[2K')
      return view
    }
    if (view.error !== undefined) {
      if (io.isTty) io.stderr('\n')
      throw new AppCommandError(
        'APP_FAILED',
        `${view.id}: ${view.error.message} (${view.error.code})`,
      )
    }
    await clock.sleep(POLL_INTERVAL_MS, stopped)
  }
}

async function act({ io, socket }: AppCommandContext, verb: string, id: string, isJson: boolean) {
  await using client = createControlClient(socket)
  const view = (await client.call('POST', `/v1/apps/${encodeURIComponent(id)}/${verb}`)) as AppView
  io.stdout(isJson ? `${JSON.stringify(view)}\n` : `${describe(view)}\n`)
}

async function uninstall({ io, socket }: AppCommandContext, id: string, isJson: boolean) {
  await using client = createControlClient(socket)
  const answer = await client.call('DELETE', `/v1/apps/${encodeURIComponent(id)}`)
  io.stdout(
    isJson
      ? `${JSON.stringify(answer)}\n`
      : `${id} is uninstalled; its data and secrets are kept.\n`,
  )
}

export function formatApps(apps: readonly AppView[]): string {
  if (apps.length === 0) return 'No apps. Install one with "archy app install <id>".'
  return formatTable(
    apps.map(app => [app.id, app.version ?? '-', stateText(app), addressText(app)]),
  )
}

function describe(app: AppView): string {
  return [app.id, app.version, stateText(app), addressText(app)].filter(Boolean).join('  ')
}

function stateText({ state, next, error, pin, notices = [] }: AppView): string {
  const parts: string[] = [state]
  if (next !== undefined) parts.push(`→ ${next.version}`)
  const { progress, bytesPerSecond } = next ?? {}
  if (progress !== undefined) {
    parts.push(formatProgress({ ...progress, ...(bytesPerSecond && { bytesPerSecond }) }))
  }
  if (pin !== undefined) parts.push(`pinned to ${pin}`)
  if (error === undefined) parts.push(...notices.map(notice => `(${notice})`))
  if (error !== undefined) parts.push(`(${error.code}: ${error.message})`)
  return parts.join(' ')
}

function addressText(app: AppView): string {
  return (app.interfaces ?? []).map(i => `${i.title}: port ${i.port}${i.path}`).join(', ')
}
