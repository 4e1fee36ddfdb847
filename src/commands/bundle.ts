/** `archy bundle import`: a catalog and apps from a disk that was carried here. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Imported } from '../bundle.ts'
import { createControlClient } from '../http/control-client.ts'
import { formatBytes } from './format.ts'
import type { CommandIo } from './io.ts'

export function bundleCommand({ io, socket }: { io: CommandIo; socket: string }): Command {
  const command = new Command('bundle').description('catalogs and apps that are carried on a disk')
  command
    .command('import <folder>')
    .description(
      'take what "archy origin bundle export" wrote; it is checked like any other source',
    )
    .option('--json', 'print JSON', false)
    .action(async (folder: string, { json }: { json: boolean }) => {
      await using client = createControlClient(socket)
      const body = { folder: resolve(folder) }
      const imported = (await client.call('POST', '/v1/bundle', body)) as Imported
      io.stdout(json ? `${JSON.stringify(imported)}\n` : `${importedText(imported)}\n`)
    })
  return command
}

function importedText({ catalog, releases, blobCount, bytes }: Imported): string {
  const what = catalog === 'updated' ? 'The catalog is newer now.' : 'The catalog is the same.'
  const files = `${blobCount} files, ${formatBytes(bytes)}`
  const complete = releases.length === 0 ? 'none' : releases.join(', ')
  return `${what} Took ${files}. Complete on this node: ${complete}.`
}
