/** `archy status`: one page about this node. */
import { Command } from 'commander'
import { createControlClient } from '../http/control-client.ts'
import type { NodeStatus } from '../status.ts'
import { formatApps } from './app.ts'
import { formatBytes, formatDuration, formatTable } from './format.ts'
import type { CommandIo } from './io.ts'
import { formatPeer, formatServing } from './status-serving.ts'

export interface StatusCommandContext {
  readonly io: CommandIo
  readonly socket: string
}

export function statusCommand({ io, socket }: StatusCommandContext): Command {
  return new Command('status')
    .description('catalog, peers, transfers and apps of the running node')
    .option('--json', 'print JSON', false)
    .option('--refresh', 'ask the origin for a newer catalog first', false)
    .action(async (options: { json: boolean; refresh: boolean }) => {
      await using client = createControlClient(socket)
      const status = (await (options.refresh
        ? client.call('POST', '/v1/refresh')
        : client.call('GET', '/v1/status'))) as NodeStatus
      io.stdout(options.json ? `${JSON.stringify(status)}\n` : `${formatStatus(status)}\n`)
    })
}

/** Pure: the page for a person. */
/** What an origin may do without being wrong: be away, be behind, be late. */
const HONEST = new Set(['METADATA_UNREACHABLE', 'METADATA_MISSING', 'METADATA_EXPIRED'])

function alarmOf({ origin }: NodeStatus['catalog']): readonly (readonly string[])[] {
  const { error } = origin
  if (error === undefined || HONEST.has(error.code)) return []
  return [['', 'ALARM: the origin serves invalid data; nothing of it is believed']]
}

export function formatStatus(status: NodeStatus): string {
  const { catalog, swarm } = status
  const head = formatTable([
    ['node', `${status.peerId}  network ${status.network}`],
    ['catalog', catalogText(catalog)],
    ...alarmOf(catalog),
    ...catalog.flags.map(flag => ['', `${flag.code}: ${flag.message}`]),
    ...catalog.notices.map(notice => ['', notice]),
    ['peers', swarm.peers.length === 0 ? 'none connected' : `${swarm.peers.length} connected`],
    ...swarm.peers.map(peer => ['', formatPeer(peer)]),
    ['serving', formatServing(swarm.serving)],
    [
      'received',
      `${formatBytes(swarm.totals.peer)} from peers, ${formatBytes(swarm.totals.origin)} from the origin`,
    ],
    ...swarm.transfers.map(transfer => ['transfer', transferText(transfer)]),
  ])
  return `${head}\n\n${formatApps(status.apps)}`
}

function catalogText(catalog: NodeStatus['catalog']): string {
  const { error } = catalog.refresh
  const problem =
    error === undefined ? '' : `; last refresh failed: ${error.message} (${error.code})`
  if (catalog.timestamp === undefined) return `none yet${problem}`
  const age = catalog.ageMs === undefined ? '' : `, signed ${formatDuration(catalog.ageMs)} ago`
  const { error: silent } = catalog.origin
  const origin =
    silent === undefined || error !== undefined
      ? ''
      : `; from ${catalog.source ?? 'the disk'}, the origin gives none for ${formatDuration(catalog.nowMs - silent.sinceMs)}: ${silent.message} (${silent.code})`
  return `version ${catalog.timestamp}, ${catalog.freshness}${age}${origin}${problem}`
}

function transferText(transfer: NodeStatus['swarm']['transfers'][number]): string {
  const { bytes } = transfer
  const done = `${formatBytes(transfer.heldBytes)} of ${formatBytes(transfer.sizeBytes)}`
  return `${transfer.digest.slice(0, 19)}…  ${done} (peers ${formatBytes(bytes.peer)}, origin ${formatBytes(bytes.origin)})`
}
