/** `archy blob verify`: reads blobs again, shows how far it is, and names what is damaged. */
import { type Command, InvalidArgumentError } from 'commander'
import { createControlClient } from '../http/control-client.ts'
import type { Verification } from '../scrubber.ts'
import type { BlobCommandContext } from './blob.ts'
import { formatBytes, formatTable } from './format.ts'

/** A person watches; twice a second looks alive and costs nothing. */
const POLL_INTERVAL_MS = 500
const PATH = '/v1/blobs/verify'
const RATE = /^(\d{1,7})(KiB|MiB|GiB)$/
const UNIT_BYTES = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const

interface VerifyOptions {
  readonly all: boolean
  readonly rate: number
  readonly json: boolean
}

export function addVerifyCommand(command: Command, context: BlobCommandContext): void {
  command
    .command('verify [digest]')
    .description('compare stored blobs with their addresses and heal what is damaged')
    .option('--all', 'every blob of this node', false)
    .option('--rate <size>', 'bytes a second, such as "20MiB"', parseRate, 20 * 2 ** 20)
    .option('--json', 'print JSON', false)
    .action(async (digest: string | undefined, options: VerifyOptions, own: Command) => {
      if ((digest === undefined) !== options.all) own.error('error: name one blob, or say --all')
      await verify(context, digest, options)
    })
}

function parseRate(text: string): number {
  const [, count, unit] = RATE.exec(text) ?? []
  const bytes = Number(count) * UNIT_BYTES[unit as keyof typeof UNIT_BYTES]
  if (bytes >= UNIT_BYTES.KiB) return bytes
  throw new InvalidArgumentError('must be a size such as "512KiB" or "20MiB"')
}

/** Whoever interrupts it ends the verification too: nobody would see what comes of it. */
async function verify(
  context: BlobCommandContext,
  digest: string | undefined,
  { rate, json }: VerifyOptions,
): Promise<void> {
  const { io, clock, socket, stopped } = context
  await using client = createControlClient(socket)
  const redraw = (text: string): void => {
    if (io.isTty) io.stderr(`\r\u001b[2K${text}`)
  }
  let view = (await client.call('POST', PATH, { digest, bytesPerSecond: rate })) as Verification
  try {
    while (view.state === 'running') {
      redraw(progressText(view))
      await clock.sleep(POLL_INTERVAL_MS, stopped)
      view = (await client.call('GET', PATH)) as Verification
    }
  } catch (error) {
    if (stopped.aborted) await client.call('DELETE', PATH)
    throw error
  } finally {
    redraw('')
  }
  const isOk = view.state === 'done' && view.damaged.every(({ state }) => state === 'healed')
  io.stdout(`${json ? JSON.stringify({ ok: isOk, ...view }) : formatVerification(view)}\n`)
  if (!isOk) context.fail()
}

function progressText({ checkedBytes, sizeBytes, damaged }: Verification): string {
  const percent = Math.floor((100 * checkedBytes) / Math.max(1, sizeBytes))
  const found = damaged.length === 0 ? '' : `, ${damaged.length} damaged`
  return `${percent} % of ${formatBytes(sizeBytes)}${found}`
}

/** Pure: every damaged piece by its number. */
export function formatVerification(view: Verification): string {
  const { blobCount, doneCount, checkedBytes, damaged, skipped, state, reason } = view
  const rows = damaged.map(({ digest, pieces, ...blob }) => [
    digest,
    `${pieces.length === 1 ? 'piece' : 'pieces'} ${pieces.join(', ')}`,
    blob.reason === undefined ? blob.state : `${blob.state}: ${blob.reason}`,
  ])
  const isAll = doneCount === blobCount
  const count = isAll ? `${blobCount} blobs` : `${doneCount} of ${blobCount} blobs`
  const found = damaged.length === 0 ? 'nothing is damaged' : `${damaged.length} damaged`
  return [
    ...(rows.length === 0 ? [] : [formatTable(rows)]),
    ...skipped.map(digest => `${digest}  skipped: it is being filled, or went meanwhile`),
    `${count}, ${formatBytes(checkedBytes)}: ${found}.`,
    ...(state === 'done' ? [] : [`The verification ended early: ${reason ?? state}`]),
  ].join('\n')
}
