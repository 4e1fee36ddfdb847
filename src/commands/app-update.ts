/** `archy app permissions | approve | rollback`: what an app may do, updates that wait for their owner, and the way back. */
import type { Command } from 'commander'
import { createControlClient } from '../http/control-client.ts'
import type { AppView } from '../status.ts'
import type { AppCommandContext } from './app.ts'
import { describeApp, formatConsent, formatPermissions } from './app-text.ts'
import { waitUntilSettled } from './app-wait.ts'

interface JsonOption {
  readonly json: boolean
}

/** Adds its commands to `archy app`. */
export function addUpdateCommands(app: Command, context: AppCommandContext): void {
  app
    .command('permissions <id>')
    .description('say what an app may do, and what an update that waits would add')
    .option('--json', 'print JSON', false)
    .action(async (id: string, { json }: JsonOption) => {
      await using client = createControlClient(context.socket)
      const view = (await client.call('GET', pathOf(id))) as AppView
      print(context, json, view, [
        describeApp(view),
        ...formatPermissions(view),
        ...formatConsent(view),
      ])
    })
  app
    .command('approve <id>')
    .description('agree to an update that may do more than what is installed')
    .option('--no-wait', 'return at once, do not wait until it runs')
    .option('--json', 'print JSON', false)
    .action(async (id: string, { json, wait }: JsonOption & { wait: boolean }) => {
      await using client = createControlClient(context.socket)
      const accepted = (await client.call('POST', `${pathOf(id)}/approve`)) as AppView
      const view = wait ? await waitUntilSettled(context, client, pathOf(id)) : accepted
      print(context, json, view, [describeApp(view)])
    })
  app
    .command('rollback <id>')
    .description('go back to the version before; with its data, while the update is on probation')
    .option('--force', 'also when the installed version says that nothing older can run', false)
    .option('--json', 'print JSON', false)
    .action(async (id: string, { json, force }: JsonOption & { force: boolean }) => {
      await using client = createControlClient(context.socket)
      const view = (await client.call('POST', `${pathOf(id)}/rollback`, { force })) as AppView
      print(context, json, view, [describeApp(view)])
    })
}

function pathOf(id: string): string {
  return `/v1/apps/${encodeURIComponent(id)}`
}

function print(
  { io }: AppCommandContext,
  isJson: boolean,
  view: AppView,
  lines: readonly string[],
): void {
  io.stdout(isJson ? `${JSON.stringify(view)}\n` : `${lines.join('\n')}\n`)
}
