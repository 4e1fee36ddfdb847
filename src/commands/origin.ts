/** `archy origin`: what a publisher does, from the first key to serving the files. */
import { Command } from 'commander'
import { type InitializedOrigin, initOrigin } from '../../catalog/publish/index.ts'
import { addCommand } from './origin-add.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { publishCommand } from './origin-publish.ts'
import { releaseCommand } from './origin-release.ts'
import { serveCommand } from './origin-serve.ts'

/** The commands of a publisher; failures are thrown as `NodeError` for the caller to report. */
export function originCommand(context: OriginCommandContext): Command {
  const command = new Command('origin').description(
    'publish apps: make, fill, sign, serve an origin',
  )
  command
    .command('init <dir>')
    .description('make keys and an empty signed catalog in a new folder')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: JsonOption) => await init(context, dir, options))
  command.addCommand(addCommand(context))
  command.addCommand(releaseCommand(context))
  command.addCommand(publishCommand(context))
  command.addCommand(serveCommand(context))
  return command
}

async function init({ io, clock }: OriginCommandContext, dir: string, { json }: JsonOption) {
  const made = await initOrigin(dir, { nowMs: clock.nowMs() })
  io.stdout(json ? `${JSON.stringify(initView(made))}\n` : initText(made, dir))
}

function initView({ root, rootPath, publicFolder, publication }: InitializedOrigin) {
  return { root: Buffer.from(root).toString('utf8'), rootPath, publicFolder, ...publication }
}

function initText({ rootPath }: InitializedOrigin, dir: string): string {
  return [
    `The origin ${dir} is ready; its catalog is empty.`,
    `Nodes trust it by its root: ${rootPath}`,
    `Keep the folder "keys" to yourself, and a copy of it in another place.`,
    '',
  ].join('\n')
}
