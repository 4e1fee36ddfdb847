/** What a download session knows: its pieces, its sources and the requests that are open; and how it speaks. */
import { Bitfield } from '../bitfield.ts'

export type SourceKind = 'peer' | 'origin'

export type SessionEvent =
  | {
      readonly kind: 'joined'
      readonly source: string
      readonly sourceKind: SourceKind
      readonly requestsMax: number
      /** Bytes per second, from earlier transfers. */
      readonly rate: number | undefined
    }
  | { readonly kind: 'left'; readonly source: string }
  | {
      readonly kind: 'holds'
      readonly source: string
      /** A list adds to what was known, the others replace it. */
      readonly pieces: 'all' | 'none' | Bitfield | readonly number[]
    }
  | { readonly kind: 'received'; readonly request: number; readonly bytes: number }
  | {
      readonly kind: 'piece'
      readonly request: number
      readonly pieceIndex: number
      readonly outcome: 'stored' | 'present' | 'mismatch'
    }
  | {
      readonly kind: 'ended'
      readonly request: number
      readonly outcome: 'done' | 'busy' | 'absent' | 'failed'
      readonly retryAfterMs?: number
    }
  | {
      /** Nobody is asked for these: this node may have their bytes in another blob. Replaces what was said before. */
      readonly kind: 'withheld'
      readonly pieces: Bitfield
    }
  | { readonly kind: 'tick' }

export type SessionAction =
  | {
      readonly kind: 'ask'
      readonly request: number
      readonly source: string
      readonly firstPiece: number
      readonly pieceCount: number
    }
  | { readonly kind: 'cancel'; readonly request: number; readonly source: string }
  | { readonly kind: 'ban'; readonly source: string; readonly pieceIndex: number }

export interface SessionInit {
  readonly sizeBytes: number
  readonly pieceSizeBytes: number
  readonly pieceCount: number
  isHeld(pieceIndex: number): boolean
  /** Any integer; the same seed and events give the same actions. */
  readonly seed: number
  readonly startedMs: number
  /** Peers were asked and may still answer; without any, the origin is used at once. */
  readonly peersExpected: boolean
}

export interface SessionView {
  readonly heldBytes: number
  readonly missingPieceCount: number
  /** Missing pieces that no source can give at the moment. */
  readonly withoutSourceCount: number
  readonly sources: readonly {
    readonly id: string
    /** Bytes per second. */
    readonly rate: number
    readonly receivedBytes: number
  }[]
}

export interface Source {
  readonly id: string
  readonly kind: SourceKind
  pieces: Bitfield
  readonly requestsMax: number
  readonly requests: Set<number>
  rate: number | undefined
  windowBytes: number
  windowStartMs: number | undefined
  lastBytesMs: number
  receivedBytes: number
  strikes: number
  /** Nothing is asked of it before this time. */
  resumeAtMs: number
}

export interface Request {
  readonly id: number
  readonly source: string
  readonly pieceCount: number
  /** Pieces not yet verified. */
  readonly pending: Set<number>
  readonly askedMs: number
  pieceStartMs: number
  readonly totalBytes: number
  receivedBytes: number
}

export interface SessionState {
  readonly sizeBytes: number
  readonly pieceSizeBytes: number
  readonly pieceCount: number
  readonly startedMs: number
  readonly peersExpected: boolean
  readonly held: Bitfield
  withheld: Bitfield
  /** Per piece: how many open requests ask for it. */
  readonly askers: Uint16Array
  /** Per piece: how many peers hold it. */
  readonly holders: Uint16Array
  /** Per piece: how often it came wrong or not at all. */
  readonly failures: Uint16Array
  readonly sources: Map<string, Source>
  readonly requests: Map<number, Request>
  readonly random: () => number
  readonly startPiece: number
  nextRequest: number
  askedCount: number
  duplicateBytes: number
  firstPeerBytesMs: number | undefined
  pieceTimeMs: { mean: number; deviation: number } | undefined
}

export function createState(init: SessionInit): SessionState {
  const random = createGenerator(init.seed)
  const held = new Bitfield(init.pieceCount)
  for (let index = 0; index < init.pieceCount; index += 1) if (init.isHeld(index)) held.add(index)
  return {
    sizeBytes: init.sizeBytes,
    pieceSizeBytes: init.pieceSizeBytes,
    pieceCount: init.pieceCount,
    startedMs: init.startedMs,
    peersExpected: init.peersExpected,
    held,
    withheld: new Bitfield(init.pieceCount),
    askers: new Uint16Array(init.pieceCount),
    holders: new Uint16Array(init.pieceCount),
    failures: new Uint16Array(init.pieceCount),
    sources: new Map(),
    requests: new Map(),
    random,
    startPiece: Math.floor(random() * init.pieceCount),
    nextRequest: 1,
    askedCount: 0,
    duplicateBytes: 0,
    firstPeerBytesMs: undefined,
    pieceTimeMs: undefined,
  }
}

export function pieceBytes(state: SessionState, pieceIndex: number): number {
  return Math.min(state.pieceSizeBytes, state.sizeBytes - pieceIndex * state.pieceSizeBytes)
}

export function isUseful(source: Source, nowMs: number): boolean {
  return source.pieces.count > 0 && source.resumeAtMs <= nowMs
}

/** Adds (`1`) or takes away (`-1`) the pieces of a peer from the holder counts. The origin is not counted. */
export function holderChange(state: SessionState, source: Source, change: 1 | -1): void {
  if (source.kind !== 'peer') return
  for (let index = 0; index < state.pieceCount; index += 1) {
    if (source.pieces.has(index)) state.holders[index] = (state.holders[index] ?? 0) + change
  }
}

/** Cancels everything a source was asked for; the pieces are free for others. */
export function takeBack(state: SessionState, source: Source): SessionAction[] {
  const actions: SessionAction[] = []
  for (const id of [...source.requests]) {
    const request = state.requests.get(id)
    if (request === undefined) continue
    actions.push({ kind: 'cancel', request: id, source: source.id })
    drop(state, request)
  }
  return actions
}

/** One request fewer asks for the piece. */
export function release(state: SessionState, request: Request, pieceIndex: number): void {
  if (!request.pending.delete(pieceIndex)) return
  state.askers[pieceIndex] = Math.max(0, (state.askers[pieceIndex] ?? 0) - 1)
}

/** Forgets a request; its pieces are free for others. */
export function drop(state: SessionState, request: Request): void {
  for (const pieceIndex of [...request.pending]) release(state, request, pieceIndex)
  state.requests.delete(request.id)
  state.sources.get(request.source)?.requests.delete(request.id)
}

const RATE_WINDOW_MS = 500

/** Folds the bytes of the window that ended into the rate; a source that owes nothing keeps its rate. */
export function noteRate(source: Source, nowMs: number): void {
  if (source.requests.size === 0) {
    source.windowStartMs = undefined
    source.windowBytes = 0
    return
  }
  source.windowStartMs ??= nowMs
  const elapsedMs = nowMs - source.windowStartMs
  if (elapsedMs < RATE_WINDOW_MS) return
  const rate = (source.windowBytes * 1000) / elapsedMs
  source.rate = source.rate === undefined ? rate : (source.rate + rate) / 2
  source.windowStartMs = nowMs
  source.windowBytes = 0
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
