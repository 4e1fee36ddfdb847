/** `archy origin`: what a publisher does, from the first key to serving the files. */
import { Command, Option } from 'commander'
import { type InitializedOrigin, initOrigin } from '../../catalog/publish/index.ts'
import { addCommand } from './origin-add.ts'
import { bundleCommand } from './origin-bundle.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { acknowledgeForkCommand, delegateCommand } from './origin-delegate.ts'
import { publishCommand } from './origin-publish.ts'
import { initPublisherFolder, publisherCommand } from './origin-publisher.ts'
import { releaseCommand } from './origin-release.ts'
import { serveCommand } from './origin-serve.ts'

interface InitOptions extends JsonOption {
  readonly publisher: boolean
  readonly keyType: 'ed25519' | 'p256'
}

/** The commands of a publisher; failures are thrown as `NodeError` for the caller to report. */
export function originCommand(context: OriginCommandContext): Command {
  const command = new Command('origin').description(
    'publish apps: make, fill, sign, serve an origin',
  )
  command
    .command('init <dir>')
    .description('make keys and an empty signed catalog in a new folder')
    .option('--publisher', 'make the folder of a publisher that other origins list', false)
    .addOption(
      new Option('--key-type <type>', 'of the key of a publisher')
        .choices(['ed25519', 'p256'])
        .default('ed25519'),
    )
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: InitOptions) =>
      options.publisher
        ? await initPublisherFolder(context, dir, options)
        : await init(context, dir, options),
    )
  command.addCommand(addCommand(context))
  command.addCommand(releaseCommand(context))
  command.addCommand(delegateCommand(context))
  command.addCommand(publisherCommand(context))
  command.addCommand(acknowledgeForkCommand(context))
  command.addCommand(publishCommand(context))
  command.addCommand(bundleCommand(context))
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
