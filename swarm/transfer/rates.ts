/** How fast the sources of a session are, and how long they need for what they owe. Pure. */
import {
  ORIGIN_DELAY_HOLDER_MS,
  ORIGIN_RATE_GUESS,
  RATE_GUESS,
  SUSPECT_MS_MIN,
  SUSPECT_PIECE_TIMES,
} from './policy.ts'
import type { SessionState } from './session-state.ts'
import { isUseful, type Request, type Source } from './source.ts'

/** What a source gives, in bytes per second: measured, or as much as the others. */
export function rateOf(state: SessionState, source: Source): number {
  if (source.rate !== undefined) return Math.max(source.rate, 1)
  if (source.kind === 'origin') return ORIGIN_RATE_GUESS
  return meanRate(state) ?? RATE_GUESS
}

/** The mean rate of the peers that were measured; `undefined` when none was. */
export function meanRate(state: SessionState): number | undefined {
  let sum = 0
  let count = 0
  for (const { kind, rate } of state.sources.values()) {
    if (kind !== 'peer' || rate === undefined || rate === 0) continue
    sum += rate
    count += 1
  }
  return count === 0 ? undefined : sum / count
}

/** What the sources that are at work give together, in bytes per second; those that fell silent give nothing. */
export function workingRate(
  state: SessionState,
  nowMs: number,
  counts: (source: Source) => boolean,
): number {
  let sum = 0
  for (const source of state.sources.values()) {
    if (source.requests.size === 0 || !counts(source) || isSuspect(state, source, nowMs)) continue
    if (source.kind === 'peer' && !isUseful(source, nowMs)) continue
    sum += source.rate ?? earlyRate(source, nowMs)
  }
  return sum
}

/** Before the first window is over. */
function earlyRate({ windowStartMs, windowBytes }: Source, nowMs: number): number {
  if (windowStartMs === undefined || nowMs <= windowStartMs) return 0
  return (windowBytes * 1000) / (nowMs - windowStartMs)
}

/** How long the source needs for what it owes and `moreBytes` besides. */
export function queueMs(state: SessionState, source: Source, moreBytes: number): number {
  return ((source.owedBytes + moreBytes) * 1000) / rateOf(state, source)
}

/** How long nothing came from a source since it was asked for this. */
export function silentMs(source: Source, request: Request, nowMs: number): number {
  return nowMs - Math.max(source.lastBytesMs ?? 0, request.askedMs)
}

/** Owes bytes and has sent nothing for longer than pieces take: nothing is planned with it. */
export function isSuspect(state: SessionState, source: Source, nowMs: number): boolean {
  for (const request of source.requests) {
    if (request.receivedBytes >= request.totalBytes) continue
    return silentMs(source, request, nowMs) > suspectMs(state, source)
  }
  return false
}

/** A distant source has longer for its first bytes than between two pieces. */
function suspectMs({ pieceTimeMs }: SessionState, source: Source): number {
  const isNew = source.lastBytesMs === undefined && !source.isLocal
  const expectedMs = pieceTimeMs === undefined ? 0 : pieceTimeMs.mean + pieceTimeMs.deviation
  const leastMs = isNew ? ORIGIN_DELAY_HOLDER_MS : SUSPECT_MS_MIN
  return Math.max(leastMs, SUSPECT_PIECE_TIMES * expectedMs)
}

/** After this time a piece is late. */
export function lateMs({ pieceTimeMs }: SessionState): number | undefined {
  return pieceTimeMs && pieceTimeMs.mean + pieceTimeMs.deviation / 2
}

export function notePieceTime(state: SessionState, durationMs: number): void {
  const { pieceTimeMs } = state
  if (pieceTimeMs === undefined) {
    state.pieceTimeMs = { mean: durationMs, deviation: durationMs / 2 }
    return
  }
  const off = Math.abs(durationMs - pieceTimeMs.mean)
  pieceTimeMs.deviation += 0.25 * (off - pieceTimeMs.deviation)
  pieceTimeMs.mean += 0.125 * (durationMs - pieceTimeMs.mean)
}
