/** A publisher without an origin: `init --publisher`, its feed, and `archy origin publisher rotate`. */
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import {
  type FeedPublication,
  initPublisher,
  type Protection,
  rotatePublisher,
} from '../../catalog/publish/index.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { PASSPHRASE_OPTION, type ProtectionOptions, protectionFrom } from './passphrase.ts'

interface NewPublisherFolder extends JsonOption {
  readonly keyType: 'ed25519' | 'p256'
  readonly protection: Protection | undefined
}

export async function initPublisherFolder(
  { io, clock }: OriginCommandContext,
  dir: string,
  { json, keyType, protection }: NewPublisherFolder,
): Promise<void> {
  const made = await initPublisher(dir, { nowMs: clock.nowMs(), type: keyType, protection })
  const text = [
    `The publisher folder ${dir} is ready; its feed is empty.`,
    `Your identity is ${made.did}`,
    `Your apps are known as ${made.id}.<app>`,
    `Your feed is ${dir}/public/${made.publication.feed}`,
    '',
    sheetText(made.recovery),
    `Next: archy origin release add ${dir} <app-dir>`,
    '',
  ]
  io.stdout(json ? `${JSON.stringify(made)}\n` : text.join('\n'))
}

interface RotateOptions extends JsonOption, ProtectionOptions {
  readonly recoveryFile: string
}

export function publisherCommand({ io }: OriginCommandContext): Command {
  const command = new Command('publisher').description('the key of a publisher folder')
  command
    .command('rotate <dir>')
    .description('move to the key on the recovery sheet; your identity stays')
    .requiredOption('--recovery-file <file>', 'a file with the line of the recovery sheet')
    .option(...PASSPHRASE_OPTION)
    .option('--unencrypted', 'no passphrase for the key', false)
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: RotateOptions) => {
      const protection = await protectionFrom(io, options)
      const sheet = await readFile(options.recoveryFile, 'utf8')
      const rotated = await rotatePublisher(dir, sheet, protection)
      const text = [
        `The key of ${rotated.did} is the one from the sheet now. Destroy that sheet and the file.`,
        '',
        sheetText(rotated.recovery),
        `Next: archy origin publish ${dir}`,
        '',
      ]
      io.stdout(options.json ? `${JSON.stringify(rotated)}\n` : text.join('\n'))
    })
  return command
}

export function feedText({ version, entryCount, expiresMs, feed }: FeedPublication): string {
  const until = new Date(expiresMs).toISOString().slice(0, 10)
  const entries = entryCount === 1 ? '1 entry' : `${entryCount} entries`
  return `Published feed ${version} with ${entries} as ${feed}; publish again before ${until}.`
}

function sheetText(recovery: string): string {
  return [
    'RECOVERY SHEET: print or write this line down and keep it away from this machine.',
    'It is your next key. Lose both keys, and nobody can ever publish under your identity again.',
    '',
    `    ${recovery}`,
    '',
  ].join('\n')
}
