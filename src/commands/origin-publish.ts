/** `archy origin publish`: signs what is drafted, makes it the catalog, and brings it to where it is served. */
import { Command, InvalidArgumentError } from 'commander'
import {
  type Destination,
  type FeedPublication,
  openDestination,
  type Publication,
  publishFeed,
  publishOrigin,
  readReleases,
} from '../../catalog/publish/index.ts'
import { formatBytes } from './format.ts'
import { createProgressLine } from './origin-add.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'
import { feedText } from './origin-publisher.ts'
import { PASSPHRASE_OPTION, type PassphraseOption, passphraseFrom } from './passphrase.ts'

interface PublishCommandOptions extends JsonOption, PassphraseOption {
  readonly to?: string
  readonly endpoint?: string
  readonly region?: string
  readonly expectHead?: number
}

export function publishCommand(context: OriginCommandContext): Command {
  return new Command('publish')
    .argument('<dir>')
    .description('sign what is drafted and make it the catalog')
    .option('--to <place>', 'also bring it there: a folder, or s3://bucket/prefix')
    .option('--endpoint <url>', "an S3-compatible store other than Amazon's")
    .option('--region <name>', 'the region of the bucket')
    .option('--expect-head <version>', 'refuse when the live catalog is another', parseVersion)
    .option(...PASSPHRASE_OPTION)
    .option('--json', 'print JSON', false)
    .action(async (dir: string, options: PublishCommandOptions) => {
      await publish(context, dir, options)
    })
}

async function publish(
  { io, clock, stopped }: OriginCommandContext,
  dir: string,
  options: PublishCommandOptions,
): Promise<void> {
  const { to, expectHead, json } = options
  const destination = to === undefined ? undefined : await openDestination(to, options)
  const passphrase = passphraseFrom(io, options)
  const progress = createProgressLine(io)
  try {
    const how = {
      nowMs: clock.nowMs(),
      signal: stopped,
      onProgress: progress.show,
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(destination === undefined ? {} : { destination }),
      ...(expectHead === undefined ? {} : { expectHead }),
    }
    const { publisher } = await readReleases(dir)
    const publication =
      publisher === null ? await publishOrigin(dir, how) : await publishFeed(dir, how)
    progress.clear()
    io.stdout(json ? `${JSON.stringify(publication)}\n` : publicationText(publication))
  } finally {
    progress.clear()
    await closeIfOpen(destination)
  }
}

async function closeIfOpen(destination: Destination | undefined): Promise<void> {
  await destination?.close()
}

export function publicationText(publication: Publication | FeedPublication): string {
  const { deployment } = publication
  const lines = 'feed' in publication ? [feedText(publication)] : catalogLines(publication)
  if (deployment !== undefined) {
    const { destination, uploadedFiles, uploadedBytes } = deployment
    const files = uploadedFiles === 1 ? '1 file' : `${uploadedFiles} files`
    const what = `${files}, ${formatBytes(uploadedBytes)}`
    lines.push(`Brought ${what} to ${destination}; read back from there and verified.`)
  }
  return `${lines.join('\n')}\n`
}

function catalogLines({ versions, entryCount, expiresMs, due }: Publication): string[] {
  const until = new Date(expiresMs).toISOString().slice(0, 10)
  const entries = entryCount === 1 ? '1 entry' : `${entryCount} entries`
  const first = `Published catalog ${versions.timestamp} with ${entries}; publish again before ${until}.`
  if (due.length === 0) return [first]
  return [first, `To be renewed soon, with keys that are not on this machine: ${due.join(', ')}.`]
}

function parseVersion(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('it is the number of a catalog, or 0 when there is none yet')
}
