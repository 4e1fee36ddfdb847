/** `archy origin publish`: signs what is drafted and makes it the catalog. */
import { Command } from 'commander'
import { type Publication, publishOrigin } from '../../catalog/publish/index.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'

export function publishCommand({ io, clock }: OriginCommandContext): Command {
  return new Command('publish')
    .argument('<dir>')
    .description('sign what is drafted and make it the catalog')
    .option('--json', 'print JSON', false)
    .action(async (dir: string, { json }: JsonOption) => {
      const publication = await publishOrigin(dir, { nowMs: clock.nowMs() })
      io.stdout(json ? `${JSON.stringify(publication)}\n` : publicationText(publication))
    })
}

function publicationText({ versions, entryCount, expiresMs }: Publication): string {
  const until = new Date(expiresMs).toISOString().slice(0, 10)
  const entries = entryCount === 1 ? '1 entry' : `${entryCount} entries`
  return `Published catalog ${versions.timestamp} with ${entries}; publish again before ${until}.\n`
}
