/** `archy origin init`: a new origin, or the folder of a publisher, with the recovery sheet that its owner keeps on paper. */
import { Command, Option } from 'commander'
import { type InitializedOrigin, initOrigin, type Protection } from '../../catalog/publish/index.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { initPublisherFolder } from './origin-publisher.ts'
import { PASSPHRASE_OPTION, type ProtectionOptions, protectionFrom } from './passphrase.ts'

interface InitOptions extends JsonOption, ProtectionOptions {
  readonly publisher: boolean
  readonly keyType: 'ed25519' | 'p256'
  readonly name?: string
}

export function initCommand(context: OriginCommandContext): Command {
  return new Command('init')
    .argument('<dir>')
    .description('make keys and an empty signed catalog in a new folder')
    .option('--name <text>', 'what people call the origin; default: the name of the folder')
    .option('--publisher', 'make the folder of a publisher that other origins list', false)
    .addOption(
      new Option('--key-type <type>', 'of the key of a publisher')
        .choices(['ed25519', 'p256'])
        .default('ed25519'),
    )
    .option(...PASSPHRASE_OPTION)
    .option('--unencrypted', 'no passphrase: whoever reads the folder can publish', false)
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: InitOptions) => {
      const protection = await protectionFrom(context.io, options)
      if (options.publisher) await initPublisherFolder(context, dir, { ...options, protection })
      else await init(context, dir, options, protection)
    })
}

async function init(
  { io, clock }: OriginCommandContext,
  dir: string,
  { json, name }: InitOptions,
  protection: Protection | undefined,
): Promise<void> {
  const named = name === undefined ? {} : { name }
  const made = await initOrigin(dir, { nowMs: clock.nowMs(), protection, ...named })
  io.stdout(json ? `${JSON.stringify(view(made))}\n` : text(made, dir, protection !== undefined))
}

function view({ root, rootPath, publicFolder, recovery, publication }: InitializedOrigin) {
  const asText = Buffer.from(root).toString('utf8')
  return { root: asText, rootPath, publicFolder, recovery, ...publication }
}

function text({ rootPath, recovery }: InitializedOrigin, dir: string, isGuarded: boolean): string {
  return [
    `The origin ${dir} is ready; its catalog is empty.`,
    `Nodes trust it by its root: ${rootPath}`,
    isGuarded
      ? `The keys for root, targets and core in ${dir}/keys are behind your passphrase.`
      : `WARNING: the keys in ${dir}/keys have no passphrase; whoever reads them can publish.`,
    '',
    'RECOVERY SHEET: print or write this line down and keep it away from this machine.',
    'It replaces a lost key for root or targets. Nobody can make it again.',
    '',
    `    ${recovery}`,
    '',
    `Keep a copy of the folder ${dir} in another place too. Next: archy origin add ${dir} <app-dir>`,
    '',
  ].join('\n')
}
