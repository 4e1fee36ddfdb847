/** Why a fetch took as long as it did, in sentences. Pure. */
import type { Explanation } from '../../swarm/index.ts'
import { formatBytes } from './format.ts'

type SourceStory = Explanation['sources'][number]

/** Shorter times are not felt. */
const NOTED_MS_MIN = 200

/** The reasons, the most general first. */
export function reasonsOf(explanation: Explanation): readonly string[] {
  return [
    ...endOf(explanation),
    ...flowOf(explanation),
    ...waitsOf(explanation),
    ...explanation.sources.flatMap(troublesOf),
    ...wasteOf(explanation),
  ]
}

function endOf({ outcome, reason }: Explanation): string[] {
  if (outcome !== 'ended') return []
  return [`It ended without the whole blob: ${reason ?? 'nobody waited for it any more'}.`]
}

/** What came from whom, and how fast. */
function flowOf({ sources, milestones, reusedBytes }: Explanation): string[] {
  const { firstBytesMs, lastPieceMs } = milestones
  const lines: string[] = []
  if (reusedBytes > 0) {
    lines.push(`${formatBytes(reusedBytes)} were taken from other blobs of this node.`)
  }
  if (firstBytesMs === undefined || lastPieceMs === undefined) return lines
  const spanMs = Math.max(1, lastPieceMs - firstBytesMs)
  const parts = (['peer', 'origin'] as const).flatMap(kind => {
    const given = sources.filter(source => source.kind === kind && source.verifiedBytes > 0)
    const bytes = given.reduce((sum, { verifiedBytes }) => sum + verifiedBytes, 0)
    if (given.length === 0) return []
    return [`${formatRate(bytes, spanMs)} from ${countOf(given.length, kind)}`]
  })
  if (parts.length > 0) {
    lines.push(`Bytes came in for ${formatSeconds(spanMs)}: ${parts.join(' and ')}.`)
  }
  const slowest = sources.filter(({ pieceCount, askCount }) => askCount > 0 && pieceCount === 0)
  if (slowest.length > 0) {
    lines.push(`${countOf(slowest.length, 'source')} gave nothing: ${namesOf(slowest)}.`)
  }
  return lines
}

function waitsOf(explanation: Explanation): string[] {
  const { queuedMs, idleMs, gaps, milestones, durationMs, outcome } = explanation
  const lines: string[] = []
  const note = (ms: number, text: string): void => {
    if (ms >= NOTED_MS_MIN) lines.push(`${formatSeconds(ms)}: ${text}.`)
  }
  note(queuedMs, 'it waited for its turn, because other blobs were fetched; small ones go first')
  note(
    milestones.layer?.atMs ?? 0,
    'until somebody gave the piece layer, without which no piece can be verified',
  )
  note(
    (milestones.firstBytesMs ?? 0) - (milestones.firstAskMs ?? 0),
    'until the first bytes came, from the first request on',
  )
  note(idleMs, 'nobody was asked for anything: no source was there, or none had what was missing')
  for (const { fromMs, durationMs: gapMs, owing } of gaps) {
    if (fromMs < (milestones.firstBytesMs ?? 0)) continue
    const who = owing.length === 0 ? 'nobody was asked' : `${owing.join(', ')} owed some`
    note(gapMs, `no piece came from ${formatSeconds(fromMs)} on; ${who}`)
  }
  const lastMs = milestones.lastPieceMs
  if (outcome === 'done' && lastMs !== undefined) {
    note(
      durationMs - queuedMs - lastMs,
      'until everything was safe on the disk, after the last piece',
    )
  }
  return lines
}

const TROUBLES: Readonly<Record<keyof SourceStory['troubles'], string>> = {
  wrong: 'sent wrong bytes',
  stalled: 'fell silent, and its work went to others',
  failed: 'failed to answer',
  busy: 'was busy and said to come later',
  absent: 'did not have what it was asked for',
  gone: 'left with work undone',
  lost: 'was slower than another one that had the same piece first',
  moved: 'had not begun work that was given to a faster one',
}

function troublesOf({ name, troubles }: SourceStory): string[] {
  return Object.entries(TROUBLES).flatMap(([what, text]) => {
    const count = troubles[what as keyof SourceStory['troubles']] ?? 0
    return count === 0 ? [] : [`${name} ${text}${count === 1 ? '' : ` (${count} times)`}.`]
  })
}

function wasteOf({ duplicateBytes, sizeBytes }: Explanation): string[] {
  if (duplicateBytes === 0) return []
  const share = ((duplicateBytes / sizeBytes) * 100).toFixed(1)
  return [`${formatBytes(duplicateBytes)} (${share} %) came twice, to finish sooner.`]
}

function namesOf(sources: readonly SourceStory[]): string {
  const names = sources.slice(0, 3).map(({ name }) => name)
  return names.join(', ') + (sources.length > 3 ? ', …' : '')
}

function countOf(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

export function formatSeconds(ms: number): string {
  return ms >= 100_000 ? `${Math.round(ms / 1000)} s` : `${(ms / 1000).toFixed(2)} s`
}

export function formatRate(bytes: number, ms: number): string {
  return ms <= 0 ? '-' : `${formatBytes((bytes * 1000) / ms)}/s`
}
