/** What a session does about sources that are busy, lack a piece, fail or fall silent. Pure. */
import { Bitfield } from '../bitfield.ts'
import {
  ABSENT_RETRY_MS,
  BACKOFF_FIRST_MS,
  BACKOFF_MAX_MS,
  GOODPUT_MIN,
  GOODPUT_WINDOW_MS,
  ORIGIN_BACKOFF_MAX_MS,
  QUEUE_REQUESTS_MIN,
  REFUSALS_MAX,
  SNUB_WINDOW_MS,
  STALL_TIMEOUT_MS,
} from './policy.ts'
import { silentMs } from './rates.ts'
import type { SessionAction, SessionEvent } from './session-events.ts'
import { drop, removePiece, type SessionState, setPieces, takeBack } from './session-state.ts'
import type { Request, Source } from './source.ts'

/** A request ended without (all of) its pieces. */
export function endRequest(
  state: SessionState,
  event: SessionEvent & { kind: 'ended' },
  nowMs: number,
): void {
  const request = state.requests.get(event.request)
  if (request === undefined) return
  const { source } = request
  const pending = [...request.pending]
  drop(state, request, nowMs)
  if (event.outcome === 'done') return
  for (const pieceIndex of pending) noteFailure(state, pieceIndex)
  if (event.outcome === 'busy') {
    source.resumeAtMs = Math.max(source.resumeAtMs, nowMs + clampRetry(event.retryAfterMs))
  } else if (event.outcome === 'absent') {
    noteAbsent(state, source, pending, nowMs)
  } else {
    backOff(source, nowMs)
  }
}

function noteFailure(state: SessionState, pieceIndex: number): void {
  state.pieces.noteFailure(pieceIndex)
  if (state.pieces.failureCount(pieceIndex) >= 2) state.failed.add(pieceIndex)
}

/** A peer may lack one piece that it said it has; an origin has all of a blob, or nothing. */
function noteAbsent(
  state: SessionState,
  source: Source,
  refused: readonly number[],
  nowMs: number,
): void {
  if (source.kind === 'origin') {
    source.resumeAtMs = nowMs + ABSENT_RETRY_MS
    return
  }
  for (const pieceIndex of refused) removePiece(state, source, pieceIndex)
  source.refusals += 1
  if (source.refusals < REFUSALS_MAX && source.pieces.count > 0) return
  source.resumeAtMs = nowMs + ABSENT_RETRY_MS
  setPieces(state, source, new Bitfield(state.pieces.count))
}

/** It gave a piece: what went wrong before is over. */
export function forgive(source: Source): void {
  source.strikes = 0
  source.refusals = 0
  source.window = Math.max(source.window, QUEUE_REQUESTS_MIN) + 1
}

function clampRetry(retryAfterMs: number | undefined): number {
  return Math.min(Math.max(retryAfterMs ?? BACKOFF_FIRST_MS, 100), BACKOFF_MAX_MS)
}

/** What else fails of a source that already rests was asked before, and says nothing new. */
export function backOff(source: Source, nowMs: number, firstMs = BACKOFF_FIRST_MS): void {
  if (source.resumeAtMs > nowMs) return
  const boundMs = source.kind === 'origin' ? ORIGIN_BACKOFF_MAX_MS : BACKOFF_MAX_MS
  const delayMs = Math.min(firstMs * 2 ** source.strikes, boundMs)
  source.strikes += 1
  source.resumeAtMs = Math.max(source.resumeAtMs, nowMs + delayMs)
}

/** Takes the work from a peer that stopped sending, or only pretends to send. */
export function noteStall(state: SessionState, source: Source, nowMs: number): SessionAction[] {
  if (source.timeouts > 0 && nowMs - source.timeoutMs > SNUB_WINDOW_MS) source.timeouts = 0
  if (source.kind !== 'peer' || !hasStalled(source, nowMs)) return []
  source.timeouts += 1
  source.timeoutMs = nowMs
  const actions = takeBack(state, source, 'stalled', nowMs)
  backOff(source, nowMs)
  return actions
}

function hasStalled(source: Source, nowMs: number): boolean {
  const owed = firstOwed(source)
  if (owed === undefined) return false
  if (silentMs(source, owed, nowMs) > STALL_TIMEOUT_MS) return true
  return nowMs - owed.askedMs > GOODPUT_WINDOW_MS && (source.rate ?? 0) < GOODPUT_MIN
}

function firstOwed(source: Source): Request | undefined {
  for (const request of source.requests) {
    if (request.receivedBytes < request.totalBytes) return request
  }
  return undefined
}
