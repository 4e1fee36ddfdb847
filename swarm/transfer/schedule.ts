/** Hands out work: fills the queue of each source, lets the origin in when it helps, asks twice near the end. Pure. */
import {
  DUPLICATE_AGE_MIN_MS,
  DUPLICATE_SHARE_MAX,
  ORIGIN_CONNECTIONS_MAX,
  ORIGIN_DELAY_HOLDER_MS,
  ORIGIN_DELAY_MS,
  ORIGIN_RANGE_BYTES_FIRST,
  ORIGIN_RANGE_BYTES_MAX,
  ORIGIN_RATE_GUESS,
  ORIGIN_WORTHWHILE_MS,
  QUEUE_REQUESTS_MIN,
  QUEUE_TARGET_MS,
  RANDOM_PIECES_FIRST,
  RATE_GUESS,
  RATE_WARMUP_MS,
  STEAL_GAIN_MIN_MS,
} from './policy.ts'
import { type Candidates, pickRarest, pickRun } from './selection.ts'
import {
  drop,
  isUseful,
  pieceBytes,
  type Request,
  type SessionAction,
  type SessionState,
  type Source,
} from './session-state.ts'

/**
 * New requests within `budgetBytes`; at least one when nothing is open, so that a download never waits for itself.
 * A negative budget: none, because pieces cannot be verified yet.
 */
export function planRequests(
  state: SessionState,
  nowMs: number,
  budgetBytes: number,
): SessionAction[] {
  const actions: SessionAction[] = []
  if (budgetBytes < 0 || state.held.count === state.pieceCount) return actions
  let leftBytes = budgetBytes
  const mayAsk = (): boolean => leftBytes >= state.pieceSizeBytes || state.requests.size === 0
  const open = new Set(peersOf(state).filter(source => isUseful(source, nowMs)))
  while (open.size > 0 && mayAsk()) {
    const source = leastLoaded(state, [...open])
    if (source === undefined) break
    const asked = askPeer(state, source, nowMs)
    if (asked.length === 0) open.delete(source)
    else leftBytes -= state.pieceSizeBytes
    actions.push(...asked)
  }
  const origin = usableOrigin(state, nowMs)
  while (origin !== undefined && origin.requests.size < ORIGIN_CONNECTIONS_MAX && mayAsk()) {
    const asked = askOrigin(state, origin, nowMs)
    if (asked.length === 0) break
    actions.push(...asked)
    leftBytes -= state.pieceSizeBytes
  }
  return actions
}

function peersOf(state: SessionState): Source[] {
  return [...state.sources.values()].filter(source => source.kind === 'peer')
}

/** The first origin that is not backing off: they are listed by preference. */
function usableOrigin(state: SessionState, nowMs: number): Source | undefined {
  const origins = [...state.sources.values()].filter(source => source.kind === 'origin')
  return origins.find(source => isUseful(source, nowMs))
}

/** The source with the least work per unit of speed. */
function leastLoaded(state: SessionState, sources: readonly Source[]): Source | undefined {
  const load = (source: Source): number => queueMs(state, source, 0)
  return [...sources].sort((a, b) => load(a) - load(b))[0]
}

/** How long the source needs for what it owes and `moreBytes`. */
function queueMs(state: SessionState, source: Source, moreBytes: number): number {
  const guess = source.kind === 'origin' ? ORIGIN_RATE_GUESS : RATE_GUESS
  return ((owedBytes(state, source) + moreBytes) * 1000) / Math.max(source.rate ?? guess, 1)
}

function owedBytes(state: SessionState, source: Source): number {
  let bytes = 0
  for (const id of source.requests) {
    const request = state.requests.get(id)
    if (request !== undefined) bytes += request.totalBytes - request.receivedBytes
  }
  return bytes
}

function askPeer(state: SessionState, source: Source, nowMs: number): SessionAction[] {
  if (!wantsMore(state, source)) return []
  const unasked: Candidates = {
    pieceCount: state.pieceCount,
    isWanted: index => isUnasked(state, index) && source.pieces.has(index),
    holderCount: index => state.holders[index] ?? 0,
  }
  const isEarly = state.askedCount < RANDOM_PIECES_FIRST
  const start = isEarly ? Math.floor(state.random() * state.pieceCount) : state.startPiece
  const pieceIndex = pickRarest(unasked, start)
  if (pieceIndex !== undefined) return [open(state, source, pieceIndex, 1, nowMs)]
  return steal(state, source, nowMs) ?? askTwice(state, source, nowMs)
}

function wantsMore(state: SessionState, source: Source): boolean {
  const isOnTrial = source.strikes > 0
  if (source.requests.size >= (isOnTrial ? 1 : source.requestsMax)) return false
  if (source.requests.size < QUEUE_REQUESTS_MIN) return true
  return owedBytes(state, source) < ((source.rate ?? 0) * QUEUE_TARGET_MS) / 1000
}

function isUnasked(state: SessionState, pieceIndex: number): boolean {
  if (state.held.has(pieceIndex) || state.withheld.has(pieceIndex)) return false
  return state.askers[pieceIndex] === 0
}

function askOrigin(state: SessionState, origin: Source, nowMs: number): SessionAction[] {
  const helps = originHelps(state, origin, nowMs)
  const canWait = nowMs - state.startedMs < ORIGIN_DELAY_MS && state.peersExpected
  const peers = peersOf(state).filter(source => isUseful(source, nowMs))
  const isOrphan = (index: number): boolean =>
    !canWait && ((state.failures[index] ?? 0) >= 2 || !peers.some(peer => peer.pieces.has(index)))
  const candidates: Candidates = {
    pieceCount: state.pieceCount,
    isWanted: index => isUnasked(state, index) && (helps || isOrphan(index)),
    holderCount: index => state.holders[index] ?? 0,
  }
  const run = pickRun(candidates, state.startPiece, rangePieces(state, origin, peers.length > 0))
  if (run !== undefined) return [open(state, origin, run.firstPiece, run.pieceCount, nowMs)]
  const stolen = helps ? steal(state, origin, nowMs) : undefined
  return stolen ?? askTwice(state, origin, nowMs)
}

/** True while the peers alone would be slower than the origin. */
function originHelps(state: SessionState, origin: Source, nowMs: number): boolean {
  const elapsedMs = nowMs - state.startedMs
  const peers = peersOf(state).filter(source => isUseful(source, nowMs))
  if (peers.length === 0) return !state.peersExpected || elapsedMs >= ORIGIN_DELAY_MS
  if (state.firstPeerBytesMs === undefined) return elapsedMs >= ORIGIN_DELAY_HOLDER_MS
  if (nowMs - state.firstPeerBytesMs < RATE_WARMUP_MS) return false
  const peerRate = peers.reduce((sum, source) => sum + (source.rate ?? 0), 0)
  let missingBytes = 0
  for (let index = 0; index < state.pieceCount; index += 1) {
    if (!state.held.has(index)) missingBytes += pieceBytes(state, index)
  }
  if (missingBytes < (peerRate * ORIGIN_WORTHWHILE_MS) / 1000) return false
  return peerRate < (origin.rate ?? ORIGIN_RATE_GUESS)
}

function rangePieces(state: SessionState, origin: Source, peersHelp: boolean): number {
  const perConnection = (origin.rate ?? 0) / ORIGIN_CONNECTIONS_MAX
  const byRate = (perConnection * QUEUE_TARGET_MS) / 1000
  const bytes = Math.min(
    Math.max(byRate, peersHelp ? 0 : ORIGIN_RANGE_BYTES_FIRST),
    ORIGIN_RANGE_BYTES_MAX,
  )
  return Math.max(1, Math.floor(bytes / state.pieceSizeBytes))
}

/** Gives `thief` a request that a slower peer has not begun, when it would have it much sooner. */
function steal(state: SessionState, thief: Source, nowMs: number): SessionAction[] | undefined {
  const thiefMs = queueMs(state, thief, state.pieceSizeBytes)
  let slowestMs = 2 * thiefMs + STEAL_GAIN_MIN_MS
  let prey: Request | undefined
  for (const victim of peersOf(state)) {
    const victimMs = queueMs(state, victim, 0)
    if (victim === thief || victim.requests.size < 2 || victimMs <= slowestMs) continue
    const waiting = [...victim.requests]
      .map(id => state.requests.get(id))
      .findLast(request => request !== undefined && isStealable(state, request, thief))
    if (waiting === undefined) continue
    prey = waiting
    slowestMs = victimMs
  }
  const [pieceIndex] = prey?.pending ?? []
  if (prey === undefined || pieceIndex === undefined) return undefined
  drop(state, prey)
  const cancel: SessionAction = { kind: 'cancel', request: prey.id, source: prey.source }
  return [cancel, open(state, thief, pieceIndex, 1, nowMs)]
}

function isStealable(state: SessionState, request: Request, thief: Source): boolean {
  const [pieceIndex] = request.pending
  if (pieceIndex === undefined || request.pieceCount > 1 || request.receivedBytes > 0) return false
  return state.askers[pieceIndex] === 1 && thief.pieces.has(pieceIndex)
}

function askTwice(state: SessionState, source: Source, nowMs: number): SessionAction[] {
  const pieceIndex = pickOverdue(state, source, nowMs)
  return pieceIndex === undefined ? [] : [open(state, source, pieceIndex, 1, nowMs)]
}

/** A piece whose only request is late, for a source that may do it sooner; bounded in bytes. */
function pickOverdue(state: SessionState, source: Source, nowMs: number): number | undefined {
  const { pieceTimeMs } = state
  if (pieceTimeMs === undefined) return undefined
  const budget = Math.max(state.pieceSizeBytes, state.sizeBytes * DUPLICATE_SHARE_MAX)
  if (state.duplicateBytes + state.pieceSizeBytes > budget) return undefined
  const lateMs = Math.max(pieceTimeMs.mean + pieceTimeMs.deviation / 2, DUPLICATE_AGE_MIN_MS)
  for (const request of state.requests.values()) {
    if (request.source === source.id || nowMs - request.pieceStartMs < lateMs) continue
    if (request.receivedBytes >= request.totalBytes) continue
    for (const pieceIndex of request.pending) {
      if (state.askers[pieceIndex] !== 1 || !source.pieces.has(pieceIndex)) continue
      state.duplicateBytes += pieceBytes(state, pieceIndex)
      return pieceIndex
    }
  }
  return undefined
}

function open(
  state: SessionState,
  source: Source,
  firstPiece: number,
  pieceCount: number,
  nowMs: number,
): SessionAction {
  const id = state.nextRequest
  state.nextRequest += 1
  state.askedCount += 1
  const pending = new Set<number>()
  let totalBytes = 0
  for (let index = firstPiece; index < firstPiece + pieceCount; index += 1) {
    pending.add(index)
    totalBytes += pieceBytes(state, index)
    state.askers[index] = (state.askers[index] ?? 0) + 1
  }
  const request = { id, source: source.id, pieceCount, pending, askedMs: nowMs, totalBytes }
  state.requests.set(id, { ...request, pieceStartMs: nowMs, receivedBytes: 0 })
  source.requests.add(id)
  return { kind: 'ask', request: id, source: source.id, firstPiece, pieceCount }
}
