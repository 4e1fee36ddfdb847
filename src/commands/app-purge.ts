/** `archy app purge`: deletes what an uninstalled app left, after it said what that is. */
import type { Command } from 'commander'
import type { Retained } from '../../orchestrator/index.ts'
import { NodeError } from '../core/errors.ts'
import { createControlClient } from '../http/control-client.ts'
import type { AppCommandContext } from './app.ts'
import { formatBytes, formatTable } from './format.ts'

export class PurgeError extends NodeError<'PURGE_NOT_CONFIRMED'> {}

interface Options {
  readonly yes: boolean
  readonly json: boolean
}

/** Adds its command to `archy app`. */
export function addPurgeCommand(app: Command, { io, socket }: AppCommandContext): void {
  app
    .command('purge <id>')
    .description('delete data, secrets and settings of an uninstalled app, for good')
    .option('--yes', 'do not ask', false)
    .option('--json', 'print JSON', false)
    .action(async (id: string, { yes, json }: Options) => {
      await using client = createControlClient(socket)
      const path = `/v1/apps/${encodeURIComponent(id)}/retained`
      const retained = (await client.call('GET', path)) as Retained
      if (!json) io.stdout(`${formatRetained(retained)}\n`)
      if (!yes) {
        const typed = await io.askSecret?.(`Type "${id}" to delete all of it (not shown): `)
        if (typed !== id) {
          const fix = `type the id of the app, or give --yes`
          throw new PurgeError('PURGE_NOT_CONFIRMED', `nothing was deleted; ${fix}`)
        }
      }
      await client.call('DELETE', path)
      io.stdout(json ? `${JSON.stringify({ ...retained, purged: true })}\n` : `${id} is purged.\n`)
    })
}

/** Pure: what would be deleted, and how much. */
export function formatRetained({ id, data, bytes, path, secrets, settings }: Retained): string {
  const list = (names: readonly string[]): string => names.join(', ') || 'none'
  return [
    `${id} left ${formatBytes(bytes)} in ${path}:`,
    ...(data.length === 0
      ? ['  nothing']
      : [formatTable(data.map(each => [`  ${each.name}`, formatBytes(each.bytes)]))]),
    `secrets: ${list(secrets)}`,
    `settings: ${list(settings)}`,
  ].join('\n')
}
