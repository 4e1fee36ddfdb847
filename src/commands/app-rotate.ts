/** `archy app rotate`: a new value for one secret of an app. */
import type { Command } from 'commander'
import { createControlClient } from '../http/control-client.ts'
import type { AppView } from '../status.ts'
import type { AppCommandContext } from './app.ts'

/** Adds its command to `archy app`. */
export function addSecretCommand(app: Command, { io, socket }: AppCommandContext): void {
  app
    .command('rotate <id> <secret>')
    .description(
      'make a new value for a secret; the old one comes back when the app does not run with it',
    )
    .option('--json', 'print JSON', false)
    .action(async (id: string, secret: string, { json }: { json: boolean }) => {
      await using client = createControlClient(socket)
      const path = `/v1/apps/${encodeURIComponent(id)}/secrets/${encodeURIComponent(secret)}/rotate`
      const view = (await client.call('POST', path)) as AppView
      io.stdout(json ? `${JSON.stringify(view)}\n` : `${id} runs with a new ${secret}.\n`)
    })
}
