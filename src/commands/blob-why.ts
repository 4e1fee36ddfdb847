/** `archy blob why`: who gave which piece of a blob, what went wrong, and why it took as long as it did. */
import { Command } from 'commander'
import type { Explanation } from '../../swarm/index.ts'
import { createControlClient } from '../http/control-client.ts'
import { formatRate, formatSeconds, reasonsOf } from './fetch-reasons.ts'
import { formatBytes, formatTable } from './format.ts'
import type { CommandIo } from './io.ts'

interface Context {
  readonly io: CommandIo
  readonly socket: string
}

export function blobWhyCommand({ io, socket }: Context): Command {
  return new Command('why')
    .description(
      'explain the running or the last fetch of a blob: who gave what, and where the time went',
    )
    .argument('<digest>', 'blake3:<64 hex>, as `archy blob list` shows it')
    .option('--json', 'print JSON, with every range of pieces', false)
    .action(async (digest: string, options: { json: boolean }) => {
      await using client = createControlClient(socket)
      const path = `/v1/blobs/${encodeURIComponent(digest)}/why`
      const explanation = (await client.call('GET', path)) as Explanation
      io.stdout(
        options.json ? `${JSON.stringify(explanation)}\n` : `${formatExplanation(explanation)}\n`,
      )
    })
}

/** Pure: the page for a person. */
export function formatExplanation(explanation: Explanation): string {
  const reasons = reasonsOf(explanation).map(reason => `- ${reason}`)
  const parts = [
    headOf(explanation),
    formatTable(milestonesOf(explanation)),
    sourcesOf(explanation),
    momentsOf(explanation),
    reasons.length === 0 ? '' : [`Why ${lengthOf(explanation)}:`, ...reasons].join('\n'),
  ]
  return parts.filter(part => part !== '').join('\n\n')
}

function headOf(explanation: Explanation): string {
  const { digest, sizeBytes, pieceCount, pieceSizeBytes, startedMs } = explanation
  const shape = `${formatBytes(sizeBytes)}, ${pieceCount} pieces of ${formatBytes(pieceSizeBytes)}`
  const started = `${new Date(startedMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`
  return `${digest}\n${shape}; fetched from ${started}, ${lengthOf(explanation)}`
}

function lengthOf({ outcome, durationMs, sizeBytes }: Explanation): string {
  const length = formatSeconds(durationMs)
  if (outcome === 'running') return `running for ${length}`
  if (outcome === 'ended') return `given up after ${length}`
  return `done in ${length} (${formatRate(sizeBytes, durationMs)})`
}

function milestonesOf(explanation: Explanation): string[][] {
  const { milestones, heldPieceCountAtStart, pieceCount, queuedMs } = explanation
  const { layer, firstAskMs, firstBytesMs, allAskedMs, lastPieceMs } = milestones
  const at = (ms: number | undefined, text: string): [number, string][] =>
    ms === undefined ? [] : [[ms, text]]
  const rows: [number, string][] = [
    [0, `it began; ${heldPieceCountAtStart} of ${pieceCount} pieces were here`],
    ...at(layer?.atMs, `the piece layer came from ${layer?.name ?? ''}`),
    ...at(firstAskMs, 'the first piece was asked for'),
    ...at(firstBytesMs, 'the first bytes came'),
    ...at(allAskedMs, 'every piece was asked for'),
    ...at(lastPieceMs, 'the last piece came'),
  ]
  return rows
    .sort(([a], [b]) => a - b)
    .map(([ms, text]) => [`  ${formatSeconds(ms + queuedMs)}`, text])
}

function sourcesOf({ sources }: Explanation): string {
  if (sources.length === 0) return ''
  const rows = [...sources]
    .sort((a, b) => b.verifiedBytes - a.verifiedBytes)
    .map(({ kind, name, pieceCount, verifiedBytes, busyMs, askCount, pieces }) => [
      `  ${kind} ${name}`,
      `${pieceCount} pieces`,
      formatBytes(verifiedBytes),
      `busy ${formatSeconds(busyMs)}`,
      formatRate(verifiedBytes, busyMs),
      `${askCount} requests`,
      pieces.length > 40 ? `${pieces.slice(0, 40)}…` : pieces,
    ])
  return formatTable(rows)
}

/** The mishaps alone: who came and went is in the JSON. */
function momentsOf({ moments }: Explanation): string {
  const rows = moments
    .filter(({ what }) => what !== 'joined' && what !== 'left')
    .map(({ atMs, what, name, pieceIndex }) => [
      `  ${formatSeconds(atMs)}`,
      what,
      pieceIndex === undefined ? '' : `piece ${pieceIndex}`,
      name,
    ])
  return formatTable(rows)
}
