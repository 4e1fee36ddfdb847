/**
 * When and for what the origins are asked: at once where peers cannot help, beside them where that saves time, and in a
 * crowd only for what the crowd lacks. Pure.
 */
import { breakOff, isLargeCrowd, mayAskForCrowd, noteCrowdTurn } from './crowd.ts'
import {
  CROWD_LARGE_PEERS,
  CROWD_MEMORY_MS,
  CROWD_PATIENCE_MS_PER_PEER,
  CROWD_PEERS_MIN,
  CROWD_RANGES_PER_PEER,
  CROWD_SHARE_MIN,
  CROWD_SMALL_PEERS,
  CROWD_TURN_MS,
  ORIGIN_CONNECTIONS_MAX,
  ORIGIN_DELAY_HOLDER_MS,
  ORIGIN_DELAY_MS,
  ORIGIN_NEXT_AFTER_MS,
  ORIGIN_RANGE_BYTES_FIRST,
  ORIGIN_RANGE_BYTES_MAX,
  ORIGIN_RANGE_BYTES_PROBE,
  ORIGIN_SHARE_MIN,
  ORIGIN_SILENT_MS,
  ORIGIN_WORTHWHILE_MS,
  QUEUE_REQUESTS_MIN,
  QUEUE_TARGET_MS,
  RATE_WARMUP_MS,
} from './policy.ts'
import type { Allowance } from './queue.ts'
import { isSuspect, rateOf, workingRate } from './rates.ts'
import type { SessionAction } from './session-events.ts'
import { openRequest, type SessionState } from './session-state.ts'
import { isUseful, type Request, type Source } from './source.ts'

/**
 * `none`: wait for peers. `orphans`: only what no peer has. `crowd`: the same of fellows, in turns. `starved`: one piece,
 * whichever it is, because a large crowd gave none for long. `beside`: peers and origin together. `alone`: peers do not help.
 */
type Role = 'none' | 'orphans' | 'crowd' | 'starved' | 'beside' | 'alone'

export interface OriginInPlay {
  readonly origin: Source
  readonly role: Role
}

/** The origins that may be asked now, in order of preference, and what for. */
export function originsInPlay(state: SessionState, nowMs: number): readonly OriginInPlay[] {
  const inPlay: OriginInPlay[] = []
  let peers: readonly Source[] | undefined
  for (const origin of state.sources.values()) {
    if (origin.kind !== 'origin' || !isUseful(origin, nowMs)) continue
    peers ??= peersOf(state)
    const role = roleOf(state, origin, peers, nowMs)
    inPlay.push({ origin, role })
    if (!needsNext(state, origin, role, nowMs)) break
  }
  return inPlay
}

export function planOrigins(
  state: SessionState,
  nowMs: number,
  allowance: Allowance,
): SessionAction[] {
  const actions: SessionAction[] = []
  if (state.pieces.freeCount === 0) return actions
  for (const { origin, role } of originsInPlay(state, nowMs)) {
    actions.push(...breakOff(state, origin, nowMs))
    while (origin.requests.size < connectionsOf(origin, role) && allowance.mayAsk()) {
      const asked = askOrigin(state, origin, role, nowMs)
      if (asked === undefined) break
      actions.push(asked)
      allowance.take()
    }
  }
  return actions
}

function peersOf(state: SessionState): Source[] {
  return [...state.sources.values()].filter(({ kind }) => kind === 'peer')
}

export function connectionsOf(origin: Source, role: Role): number {
  if (role === 'none') return 0
  if (role === 'crowd' || role === 'starved') return 1
  // Beside peers the first range only shows how fast the origin is.
  if (role === 'beside' && origin.rate === undefined) return 1
  return Math.min(origin.requestsMax, ORIGIN_CONNECTIONS_MAX)
}

function roleOf(
  state: SessionState,
  origin: Source,
  peers: readonly Source[],
  nowMs: number,
): Role {
  const elapsedMs = nowMs - state.startedMs
  const holders = peers.filter(source => isUseful(source, nowMs))
  const fellows = peers.filter(source => isFellow(state, source))
  if (isLargeCrowd(state, peers, fellows.length, nowMs)) {
    state.crowdSinceMs ??= nowMs
    return mayAskForCrowd(state, fellows.length, nowMs) ? 'starved' : 'none'
  }
  if (fellows.length >= CROWD_PEERS_MIN && trustsCrowd(state, origin, fellows.length, nowMs)) {
    return isMyTurn(state, fellows.length, nowMs) ? 'crowd' : 'none'
  }
  if (holders.length === 0) {
    return state.peersExpected && elapsedMs < ORIGIN_DELAY_MS ? 'none' : 'alone'
  }
  if (state.firstPeerBytesMs === undefined) {
    const delayMs = holders.some(({ isLocal }) => isLocal)
      ? ORIGIN_DELAY_MS
      : ORIGIN_DELAY_HOLDER_MS
    if (nowMs - (state.firstAskMs ?? nowMs) >= delayMs) return 'alone'
    return elapsedMs >= ORIGIN_DELAY_MS ? 'orphans' : 'none'
  }
  if (nowMs - state.firstPeerBytesMs < RATE_WARMUP_MS) return 'orphans'
  return helps(state, origin, nowMs)
}

/** Whether the origin makes the end come noticeably sooner than the peers alone. */
function helps(state: SessionState, origin: Source, nowMs: number): Role {
  const peerRate = workingRate(state, nowMs, ({ kind }) => kind === 'peer')
  if (peerRate === 0) return 'alone'
  const peersMs = (state.pieces.missingBytes * 1000) / peerRate
  if (origin.rate === undefined) return peersMs > ORIGIN_WORTHWHILE_MS ? 'beside' : 'orphans'
  if (origin.rate < peerRate * ORIGIN_SHARE_MIN) return 'orphans'
  // Once its connections are there, it is used as long as it can finish another piece in time.
  const pieceMs = (state.pieceSizeBytes * ORIGIN_CONNECTIONS_MAX * 1000) / Math.max(origin.rate, 1)
  const boundMs = origin.receivedBytes > 0 ? pieceMs : ORIGIN_WORTHWHILE_MS
  return peersMs > boundMs ? 'beside' : 'orphans'
}

/** A peer that fetches the blob as well: it will have what it lacks, and it will ask the origin too. */
function isFellow({ pieces }: SessionState, source: Source): boolean {
  const { count } = source.pieces
  return count < pieces.count && (source.isFellow || count > 0)
}

/**
 * A crowd that gives nothing is no crowd, nor one that gives less than the origin would. A large one has longer, because
 * only few of it ask the origin.
 */
function trustsCrowd(state: SessionState, origin: Source, count: number, nowMs: number): boolean {
  if (isEarlyInCrowd(state, count, nowMs)) return true
  let peerRate = 0
  for (const { kind, rate = 0, lastBytesMs } of state.sources.values()) {
    const isRecent = lastBytesMs !== undefined && nowMs - lastBytesMs < CROWD_MEMORY_MS
    if (kind === 'peer' && isRecent) peerRate += rate
  }
  return peerRate > 0 && peerRate >= (origin.rate ?? 0) * CROWD_SHARE_MIN
}

function isEarlyInCrowd(state: SessionState, fellowCount: number, nowMs: number): boolean {
  const patienceMs = ORIGIN_DELAY_HOLDER_MS + fellowCount * CROWD_PATIENCE_MS_PER_PEER
  return nowMs - state.startedMs < patienceMs
}

/**
 * In a small crowd each has its turn now and then. In one that is likely part of a larger one only who starves asks, and
 * after a time of which short ones are exponentially rare: so few begin, however many there are, and what they get
 * reaches the others before their time comes.
 */
function isMyTurn(state: SessionState, fellowCount: number, nowMs: number): boolean {
  if (fellowCount <= CROWD_SMALL_PEERS) return true
  const starves = isStarving(state, nowMs)
  if (!starves && fellowCount >= CROWD_LARGE_PEERS) {
    state.turnAtMs = undefined
    return false
  }
  const rarity = (fellowCount + 1) ** 3
  const waitMs = starves
    ? CROWD_TURN_MS * Math.log2(1 + state.random() * rarity)
    : state.random() * (fellowCount + 1) * CROWD_TURN_MS
  state.turnAtMs ??= nowMs + waitMs
  return nowMs >= state.turnAtMs
}

/** No peer has anything that is not asked for, and next to nothing is on its way. */
function isStarving(state: SessionState, nowMs: number): boolean {
  let openCount = 0
  for (const source of state.sources.values()) {
    if (source.kind !== 'peer') continue
    openCount += source.requests.size
    if (openCount >= QUEUE_REQUESTS_MIN) return false
    if (!isUseful(source, nowMs)) continue
    if (state.pieces.pickRarest(source.pieces, state.startPiece) !== undefined) return false
  }
  return true
}

/** An origin answered: the others of the crowd come next, and longer when it was slow. */
export function passTurn(state: SessionState, { source, askedMs }: Request, nowMs: number): void {
  if (source.kind !== 'origin') return
  noteCrowdTurn(state, nowMs)
  const fellowCount = peersOf(state).filter(peer => isFellow(state, peer)).length
  if (fellowCount <= CROWD_SMALL_PEERS) return
  const turnMs = Math.max(CROWD_TURN_MS, nowMs - askedMs)
  state.turnAtMs = nowMs + 2 * state.random() * (fellowCount + 1) * turnMs
}

function askOrigin(
  state: SessionState,
  origin: Source,
  role: Role,
  nowMs: number,
): SessionAction | undefined {
  const { pieces } = state
  const isForAll = role === 'alone' || role === 'beside'
  if (role === 'orphans' && hasSeed(state, nowMs)) return askFailed(state, origin, nowMs)
  const takesAny = isForAll || role === 'starved' || isProbe(state, origin, nowMs)
  const rarityMax = takesAny ? undefined : 0
  // From the other side of the ring: peers begin at its start.
  const cursor = (state.originPiece ?? startOf(state)) % pieces.count
  const firstPiece = pieces.pickRarest(origin.pieces, cursor, rarityMax)
  if (firstPiece === undefined) return isForAll ? undefined : askFailed(state, origin, nowMs)
  const lengthMax = role === 'starved' ? 1 : rangePieces(state, origin, role, nowMs)
  const pieceCount = Math.max(1, pieces.runLength(firstPiece, lengthMax, rarityMax))
  state.originPiece = firstPiece + pieceCount
  return openRequest(state, origin, { firstPiece, pieceCount }, nowMs)
}

function hasSeed(state: SessionState, nowMs: number): boolean {
  return peersOf(state).some(
    source => source.pieces.count === state.pieces.count && isUseful(source, nowMs),
  )
}

/** One piece shows a node in a crowd that the origin might be better, when the crowd had its time. */
function isProbe(state: SessionState, origin: Source, nowMs: number): boolean {
  const { length } = peersOf(state)
  return (
    length >= CROWD_PEERS_MIN && origin.rate === undefined && !isEarlyInCrowd(state, length, nowMs)
  )
}

function startOf(state: SessionState): number {
  return state.firstAskMs === undefined
    ? state.startPiece
    : state.startPiece + (state.pieces.count >> 1)
}

/** A piece that came wrong, or not at all, from two peers. */
function askFailed(state: SessionState, origin: Source, nowMs: number): SessionAction | undefined {
  for (const pieceIndex of state.failed) {
    if (!state.pieces.isFree(pieceIndex)) continue
    return openRequest(state, origin, { firstPiece: pieceIndex, pieceCount: 1 }, nowMs)
  }
  return undefined
}

/**
 * Pieces of the next range: some seconds of work, and no more than its share of the rest, so that all end together. Less
 * where there are peers, because what they want and have may change at any time.
 */
function rangePieces(state: SessionState, origin: Source, role: Role, nowMs: number): number {
  const perConnection = rateOf(state, origin) / ORIGIN_CONNECTIONS_MAX
  const hasPeers = peersOf(state).length > 0
  const firstBytes = hasPeers ? ORIGIN_RANGE_BYTES_PROBE : ORIGIN_RANGE_BYTES_FIRST
  const workMs = hasPeers ? ORIGIN_WORTHWHILE_MS : QUEUE_TARGET_MS
  const bytes = origin.rate === undefined ? firstBytes : (perConnection * workMs) / 1000
  const pieceCount = Math.floor(Math.min(bytes, ORIGIN_RANGE_BYTES_MAX) / state.pieceSizeBytes)
  return Math.max(1, Math.min(pieceCount, Math.ceil(shareOf(state, origin, role, nowMs))))
}

/** In a crowd so little that seldom two of it take the same. */
function shareOf(state: SessionState, origin: Source, role: Role, nowMs: number): number {
  const { freeCount } = state.pieces
  if (role === 'crowd') {
    const crowdSize = 1 + peersOf(state).filter(source => isFellow(state, source)).length
    return Math.max(1, Math.floor(freeCount / crowdSize / CROWD_RANGES_PER_PEER))
  }
  const rate = rateOf(state, origin)
  const allRate = rate + workingRate(state, nowMs, source => source !== origin)
  return (freeCount * rate) / allRate / ORIGIN_CONNECTIONS_MAX
}

/** Whether the origins up to this one leave enough to do for the next. They are listed by preference. */
function needsNext(state: SessionState, origin: Source, role: Role, nowMs: number): boolean {
  if (role !== 'alone' && role !== 'beside') return false
  const isSilent =
    origin.lastBytesMs === undefined &&
    [...origin.requests].some(({ askedMs }) => nowMs - askedMs > ORIGIN_SILENT_MS)
  if (isSilent || isSuspect(state, origin, nowMs)) return true
  if (origin.rate === undefined || origin.receivedBytes === 0) return false
  const rate = workingRate(state, nowMs, () => true)
  return (state.pieces.missingBytes * 1000) / Math.max(rate, 1) > ORIGIN_NEXT_AFTER_MS
}
