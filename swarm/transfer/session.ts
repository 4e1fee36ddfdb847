/**
 * The schedule of one download: which source is asked for which piece, and when it is given up. Pure: no I/O, no clock;
 * events come in with their time, actions come out. A piece of a request has one source, so a wrong piece has one culprit.
 */
import { Bitfield } from '../bitfield.ts'
import { passTurn } from './origins.ts'
import { ORIGIN_BACKOFF_MAX_MS } from './policy.ts'
import { notePieceTime } from './rates.ts'
import { planRequests, planRequestsOf } from './schedule.ts'
import type { SessionAction, SessionEvent, SessionInit, SessionView } from './session-events.ts'
import {
  addPiece,
  cancel,
  createState,
  drop,
  foresee,
  lostBytes,
  noteStray,
  release,
  type SessionState,
  setPieces,
  takeBack,
  trim,
} from './session-state.ts'
import { backOff, endRequest, forgive, noteStall } from './setbacks.ts'
import {
  createSource,
  isUseful,
  noteRate,
  noteRest,
  type Request,
  type Source,
  startNext,
} from './source.ts'

export type { SessionAction, SessionEvent, SessionInit, SessionView } from './session-events.ts'

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
      actions.push(...plan(state, event, nowMs, budgetBytes))
      return actions
    },
    isComplete: () => state.pieces.isComplete,
    view: nowMs => viewOf(state, nowMs),
  }
}

/** In a crowd most events are words of a new piece, mostly of one that is here or asked for: they cost no look at all sources. */
function plan(
  state: SessionState,
  event: SessionEvent,
  nowMs: number,
  budgetBytes: number,
): SessionAction[] {
  if (event.kind === 'received' || event.kind === 'stray') return []
  if (event.kind === 'holds' && Array.isArray(event.pieces)) {
    const source = state.sources.get(event.source)
    const isNews = event.pieces.some(pieceIndex => state.pieces.isFree(pieceIndex))
    return source !== undefined && isNews ? planRequestsOf(state, source, nowMs, budgetBytes) : []
  }
  return planRequests(state, nowMs, budgetBytes)
}

function apply(state: SessionState, event: SessionEvent, nowMs: number): SessionAction[] {
  switch (event.kind) {
    case 'joined':
      return join(state, event)
    case 'left':
      return leave(state, event.source, nowMs)
    case 'holds':
      return noteHolding(state, event, nowMs)
    case 'wants': {
      const source = state.sources.get(event.source)
      if (source !== undefined) source.isFellow = true
      return []
    }
    case 'stray':
      noteStray(state, event.bytes)
      return []
    case 'received':
      noteReceived(state, event, nowMs)
      return []
    case 'piece':
      return notePiece(state, event, nowMs)
    case 'ended':
      endRequest(state, event, nowMs)
      return []
    case 'withheld':
      state.pieces.withhold(event.pieces)
      return []
    case 'tick':
      return tick(state, nowMs)
  }
}

function join(state: SessionState, event: SessionEvent & { kind: 'joined' }): SessionAction[] {
  const known = state.sources.get(event.source)
  if (known === undefined) state.sources.set(event.source, createSource(state.pieces.count, event))
  else known.requestsMax = event.requestsMax
  return []
}

function leave(state: SessionState, id: string, nowMs: number): SessionAction[] {
  const source = state.sources.get(id)
  if (source === undefined) return []
  const actions = takeBack(state, source, 'gone', nowMs)
  setPieces(state, source, new Bitfield(state.pieces.count))
  state.sources.delete(id)
  return actions
}

function noteHolding(
  state: SessionState,
  { source: id, pieces }: SessionEvent & { kind: 'holds' },
  nowMs: number,
): SessionAction[] {
  const source = state.sources.get(id)
  if (source === undefined) return []
  const { count } = state.pieces
  if (pieces === 'all') setPieces(state, source, Bitfield.full(count))
  else if (pieces === 'none') setPieces(state, source, new Bitfield(count))
  else if (pieces instanceof Bitfield) setPieces(state, source, copyOf(pieces))
  else for (const pieceIndex of pieces) addPiece(state, source, pieceIndex)
  source.nothingFreeAt = -1
  if (source.pieces.count > 0) state.newsMs = nowMs
  return []
}

/** The giver may go on using its own. */
function copyOf(field: Bitfield): Bitfield {
  const copy = new Bitfield(field.length)
  for (let index = 0; index < field.length; index += 1) if (field.has(index)) copy.add(index)
  return copy
}

function noteReceived(
  state: SessionState,
  event: SessionEvent & { kind: 'received' },
  nowMs: number,
): void {
  const request = state.requests.get(event.request)
  if (request === undefined) return
  const { source } = request
  request.startMs ??= nowMs
  const pieceBefore = Math.floor(request.receivedBytes / state.pieceSizeBytes)
  source.owedBytes -= Math.min(event.bytes, Math.max(0, request.totalBytes - request.receivedBytes))
  request.receivedBytes += event.bytes
  source.receivedBytes += event.bytes
  source.windowBytes += event.bytes
  source.lastBytesMs = nowMs
  noteRate(source, nowMs)
  if (source.kind === 'peer') {
    state.firstPeerBytesMs ??= nowMs
    state.lastPeerBytesMs = nowMs
  }
  const isThrough = request.receivedBytes >= request.totalBytes
  const pieceAfter = Math.floor(request.receivedBytes / state.pieceSizeBytes)
  if (!isThrough && pieceAfter === pieceBefore) return
  notePieceTime(state, (nowMs - request.startMs) / Math.max(1, pieceAfter - pieceBefore))
  request.startMs = nowMs
  if (isThrough && source.kind === 'peer') startNext(source, nowMs)
}

function notePiece(
  state: SessionState,
  event: SessionEvent & { kind: 'piece' },
  nowMs: number,
): SessionAction[] {
  const request = state.requests.get(event.request)
  if (event.outcome !== 'mismatch') return holdPiece(state, request, event, nowMs)
  if (request === undefined) return []
  const { source } = request
  state.pieces.noteFailure(event.pieceIndex)
  const ban: SessionAction = { kind: 'ban', source: source.id, pieceIndex: event.pieceIndex }
  if (source.kind === 'peer') return [ban, ...leave(state, source.id, nowMs)]
  const actions = takeBack(state, source, 'gone', nowMs)
  backOff(source, nowMs, ORIGIN_BACKOFF_MAX_MS)
  return [ban, ...actions]
}

function holdPiece(
  state: SessionState,
  request: Request | undefined,
  { pieceIndex, outcome }: SessionEvent & { kind: 'piece' },
  nowMs: number,
): SessionAction[] {
  const { pieces } = state
  if (outcome === 'present' && pieces.held.has(pieceIndex)) {
    state.duplicateBytes += pieces.bytesOf(pieceIndex)
  }
  pieces.hold(pieceIndex)
  state.failed.delete(pieceIndex)
  const actions: SessionAction[] = []
  if (request !== undefined) {
    forgive(request.source)
    passTurn(state, request, nowMs)
    release(state, request, pieceIndex)
    if (request.pending.size === 0) actions.push(...close(state, request, nowMs))
  }
  if (pieces.askerCount(pieceIndex) === 0) return actions
  for (const other of [...state.requests.values()]) {
    if (other.pending.has(pieceIndex)) actions.push(...lose(state, other, pieceIndex, nowMs))
  }
  return actions
}

/** A range whose end was left to others is broken off; any other request is through by itself. */
function close(state: SessionState, request: Request, nowMs: number): SessionAction[] {
  const last = request.firstPiece + request.pieceCount - 1
  const endsAt = request.firstPiece + Math.ceil(request.totalBytes / state.pieceSizeBytes) - 1
  if (endsAt < last) return [cancel(state, request, 'moved', nowMs)]
  drop(state, request, nowMs)
  return []
}

/** Another source had the piece first. */
function lose(
  state: SessionState,
  request: Request,
  pieceIndex: number,
  nowMs: number,
): SessionAction[] {
  if (request.pending.size === 1) {
    const isWhole = request.receivedBytes >= request.totalBytes
    // What is here whole is on its way to the store, which will say that it was there.
    if (isWhole) return []
    const cameBytes = request.receivedBytes % state.pieceSizeBytes
    state.duplicateBytes += cameBytes
    foresee(state, lostBytes(state, request) - cameBytes)
    return [cancel(state, request, 'lost', nowMs)]
  }
  const last = request.firstPiece + Math.ceil(request.totalBytes / state.pieceSizeBytes) - 1
  if (pieceIndex === last) trim(state, request, pieceIndex)
  return []
}

function tick(state: SessionState, nowMs: number): SessionAction[] {
  const actions: SessionAction[] = []
  for (const source of state.sources.values()) {
    noteRate(source, nowMs)
    noteRest(source, nowMs)
    actions.push(...noteStall(state, source, nowMs))
  }
  return actions
}

function viewOf(state: SessionState, nowMs: number): SessionView {
  const { pieces } = state
  const all = [...state.sources.values()]
  const useful = all.filter(source => isUseful(source, nowMs))
  return {
    heldBytes: pieces.heldBytes,
    missingPieceCount: pieces.count - pieces.held.count,
    withoutSourceCount: withoutSource(state, useful),
    duplicateBytes: state.duplicateBytes,
    pieceTimeMs: state.pieceTimeMs && { ...state.pieceTimeMs },
    isEnding: pieces.freeCount === 0 && !pieces.isComplete,
    sources: all.map(({ id, rate, receivedBytes }) => ({ id, rate: rate ?? 0, receivedBytes })),
  }
}

function withoutSource({ pieces }: SessionState, useful: readonly Source[]): number {
  if (useful.some(source => source.pieces.count === pieces.count)) return 0
  let count = 0
  for (let index = 0; index < pieces.count; index += 1) {
    if (!pieces.held.has(index) && !useful.some(source => source.pieces.has(index))) count += 1
  }
  return count
}
