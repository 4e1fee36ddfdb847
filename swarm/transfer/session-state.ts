/** What a download session knows: its pieces, its sources and the requests that are open. */
import type { Bitfield } from '../bitfield.ts'
import { PieceTable } from './piece-table.ts'
import { LOST_BYTES_MAX, LOST_MS } from './policy.ts'
import type { CancelReason, SessionAction, SessionInit } from './session-events.ts'
import { noteIdle, type Request, type Source, startNext } from './source.ts'

export interface SessionState {
  readonly pieces: PieceTable
  readonly pieceSizeBytes: number
  readonly startedMs: number
  readonly peersExpected: boolean
  readonly sources: Map<string, Source>
  readonly requests: Map<number, Request>
  readonly random: () => number
  readonly startPiece: number
  nextRequest: number
  askedCount: number
  /** Bytes that came for nothing, because another source was sooner. */
  duplicateBytes: number
  /** Of these, what was reckoned when requests were taken back and has not come yet. */
  foreseenBytes: number
  riskBytes: number
  /** When a peer was first asked for a piece. */
  firstAskMs: number | undefined
  firstPeerBytesMs: number | undefined
  lastPeerBytesMs: number | undefined
  pieceTimeMs: { mean: number; deviation: number } | undefined
  /** In a crowd: when it is this node's turn to ask the origin. */
  turnAtMs: number | undefined
  /** In a large crowd: what the wait for the origin was drawn as, and when the origin was last asked. */
  crowdDraw: number | undefined
  /** When a large crowd was first seen. */
  crowdSinceMs: number | undefined
  crowdTurnMs: number
  /** When a peer last said that it has something new. */
  newsMs: number
  /** Behind the last piece that an origin was asked for. */
  originPiece: number | undefined
  /** Pieces that came wrong, or not at all, twice. */
  readonly failed: Set<number>
  /** Late pieces are not looked for before this time. */
  searchAtMs: number
}

export function createState(init: SessionInit): SessionState {
  const random = createGenerator(init.seed)
  return {
    pieces: new PieceTable(init, index => init.isHeld(index)),
    pieceSizeBytes: init.pieceSizeBytes,
    startedMs: init.startedMs,
    peersExpected: init.peersExpected,
    sources: new Map(),
    requests: new Map(),
    random,
    startPiece: Math.floor(random() * init.pieceCount),
    nextRequest: 1,
    askedCount: 0,
    duplicateBytes: 0,
    foreseenBytes: 0,
    riskBytes: 0,
    firstAskMs: undefined,
    firstPeerBytesMs: undefined,
    lastPeerBytesMs: undefined,
    pieceTimeMs: undefined,
    turnAtMs: undefined,
    crowdDraw: undefined,
    crowdSinceMs: undefined,
    crowdTurnMs: 0,
    newsMs: 0,
    originPiece: undefined,
    failed: new Set(),
    searchAtMs: 0,
  }
}

/** Replaces what a source holds, and keeps the counts of holders right. Those who hold everything are not counted. */
export function setPieces({ pieces }: SessionState, source: Source, held: Bitfield): void {
  countHolder(pieces, source, -1)
  source.pieces = held
  countHolder(pieces, source, 1)
  source.nothingFreeAt = -1
}

export function addPiece({ pieces }: SessionState, source: Source, pieceIndex: number): void {
  if (source.pieces.count === pieces.count) return
  if (!source.pieces.add(pieceIndex)) return
  if (source.kind !== 'peer') return
  pieces.noteHolder(pieceIndex, 1)
  if (source.pieces.count === pieces.count) {
    for (let index = 0; index < pieces.count; index += 1) pieces.noteHolder(index, -1)
  }
}

export function removePiece({ pieces }: SessionState, source: Source, pieceIndex: number): void {
  if (source.pieces.count === pieces.count && source.kind === 'peer') {
    for (let index = 0; index < pieces.count; index += 1) pieces.noteHolder(index, 1)
  }
  if (source.pieces.delete(pieceIndex) && source.kind === 'peer') pieces.noteHolder(pieceIndex, -1)
}

function countHolder(pieces: PieceTable, source: Source, change: 1 | -1): void {
  if (source.kind !== 'peer' || source.pieces.count === pieces.count) return
  if (source.pieces.count === 0) return
  for (let index = 0; index < pieces.count; index += 1) {
    if (source.pieces.has(index)) pieces.noteHolder(index, change)
  }
}

export function openRequest(
  state: SessionState,
  source: Source,
  range: { readonly firstPiece: number; readonly pieceCount: number; readonly riskBytes?: number },
  nowMs: number,
): SessionAction {
  const { firstPiece, pieceCount, riskBytes = 0 } = range
  const id = state.nextRequest
  state.nextRequest += 1
  state.askedCount += 1
  const pending = new Set<number>()
  let totalBytes = 0
  for (let index = firstPiece; index < firstPiece + pieceCount; index += 1) {
    pending.add(index)
    totalBytes += state.pieces.bytesOf(index)
    state.pieces.ask(index)
  }
  const isFirst = source.kind === 'origin' || source.requests.size === 0
  if (source.requests.size === 0) source.busySinceMs = nowMs
  const request: Request = {
    ...{ id, source, firstPiece, pieceCount, pending, totalBytes, askedMs: nowMs },
    ...{ receivedBytes: 0, startMs: isFirst ? nowMs : undefined, riskBytes },
  }
  state.requests.set(id, request)
  source.requests.add(request)
  source.owedBytes += totalBytes
  state.riskBytes += riskBytes
  if (source.kind === 'peer') state.firstAskMs ??= nowMs
  return { kind: 'ask', request: id, source: source.id, firstPiece, pieceCount }
}

/** One request fewer asks for the piece. */
export function release(state: SessionState, request: Request, pieceIndex: number): void {
  if (request.pending.delete(pieceIndex)) state.pieces.release(pieceIndex)
}

/** Forgets a request; its pieces are free for others. */
export function drop(state: SessionState, request: Request, nowMs: number): void {
  const { source } = request
  if (!state.requests.delete(request.id)) return
  for (const pieceIndex of [...request.pending]) release(state, request, pieceIndex)
  source.requests.delete(request)
  source.owedBytes -= Math.max(0, request.totalBytes - request.receivedBytes)
  state.riskBytes -= request.riskBytes
  if (source.requests.size === 0) {
    noteIdle(source, nowMs)
    source.idleSinceMs = nowMs
  } else if (source.kind === 'peer') startNext(source, nowMs)
}

/** The last piece of a range is left to somebody else; it is free. */
export function trim(state: SessionState, request: Request, pieceIndex: number): void {
  const bytes = state.pieces.bytesOf(pieceIndex)
  request.totalBytes -= bytes
  request.source.owedBytes -= bytes
  release(state, request, pieceIndex)
}

export function lastOf(pieces: ReadonlySet<number>): number | undefined {
  let last: number | undefined
  for (const index of pieces) last = index
  return last
}

/** Takes a request back; what it received of the piece it is at is lost. */
export function cancel(
  state: SessionState,
  request: Request,
  reason: CancelReason,
  nowMs: number,
): SessionAction {
  drop(state, request, nowMs)
  return { kind: 'cancel', request: request.id, source: request.source.id, reason }
}

/** Cancels everything a source was asked for; the pieces are free for others. */
export function takeBack(
  state: SessionState,
  source: Source,
  reason: CancelReason,
  nowMs: number,
): SessionAction[] {
  return [...source.requests].map(request => cancel(state, request, reason, nowMs))
}

/** Reckons with bytes that still come of a request that is taken back. */
export function foresee(state: SessionState, bytes: number): void {
  state.duplicateBytes += bytes
  state.foreseenBytes += bytes
}

/** They came: what was reckoned with is not counted again. */
export function noteStray(state: SessionState, bytes: number): void {
  const foreseenBytes = Math.min(bytes, state.foreseenBytes)
  state.foreseenBytes -= foreseenBytes
  state.duplicateBytes += bytes - foreseenBytes
}

/** What has come, or is on its way, of the piece that the request is at: lost when the request is taken back. */
export function lostBytes(state: SessionState, request: Request): number {
  const current = currentPiece(state, request)
  const cameBytes = request.receivedBytes % state.pieceSizeBytes
  if (current === undefined || cameBytes === 0) return 0
  const onItsWay = Math.min(LOST_BYTES_MAX, ((request.source.rate ?? 0) * LOST_MS) / 1000)
  return Math.min(state.pieces.bytesOf(current), cameBytes + onItsWay)
}

/** The piece that the source is at; `undefined` when all bytes are here and wait to be verified. */
export function currentPiece(state: SessionState, request: Request): number | undefined {
  if (request.receivedBytes >= request.totalBytes) return undefined
  return request.firstPiece + Math.floor(request.receivedBytes / state.pieceSizeBytes)
}

/** A small seeded generator of numbers in [0, 1) (mulberry32): the schedule must be repeatable, not unpredictable. */
function createGenerator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
