/** `archy blob get`: fetches one blob and shows how far it is. */
import { constants, copyFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Getting } from '../blob-getter.ts'
import { NodeError } from '../core/errors.ts'
import { createControlClient } from '../http/control-client.ts'
import type { BlobCommandContext } from './blob.ts'
import { formatBytes } from './format.ts'
import { formatProgress } from './progress.ts'

class BlobGetError extends NodeError<'BLOB_NOT_FETCHED'> {}

/** A person watches; twice a second looks alive and costs nothing. */
const POLL_INTERVAL_MS = 500

interface GetOptions {
  readonly out?: string
  readonly json: boolean
}

export function addGetCommand(command: Command, context: BlobCommandContext): void {
  command
    .command('get <digest>')
    .description('fetch a blob that a release names, verified, from peers and the origin')
    .option('--out <file>', 'copy it there; an existing file is not replaced')
    .option('--json', 'print JSON', false)
    .action(async (digest: string, options: GetOptions) => await get(context, digest, options))
}

/** Whoever interrupts it ends the fetch too; what came is kept, and the next one goes on from there. */
async function get(
  context: BlobCommandContext,
  digest: string,
  { out, json }: GetOptions,
): Promise<void> {
  const { io, clock, socket, stopped } = context
  await using client = createControlClient(socket)
  const path = `/v1/blobs/get/${encodeURIComponent(digest)}`
  const redraw = (text: string): void => {
    if (io.isTty) io.stderr(`\r\u001b[2K${text}`)
  }
  let view = (await client.call('POST', path)) as Getting
  try {
    while (view.state === 'fetching') {
      redraw(formatProgress(view))
      await clock.sleep(POLL_INTERVAL_MS, stopped)
      view = (await client.call('GET', path)) as Getting
    }
  } catch (error) {
    if (stopped.aborted) await client.call('DELETE', path)
    throw error
  } finally {
    redraw('')
  }
  if (view.state === 'failed' || view.path === undefined) {
    const { code = 'FAILED', message = 'it did not come' } = view.error ?? {}
    throw new BlobGetError('BLOB_NOT_FETCHED', `${view.digest}: ${message} (${code})`)
  }
  if (out !== undefined) await copyFile(view.path, out, constants.COPYFILE_EXCL)
  const text = `${view.digest}  ${formatBytes(view.sizeBytes)}  ${out ?? view.path}`
  io.stdout(`${json ? JSON.stringify({ ...view, ...(out && { out }) }) : text}\n`)
}
