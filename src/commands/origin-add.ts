/** `archy origin add`, and under the same handler `release add`: drafts a release of an app folder. */
import { Command } from 'commander'
import { type AddedApp, type AddProgress, addApp } from '../../catalog/publish/index.ts'
import { formatBytes } from './format.ts'
import type { CommandIo } from './io.ts'
import type { JsonOption, OriginCommandContext } from './origin-context.ts'

interface AddCommandOptions extends JsonOption {
  readonly channel: string
}

export function addCommand(context: OriginCommandContext): Command {
  return new Command('add')
    .argument('<dir>')
    .argument('<app-dir>')
    .description('check an app folder and draft a release of it; "publish" makes it visible')
    .option('--channel <name>', 'the channel that it becomes the head of', 'stable')
    .option('--json', 'print JSON', false)
    .action(
      async (dir: string, app: string, options: AddCommandOptions) =>
        await add(context, dir, app, options),
    )
}

async function add(
  { io }: OriginCommandContext,
  dir: string,
  app: string,
  { channel, json }: AddCommandOptions,
): Promise<void> {
  const progress = createProgressLine(io)
  try {
    const added = await addApp(dir, app, { channel, onProgress: progress.show })
    progress.clear()
    io.stdout(json ? `${JSON.stringify(added)}\n` : addedText(added, dir))
  } finally {
    progress.clear()
  }
}

/** One line that is drawn again and again, where a person watches. */
export function createProgressLine(io: CommandIo) {
  let shown = ''
  return {
    show({ doneBytes, totalBytes }: AddProgress): void {
      if (!io.isTty) return
      const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100)
      const line = `${percent} % of ${formatBytes(totalBytes)}`
      if (line === shown) return
      shown = line
      io.stderr(`\r\u001b[2K${line}`)
    },
    clear(): void {
      if (shown !== '') io.stderr('\r\u001b[2K')
      shown = ''
    },
  }
}

function addedText(added: AddedApp, dir: string): string {
  const { app, version, channel, seq, totalSize, newBytes, outcome } = added
  const what = `${app} ${version} (release ${seq}, ${formatBytes(totalSize)})`
  if (outcome === 'unchanged') return `${what} is already the head of ${channel}.\n`
  const size = `${formatBytes(newBytes)} of it new`
  return `${what} is drafted for ${channel}, ${size}. Next: archy origin publish ${dir}\n`
}
