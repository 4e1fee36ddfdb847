/**
 * The schedule of one download: which source is asked for which piece, and when it is given up. Pure: no I/O, no clock;
 * events come in with their time, actions come out. A piece of a request has one source, so a wrong piece has one culprit.
 */
import { Bitfield } from '../bitfield.ts'
import {
  ABSENT_RETRY_MS,
  BACKOFF_FIRST_MS,
  BACKOFF_MAX_MS,
  GOODPUT_MIN,
  GOODPUT_WINDOW_MS,
  STALL_TIMEOUT_MS,
} from './policy.ts'
import { planRequests } from './schedule.ts'
import type {
  Request,
  SessionAction,
  SessionEvent,
  SessionInit,
  SessionState,
  SessionView,
  Source,
} from './session-state.ts'
import {
  createState,
  drop,
  holderChange,
  isUseful,
  noteRate,
  pieceBytes,
  release,
  takeBack,
} from './session-state.ts'

export type { SessionAction, SessionEvent, SessionInit, SessionView } from './session-state.ts'

export interface Session {
  /** What to do after `event`. `budgetBytes`: how much more may be asked for, in bytes of memory. */
  handle(event: SessionEvent, nowMs: number, budgetBytes: number): readonly SessionAction[]
  isComplete(): boolean
  view(nowMs: number): SessionView
}

export function createSession(init: SessionInit): Session {
  const state = createState(init)
  return {
    handle(event, nowMs, budgetBytes) {
      const actions = apply(state, event, nowMs)
      if (event.kind === 'received') return actions
      actions.push(...planRequests(state, nowMs, budgetBytes))
      return actions
    },
    isComplete: () => state.held.count === state.pieceCount,
    view: nowMs => viewOf(state, nowMs),
  }
}

function apply(state: SessionState, event: SessionEvent, nowMs: number): SessionAction[] {
  switch (event.kind) {
    case 'joined':
      return join(state, event)
    case 'left':
      return leave(state, event.source)
    case 'holds':
      return noteHolding(state, event)
    case 'received':
      noteReceived(state, event, nowMs)
      return []
    case 'piece':
      return notePiece(state, event, nowMs)
    case 'ended':
      return endRequest(state, event, nowMs)
    case 'withheld':
      state.withheld = event.pieces
      return []
    case 'tick':
      return tick(state, nowMs)
  }
}

function join(state: SessionState, event: SessionEvent & { kind: 'joined' }): SessionAction[] {
  if (state.sources.has(event.source)) return []
  const source: Source = {
    id: event.source,
    kind: event.sourceKind,
    pieces:
      event.sourceKind === 'origin'
        ? Bitfield.full(state.pieceCount)
        : new Bitfield(state.pieceCount),
    requestsMax: event.requestsMax,
    requests: new Set(),
    rate: event.rate,
    windowBytes: 0,
    windowStartMs: undefined,
    lastBytesMs: 0,
    receivedBytes: 0,
    strikes: 0,
    resumeAtMs: 0,
  }
  state.sources.set(source.id, source)
  return []
}

function leave(state: SessionState, id: string): SessionAction[] {
  const source = state.sources.get(id)
  if (source === undefined) return []
  const actions = takeBack(state, source)
  holderChange(state, source, -1)
  state.sources.delete(id)
  return actions
}

function noteHolding(
  state: SessionState,
  event: SessionEvent & { kind: 'holds' },
): SessionAction[] {
  const source = state.sources.get(event.source)
  if (source === undefined) return []
  holderChange(state, source, -1)
  if (event.pieces === 'all') source.pieces = Bitfield.full(state.pieceCount)
  else if (event.pieces === 'none') source.pieces = new Bitfield(state.pieceCount)
  else if (event.pieces instanceof Bitfield) source.pieces = event.pieces
  else for (const pieceIndex of event.pieces) source.pieces.add(pieceIndex)
  holderChange(state, source, 1)
  return []
}

function noteReceived(
  state: SessionState,
  event: SessionEvent & { kind: 'received' },
  nowMs: number,
): void {
  const request = state.requests.get(event.request)
  const source = request && state.sources.get(request.source)
  if (request === undefined || source === undefined) return
  request.receivedBytes += event.bytes
  source.receivedBytes += event.bytes
  source.windowBytes += event.bytes
  source.lastBytesMs = nowMs
  noteRate(source, nowMs)
  if (source.kind === 'peer') state.firstPeerBytesMs ??= nowMs
}

function notePiece(
  state: SessionState,
  event: SessionEvent & { kind: 'piece' },
  nowMs: number,
): SessionAction[] {
  const request = state.requests.get(event.request)
  const source = request && state.sources.get(request.source)
  if (event.outcome !== 'mismatch')
    return holdPiece(state, request, source, event.pieceIndex, nowMs)
  if (request === undefined || source === undefined) return []
  state.failures[event.pieceIndex] = (state.failures[event.pieceIndex] ?? 0) + 1
  const ban: SessionAction = { kind: 'ban', source: source.id, pieceIndex: event.pieceIndex }
  if (source.kind === 'peer') return [ban, ...leave(state, source.id)]
  const actions = takeBack(state, source)
  backOff(source, nowMs, 30 * BACKOFF_FIRST_MS)
  return [ban, ...actions]
}

function holdPiece(
  state: SessionState,
  request: Request | undefined,
  source: Source | undefined,
  pieceIndex: number,
  nowMs: number,
): SessionAction[] {
  state.held.add(pieceIndex)
  if (request !== undefined && source !== undefined) {
    source.strikes = 0
    notePieceTime(state, nowMs - request.pieceStartMs)
    request.pieceStartMs = nowMs
    release(state, request, pieceIndex)
    if (request.pending.size === 0) drop(state, request)
  }
  const actions: SessionAction[] = []
  for (const other of [...state.requests.values()]) {
    if (!other.pending.has(pieceIndex) || other.pieceCount > 1) continue
    actions.push({ kind: 'cancel', request: other.id, source: other.source })
    drop(state, other)
  }
  return actions
}

function notePieceTime(state: SessionState, durationMs: number): void {
  const { pieceTimeMs } = state
  if (pieceTimeMs === undefined) {
    state.pieceTimeMs = { mean: durationMs, deviation: durationMs / 2 }
    return
  }
  const off = Math.abs(durationMs - pieceTimeMs.mean)
  pieceTimeMs.deviation += 0.25 * (off - pieceTimeMs.deviation)
  pieceTimeMs.mean += 0.125 * (durationMs - pieceTimeMs.mean)
}

function endRequest(
  state: SessionState,
  event: SessionEvent & { kind: 'ended' },
  nowMs: number,
): SessionAction[] {
  const request = state.requests.get(event.request)
  if (request === undefined) return []
  const source = state.sources.get(request.source)
  const pending = [...request.pending]
  drop(state, request)
  if (source === undefined || event.outcome === 'done') return []
  for (const pieceIndex of pending)
    state.failures[pieceIndex] = (state.failures[pieceIndex] ?? 0) + 1
  if (event.outcome === 'busy') {
    source.resumeAtMs = Math.max(source.resumeAtMs, nowMs + clampRetry(event.retryAfterMs))
  } else if (event.outcome === 'absent') {
    noteAbsent(state, source, nowMs)
  } else {
    backOff(source, nowMs)
  }
  return []
}

function noteAbsent(state: SessionState, source: Source, nowMs: number): void {
  source.resumeAtMs = nowMs + ABSENT_RETRY_MS
  if (source.kind === 'origin') return
  holderChange(state, source, -1)
  source.pieces = new Bitfield(state.pieceCount)
}

function clampRetry(retryAfterMs: number | undefined): number {
  return Math.min(Math.max(retryAfterMs ?? BACKOFF_FIRST_MS, 100), BACKOFF_MAX_MS)
}

function backOff(source: Source, nowMs: number, firstMs = BACKOFF_FIRST_MS): void {
  const delayMs = Math.min(firstMs * 2 ** source.strikes, Math.max(firstMs, BACKOFF_MAX_MS))
  source.strikes += 1
  source.resumeAtMs = Math.max(source.resumeAtMs, nowMs + delayMs)
}

function tick(state: SessionState, nowMs: number): SessionAction[] {
  const actions: SessionAction[] = []
  for (const source of state.sources.values()) {
    noteRate(source, nowMs)
    if (source.kind !== 'peer' || !hasStalled(state, source, nowMs)) continue
    actions.push(...takeBack(state, source))
    backOff(source, nowMs)
  }
  return actions
}

function hasStalled(state: SessionState, source: Source, nowMs: number): boolean {
  const owed = [...source.requests]
    .map(id => state.requests.get(id))
    .filter(request => request !== undefined && request.receivedBytes < request.totalBytes)
  if (owed.length === 0) return false
  const oldestMs = Math.min(...owed.map(request => request?.askedMs ?? nowMs))
  const silentMs = nowMs - Math.max(source.lastBytesMs, oldestMs)
  if (silentMs > STALL_TIMEOUT_MS) return true
  return nowMs - oldestMs > GOODPUT_WINDOW_MS && (source.rate ?? 0) < GOODPUT_MIN
}

function viewOf(state: SessionState, nowMs: number): SessionView {
  let heldBytes = 0
  let withoutSource = 0
  const useful = [...state.sources.values()].filter(source => isUseful(source, nowMs))
  for (let pieceIndex = 0; pieceIndex < state.pieceCount; pieceIndex += 1) {
    if (state.held.has(pieceIndex)) heldBytes += pieceBytes(state, pieceIndex)
    else if (!useful.some(source => source.pieces.has(pieceIndex))) withoutSource += 1
  }
  return {
    heldBytes,
    missingPieceCount: state.pieceCount - state.held.count,
    withoutSourceCount: withoutSource,
    sources: [...state.sources.values()].map(source => ({
      id: source.id,
      rate: source.rate ?? 0,
      receivedBytes: source.receivedBytes,
    })),
  }
}
