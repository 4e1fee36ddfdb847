/** `archy origin bundle export`: the catalog and chosen apps on a disk that is carried to nodes. */
import { Command } from 'commander'
import { type Bundle, exportBundle } from '../../catalog/publish/index.ts'
import { formatBytes } from './format.ts'
import { createProgressLine } from './origin-add.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'

interface ExportOptions extends JsonOption {
  readonly out: string
  readonly app: readonly string[]
}

export function bundleCommand(context: OriginCommandContext): Command {
  const command = new Command('bundle').description('carry the catalog and apps on a disk')
  command
    .command('export <dir>')
    .description('write what is published into a folder, in a form that nodes import')
    .requiredOption('--out <folder>', 'a new folder, or an earlier bundle of this origin')
    .option('--app <name>', 'only this app; may be given again', collect, [])
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: ExportOptions) => await write(context, dir, options))
  return command
}

async function write(
  { io, clock, stopped }: OriginCommandContext,
  dir: string,
  { out, app, json }: ExportOptions,
): Promise<void> {
  const progress = createProgressLine(io)
  try {
    const bundle = await exportBundle(dir, {
      out,
      apps: app,
      nowMs: clock.nowMs(),
      signal: stopped,
      onProgress: progress.show,
    })
    progress.clear()
    io.stdout(json ? `${JSON.stringify(bundle)}\n` : bundleText(bundle))
  } finally {
    progress.clear()
  }
}

function bundleText({ folder, version, expiresMs, apps, deployment }: Bundle): string {
  const until = new Date(expiresMs).toISOString().slice(0, 10)
  return [
    `Wrote ${formatBytes(deployment.uploadedBytes)} to ${folder} and read all of it back.`,
    `It has catalog ${version}, fresh until ${until}, with ${apps.join(', ') || 'no app'}.`,
    `On a node: archy bundle import ${folder}`,
    '',
  ].join('\n')
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
