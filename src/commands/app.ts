/** `archy app`: install, start, stop and remove apps of the running node; and what authors of apps need, without one. */
import { Command, InvalidArgumentError } from 'commander'
import type { Clock } from '../core/clock.ts'
import { createControlClient } from '../http/control-client.ts'
import type { AppView } from '../status.ts'
import { addAdoptionCommands } from './app-adopt.ts'
import { addChoiceCommands } from './app-choice.ts'
import { addConfigCommand } from './app-config.ts'
import { convertCommand } from './app-convert.ts'
import { newCommand } from './app-new.ts'
import { addPurgeCommand } from './app-purge.ts'
import { addRenderCommand } from './app-render.ts'
import { addSecretCommand } from './app-rotate.ts'
import { describeApp, formatApps, formatPermissions } from './app-text.ts'
import { addUpdateCommands } from './app-update.ts'
import { validateCommand } from './app-validate.ts'
import { waitUntilSettled } from './app-wait.ts'
import type { CommandIo } from './io.ts'

export interface AppCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  readonly socket: string
  readonly stopped: AbortSignal
  /** Makes the exit code 1. */
  readonly fail: () => void
}

export function appCommand(context: AppCommandContext): Command {
  const command = new Command('app').description('apps of the running node, and manifests of apps')
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
  addUpdateCommands(command, context)
  addConfigCommand(command, context)
  addRenderCommand(command, context)
  addSecretCommand(command, context)
  addPurgeCommand(command, context)
  addAdoptionCommands(command, context)
  command.addCommand(validateCommand(context)).addCommand(newCommand(context))
  command.addCommand(convertCommand(context))
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
  if (options.json) return io.stdout(`${JSON.stringify(view)}\n`)
  io.stdout([describeApp(view), ...formatPermissions(view), ''].join('\n'))
}

async function act({ io, socket }: AppCommandContext, verb: string, id: string, isJson: boolean) {
  await using client = createControlClient(socket)
  const view = (await client.call('POST', `/v1/apps/${encodeURIComponent(id)}/${verb}`)) as AppView
  io.stdout(isJson ? `${JSON.stringify(view)}\n` : `${describeApp(view)}\n`)
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
