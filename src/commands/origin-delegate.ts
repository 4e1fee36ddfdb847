/** `archy origin delegate`: which other publishers an origin lists; and what else only its offline keys say. */
import { Command, Option } from 'commander'
import {
  acknowledgeFork,
  type Delegated,
  decideRelease,
  delegateTo,
  endDelegation,
  openPublisherFolder,
  readReleases,
} from '../../catalog/publish/index.ts'
import { openPublisherSite } from '../http/publisher-site.ts'
import { formatBytes, formatTable } from './format.ts'
import { createProgressLine } from './origin-add.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'

type Tier = 'claimed' | 'registry'

interface ImportOptions extends JsonOption {
  readonly from: string
}

export function delegateCommand(context: OriginCommandContext): Command {
  const { io } = context
  const command = new Command('delegate').description('list other publishers at this origin')
  command
    .command('add <dir> <did>')
    .description('import the signed file of a publisher with all its blobs, and list it')
    .requiredOption('--from <place>', 'a folder, or the URL that the publisher serves from')
    .addOption(tierOption().makeOptionMandatory())
    .option('--json', 'print JSON', false)
    .action(
      async (dir: string, did: string, options: ImportOptions & { tier: Tier }) =>
        await importFrom(context, dir, did, options.tier, options),
    )
  command
    .command('update <dir> <did>')
    .description('import a newer file of a listed publisher')
    .requiredOption('--from <place>', 'a folder, or the URL that the publisher serves from')
    .addOption(tierOption())
    .option('--json', 'print JSON', false)
    .action(
      async (dir: string, did: string, options: ImportOptions & { tier?: Tier }) =>
        await importFrom(context, dir, did, options.tier, options),
    )
  command
    .command('revoke <dir> <did>')
    .description('take a publisher off the list; nodes install nothing of it any more')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, did: string, { json }: JsonOption) => {
      await endDelegation(dir, did)
      const text = `${did} is revoked for good, wherever its apps come from.\nNext: archy origin publish ${dir}\n`
      io.stdout(json ? `${JSON.stringify({ did, outcome: 'revoked' })}\n` : text)
    })
  command
    .command('list <dir>')
    .description('show the publishers that this origin lists, and those that it revoked')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, { json }: JsonOption) => {
      const { delegations: all, revokedDids } = await readReleases(dir)
      const delegations = all.filter(({ tier }) => tier !== 'ended')
      io.stdout(
        json
          ? `${JSON.stringify({ delegations, revokedDids })}\n`
          : `${listText(delegations, revokedDids)}\n`,
      )
    })
  return command
}

/** `archy origin acknowledge-fork`: the offline keys say that they know of two contradicting catalogs. */
export function acknowledgeForkCommand({ io }: OriginCommandContext): Command {
  return new Command('acknowledge-fork')
    .argument('<dir>')
    .argument('<content>')
    .argument('<other-content>')
    .description('end a fork that nodes report, once you know how it came to be')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, one: string, other: string, { json }: JsonOption) => {
      const draft = await decideRelease(dir, before => acknowledgeFork(before, [one, other]))
      const { acknowledgedForks } = draft
      const text = `The fork is acknowledged; the targets key signs it.\nNext: archy origin publish ${dir}\n`
      io.stdout(json ? `${JSON.stringify({ acknowledgedForks })}\n` : text)
    })
}

function tierOption(): Option {
  return new Option(
    '--tier <tier>',
    'confirmed by the offline keys, or listed by an online one',
  ).choices(['claimed', 'registry'])
}

async function importFrom(
  { io, clock, stopped }: OriginCommandContext,
  dir: string,
  did: string,
  tier: Tier | undefined,
  { from, json }: ImportOptions,
): Promise<void> {
  const progress = createProgressLine(io)
  try {
    const delegated = await delegateTo(dir, {
      did,
      tier,
      source: /^https?:\/\//.test(from) ? openPublisherSite(from) : await openPublisherFolder(from),
      nowMs: clock.nowMs(),
      signal: stopped,
      onProgress: progress.show,
    })
    progress.clear()
    io.stdout(json ? `${JSON.stringify(delegated)}\n` : delegatedText(delegated, dir))
  } finally {
    progress.clear()
  }
}

function delegatedText(delegated: Delegated, dir: string): string {
  const { did, id, tier, version, apps, newBytes, outcome, expiresMs } = delegated
  if (outcome === 'unchanged') return `File ${version} of ${did} is listed already.\n`
  const until = new Date(expiresMs).toISOString().slice(0, 10)
  return [
    `File ${version} of ${did} is imported, ${formatBytes(newBytes)} of it new.`,
    `It is ${tier}, holds until ${until}, and its apps are ${apps.map(app => `${id}.${app}`).join(', ') || 'none yet'}.`,
    `Next: archy origin publish ${dir}`,
    '',
  ].join('\n')
}

type Draft = Awaited<ReturnType<typeof readReleases>>

function listText(delegations: Draft['delegations'], revoked: readonly string[]): string {
  if (delegations.length + revoked.length === 0) return 'No other publisher is listed.'
  return formatTable([
    ['TIER', 'ID', 'FILE', 'PUBLISHER'],
    ...delegations.map(({ tier, id, version, did }) => [tier, id, String(version), did]),
    ...revoked.map(did => ['revoked', '-', '-', did]),
  ])
}
