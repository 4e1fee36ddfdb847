/** `archy status`: one page about this node. */
import { Command } from 'commander'
import type { Clock } from '../core/clock.ts'
import { createControlClient } from '../http/control-client.ts'
import type { NodeStatus } from '../status.ts'
import { formatApps, formatFindings } from './app-text.ts'
import { formatBytes, formatDuration, formatTable } from './format.ts'
import type { CommandIo } from './io.ts'
import { formatProgress } from './progress.ts'
import { formatMisbehaviour, formatPeer, formatServing } from './status-serving.ts'

type Transfer = NodeStatus['swarm']['transfers'][number]

export interface StatusCommandContext {
  readonly io: CommandIo
  readonly clock: Clock
  readonly socket: string
  /** Aborts on SIGTERM and SIGINT. */
  readonly stopped: AbortSignal
}

/** A page that is watched changes once a second. */
const WATCH_INTERVAL_MS = 1_000

interface StatusOptions {
  readonly json: boolean
  readonly refresh: boolean
  readonly watch: boolean
}

export function statusCommand(context: StatusCommandContext): Command {
  return new Command('status')
    .description('catalog, peers, transfers and apps of the running node')
    .option('--json', 'print JSON', false)
    .option('--refresh', 'ask the origin for a newer catalog first', false)
    .option('--watch', 'show it again every second until Ctrl-C', false)
    .action(async (options: StatusOptions) => await show(context, options))
}

async function show(
  { io, clock, socket, stopped }: StatusCommandContext,
  { json, refresh, watch }: StatusOptions,
): Promise<void> {
  await using client = createControlClient(socket)
  const print = async (...request: Parameters<typeof client.call>): Promise<void> => {
    const status = (await client.call(...request)) as NodeStatus
    const page = json ? JSON.stringify(status) : formatStatus(status)
    /* A person sees one page that changes, a program gets one after the other. */
    io.stdout(watch && !json ? `\u001b[H\u001b[2J${page}\n` : `${page}\n`)
  }
  await (refresh ? print('POST', '/v1/refresh') : print('GET', '/v1/status'))
  while (watch && !stopped.aborted) {
    await clock.sleep(WATCH_INTERVAL_MS, stopped).catch(() => {
      /* Ctrl-C ends the watching: the loop ends by its condition. */
    })
    if (!stopped.aborted) await print('GET', '/v1/status')
  }
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
    ...swarm.misbehaviour.map(each => ['offender', formatMisbehaviour(each)]),
    [
      'received',
      `${formatBytes(swarm.totals.peer)} from peers, ${formatBytes(swarm.totals.origin)} from the origin`,
    ],
    ...swarm.transfers.flatMap(transferRows),
  ])
  const findings = formatFindings([{ id: 'this machine', findings: status.findings }])
  return [head, '', formatApps(status.apps), ...findings].join('\n')
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

/** A line for the blob, and one for each source that gave or gives something. */
function transferRows(transfer: Transfer): readonly (readonly string[])[] {
  const rates = { peer: 0, origin: 0 }
  for (const { kind, bytesPerSecond } of transfer.sources) rates[kind] += bytesPerSecond
  const { heldBytes, sizeBytes, reusedBytes } = transfer
  const reused = reusedBytes === 0 ? '' : `, ${formatBytes(reusedBytes)} were here`
  const progress = formatProgress({ heldBytes, sizeBytes, bytesPerSecond: rates })
  const sources = transfer.sources.filter(each => each.verifiedBytes + each.bytesPerSecond > 0)
  return [
    ['transfer', `${transfer.digest.slice(0, 19)}…  ${progress}${reused}`],
    ...sources.map(({ kind, name, verifiedBytes, bytesPerSecond }) => {
      const rate = `${formatBytes(bytesPerSecond)}/s`
      return ['', `  ${kind} ${name}  ${formatBytes(verifiedBytes)}, ${rate}`]
    }),
  ]
}
