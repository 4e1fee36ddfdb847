/** `archy blob`: what the store of the running node holds, keeps and lets go. */
import { Command } from 'commander'
import type { Collection } from '../collector.ts'
import type { Clock } from '../core/clock.ts'
import type { BlobListView } from '../http/blob-routes.ts'
import { createControlClient } from '../http/control-client.ts'
import type { PinSet } from '../pins.ts'
import { addGetCommand } from './blob-get.ts'
import { addVerifyCommand } from './blob-verify.ts'
import { blobWhyCommand } from './blob-why.ts'
import { formatBytes, formatDuration, formatTable } from './format.ts'
import type { CommandIo } from './io.ts'

export interface BlobCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  readonly socket: string
  readonly stopped: AbortSignal
  /** Says that the command did its work and found something wrong. */
  fail(): void
}

interface JsonOption {
  readonly json: boolean
}

export function blobCommand(context: BlobCommandContext): Command {
  const command = new Command('blob').description('the blobs in the store of the running node')
  command
    .command('list')
    .description('list the blobs of this node, why each is kept, the one used last first')
    .option('--json', 'print JSON', false)
    .action(async ({ json }: JsonOption) => await list(context, json))
  command
    .command('gc')
    .description('delete what nothing leads to, and seeds beyond what the store may take')
    .option('--dry-run', 'only say what would be deleted', false)
    .option('--json', 'print JSON', false)
    .action(async ({ dryRun, json }: JsonOption & { dryRun: boolean }) => {
      await collect(context, dryRun, json)
    })
  command
    .command('pin [digest-or-app]')
    .description('never delete a blob, or the blobs of an app; without a name: list the pins')
    .option('--json', 'print JSON', false)
    .action(async (name: string | undefined, { json }: JsonOption) => {
      await changePin(context, name === undefined ? 'GET' : 'POST', name, json)
    })
  command
    .command('unpin <digest-or-app>')
    .description('take a pin away')
    .option('--json', 'print JSON', false)
    .action(async (name: string, { json }: JsonOption) => {
      await changePin(context, 'DELETE', name, json)
    })
  addGetCommand(command, context)
  addVerifyCommand(command, context)
  command.addCommand(blobWhyCommand(context))
  return command
}

async function list({ io, clock, socket }: BlobCommandContext, isJson: boolean): Promise<void> {
  await using client = createControlClient(socket)
  const view = (await client.call('GET', '/v1/blobs')) as BlobListView
  io.stdout(isJson ? `${JSON.stringify(view)}\n` : `${formatBlobs(view, clock.nowMs())}\n`)
}

async function collect(
  { io, socket }: BlobCommandContext,
  dryRun: boolean,
  isJson: boolean,
): Promise<void> {
  await using client = createControlClient(socket)
  const collection = (await client.call('POST', '/v1/blobs/gc', { dryRun })) as Collection
  const text = isJson ? JSON.stringify(collection) : formatCollection(collection, dryRun)
  io.stdout(`${text}\n`)
}

async function changePin(
  { io, socket }: BlobCommandContext,
  method: 'GET' | 'POST' | 'DELETE',
  name: string | undefined,
  isJson: boolean,
): Promise<void> {
  await using client = createControlClient(socket)
  const suffix = name === undefined ? '' : `/${encodeURIComponent(name)}`
  const pins = (await client.call(method, `/v1/blobs/pins${suffix}`)) as PinSet
  const names = [...pins.apps, ...pins.blobs]
  const text = names.length === 0 ? 'Nothing is pinned.' : `Pinned: ${names.join(', ')}`
  io.stdout(`${isJson ? JSON.stringify(pins) : text}\n`)
}

/** Pure: the page for a person. */
export function formatBlobs({ blobs, usage }: BlobListView, nowMs: number): string {
  if (blobs.length === 0) return 'No blobs. They come with the apps that are installed.'
  const rows = blobs.map(({ digest, sizeBytes, isComplete, lastUsedMs, use, ...blob }) => [
    digest,
    formatBytes(sizeBytes),
    isComplete ? 'complete' : `${blob.heldPieceCount} of ${blob.pieceCount} pieces`,
    `used ${formatDuration(nowMs - lastUsedMs)} ago`,
    use,
  ])
  return `${formatTable(rows)}\n${blobs.length} blobs. ${usageText(usage)}`
}

function usageText({
  usedBytes,
  promisedBytes,
  freeBytes,
  ...limits
}: BlobListView['usage']): string {
  const { quotaBytes, minFreeBytes } = limits
  const quota = quotaBytes === undefined ? '' : ` of ${formatBytes(quotaBytes)} (storage.quota)`
  const promised = promisedBytes === 0 ? '' : `, ${formatBytes(promisedBytes)} are on their way`
  const free = `${formatBytes(freeBytes)} are free, ${formatBytes(minFreeBytes)} stay free`
  return `${formatBytes(usedBytes)} are used${quota}${promised}; ${free}.`
}

/** Pure: what went, or would go, and why. */
export function formatCollection(collection: Collection, dryRun: boolean): string {
  const { removals, removed, usage, keptCount, keptBytes, isEnough, isFinished } = collection
  const shown = dryRun ? removals : removed
  const rows = shown.map(({ digest, bytes, why }) => [digest, formatBytes(bytes), why])
  const bytes = shown.reduce((sum, each) => sum + each.bytes, 0)
  const verb = dryRun ? 'would be deleted' : 'were deleted'
  return [
    ...(rows.length === 0 ? [] : [formatTable(rows)]),
    `${shown.length} blobs, ${formatBytes(bytes)}, ${verb}; ${keptCount} blobs, ${formatBytes(keptBytes)}, are needed.`,
    ...(isEnough ? [] : ['The store stays above its mark: the rest is needed.']),
    ...(isFinished ? [] : ['There is more to delete; it goes on by itself.']),
    usageText(usage),
  ].join('\n')
}
