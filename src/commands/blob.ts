/** `archy blob`: what the store of the running node holds. */
import { Command } from 'commander'
import type { Clock } from '../core/clock.ts'
import type { BlobView } from '../http/blob-routes.ts'
import { createControlClient } from '../http/control-client.ts'
import { formatBytes, formatDuration, formatTable } from './format.ts'
import type { CommandIo } from './io.ts'

export interface BlobCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  readonly socket: string
}

export function blobCommand(context: BlobCommandContext): Command {
  const command = new Command('blob').description('the blobs in the store of the running node')
  command
    .command('list')
    .description('list the blobs of this node, the one used last first')
    .option('--json', 'print JSON', false)
    .action(async (options: { json: boolean }) => await list(context, options.json))
  return command
}

async function list({ io, clock, socket }: BlobCommandContext, isJson: boolean): Promise<void> {
  await using client = createControlClient(socket)
  const blobs = (await client.call('GET', '/v1/blobs')) as readonly BlobView[]
  io.stdout(isJson ? `${JSON.stringify(blobs)}\n` : `${formatBlobs(blobs, clock.nowMs())}\n`)
}

/** Pure: the page for a person. */
export function formatBlobs(blobs: readonly BlobView[], nowMs: number): string {
  if (blobs.length === 0) return 'No blobs. They come with the apps that are installed.'
  const rows = blobs.map(({ digest, sizeBytes, isComplete, lastUsedMs, ...blob }) => [
    digest,
    formatBytes(sizeBytes),
    isComplete ? 'complete' : `${blob.heldPieceCount} of ${blob.pieceCount} pieces`,
    `used ${formatDuration(nowMs - lastUsedMs)} ago`,
  ])
  const sum = blobs.reduce((total, { sizeBytes }) => total + sizeBytes, 0)
  return `${formatTable(rows)}\n${blobs.length} blobs, ${formatBytes(sum)}`
}
