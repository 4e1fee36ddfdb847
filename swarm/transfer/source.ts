/** One source of a session and the requests it has open: what it holds, owes and gives. Pure. */
import { Bitfield } from '../bitfield.ts'
import {
  QUEUE_REQUESTS_MAX,
  RATE_IDLE_MS,
  RATE_WINDOW_FIRST_MS,
  RATE_WINDOW_MS,
  TRIAL_REQUESTS,
} from './policy.ts'
import type { SessionEvent, SourceKind } from './session-events.ts'

export interface Source {
  readonly id: string
  readonly kind: SourceKind
  readonly isLocal: boolean
  /** Fetches the same blob. */
  isFellow: boolean
  pieces: Bitfield
  requestsMax: number
  /** In the order in which they were asked: a peer answers them in that order. */
  readonly requests: Set<Request>
  /** Asked for and not yet received. */
  owedBytes: number
  /** Bytes per second; `undefined` until it was measured. */
  rate: number | undefined
  peakRate: number
  /** Requests that it may have open as far as it has earned trust; grows with each piece. */
  window: number
  windowBytes: number
  windowStartMs: number | undefined
  lastBytesMs: number | undefined
  busySinceMs: number
  idleSinceMs: number
  receivedBytes: number
  /** Failures since the last piece. */
  strikes: number
  timeouts: number
  timeoutMs: number
  /** Pieces in a row that it said it has and then refused. */
  refusals: number
  /** Nothing is asked of it before this time. */
  resumeAtMs: number
  /** The version of the piece table at which there was nothing free for it. */
  nothingFreeAt: number
}

export interface Request {
  readonly id: number
  readonly source: Source
  readonly firstPiece: number
  readonly pieceCount: number
  /** Less than the whole range when others took over its end. */
  totalBytes: number
  readonly askedMs: number
  /** Pieces not yet verified, in order. */
  readonly pending: Set<number>
  receivedBytes: number
  /** When the source began with the piece that it is at; `undefined` while others are before it. */
  startMs: number | undefined
  /** What this request may make come twice, as estimated when it was opened. */
  riskBytes: number
}

export function createSource(pieceCount: number, event: SessionEvent & { kind: 'joined' }): Source {
  const isOrigin = event.sourceKind === 'origin'
  return {
    id: event.source,
    kind: event.sourceKind,
    isLocal: event.isLocal ?? false,
    isFellow: false,
    pieces: isOrigin ? Bitfield.full(pieceCount) : new Bitfield(pieceCount),
    requestsMax: event.requestsMax,
    requests: new Set(),
    owedBytes: 0,
    rate: event.rate,
    peakRate: event.rate ?? 0,
    window: event.rate === undefined ? TRIAL_REQUESTS : QUEUE_REQUESTS_MAX,
    windowBytes: 0,
    windowStartMs: undefined,
    lastBytesMs: undefined,
    busySinceMs: 0,
    idleSinceMs: 0,
    receivedBytes: 0,
    strikes: 0,
    timeouts: 0,
    timeoutMs: 0,
    refusals: 0,
    resumeAtMs: 0,
    nothingFreeAt: -1,
  }
}

export function isUseful(source: Source, nowMs: number): boolean {
  return source.pieces.count > 0 && source.resumeAtMs <= nowMs
}

/** A peer answers in order: when one answer is complete, it begins with the next. */
export function startNext(source: Source, nowMs: number): void {
  for (const request of source.requests) {
    if (request.receivedBytes >= request.totalBytes) continue
    request.startMs ??= nowMs
    return
  }
}

/** Folds the bytes of the window that ended into the rate; a source that owes nothing keeps its rate. */
export function noteRate(source: Source, nowMs: number): void {
  const isFirst = source.rate === undefined
  // Before its first bytes a source is not slow but far away.
  if (source.requests.size === 0 || (isFirst && source.windowBytes === 0)) return
  source.windowStartMs ??= nowMs
  const elapsedMs = nowMs - source.windowStartMs
  if (elapsedMs >= (isFirst ? RATE_WINDOW_FIRST_MS : RATE_WINDOW_MS)) fold(source, elapsedMs, nowMs)
}

/** The source has answered everything: what it gave since it began says something when nothing was known. */
export function noteIdle(source: Source, nowMs: number): void {
  const elapsedMs = nowMs - source.busySinceMs
  if (source.rate === undefined && source.windowBytes > 0)
    fold(source, Math.max(1, elapsedMs), nowMs)
  source.windowStartMs = undefined
  source.windowBytes = 0
}

function fold(source: Source, elapsedMs: number, nowMs: number): void {
  const rate = (source.windowBytes * 1000) / elapsedMs
  source.rate = source.rate === undefined ? rate : (source.rate + rate) / 2
  source.peakRate = Math.max(source.peakRate, source.rate)
  source.windowStartMs = nowMs
  source.windowBytes = 0
}

/** After a long rest a source is taken for as fast as it ever was. */
export function noteRest(source: Source, nowMs: number): void {
  if (source.requests.size > 0 || source.rate === undefined) return
  if (nowMs - source.idleSinceMs > RATE_IDLE_MS) source.rate = source.peakRate
}
