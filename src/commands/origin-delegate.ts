/** `archy origin delegate`: which other publishers an origin lists. */
import { Command, Option } from 'commander'
import {
  type Delegated,
  delegateTo,
  endDelegation,
  openPublisherFolder,
  readReleases,
} from '../../catalog/publish/index.ts'
import { openPublisherSite } from '../http/publisher-site.ts'
import { formatBytes, formatTable } from './format.ts'
import { createProgressLine } from './origin-add.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'

interface AddOptions extends JsonOption {
  readonly tier: 'claimed' | 'registry'
  readonly from: string
}

export function delegateCommand(context: OriginCommandContext): Command {
  const { io } = context
  const command = new Command('delegate').description('list other publishers at this origin')
  for (const [verb, what] of Object.entries(IMPORTS)) {
    command
      .command(`${verb} <dir> <did>`)
      .description(what)
      .requiredOption('--from <place>', 'a folder, or the URL that the publisher serves from')
      .addOption(
        new Option('--tier <tier>', 'confirmed by the offline keys, or listed by an online one')
          .choices(['claimed', 'registry'])
          .makeOptionMandatory(),
      )
      .option('--json', 'print JSON', false)
      .action(
        async (dir: string, did: string, options: AddOptions) =>
          await add(context, dir, did, options),
      )
  }
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

const IMPORTS = {
  add: 'import the signed file of a publisher with all its blobs, and list it',
  update: 'import a newer file of a listed publisher',
} as const

async function add(
  { io, clock, stopped }: OriginCommandContext,
  dir: string,
  did: string,
  { tier, from, json }: AddOptions,
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
