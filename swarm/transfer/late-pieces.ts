/**
 * Gives idle sources something to do when all pieces are asked for: what a slower source has not begun is moved to them,
 * and what is late is asked for twice, within a bound of bytes. Pure.
 */
import { connectionsOf, originsInPlay } from './origins.ts'
import {
  DUPLICATE_SHARE_MAX,
  LATE_MS_MIN,
  LOST_MS,
  MOVE_GAIN_MS_MIN,
  MOVE_NEXT_GAIN,
  ORIGIN_DELAY_HOLDER_MS,
  QUEUE_REQUESTS_MIN,
  SEARCH_INTERVAL_MS,
  TAKE_OVER_GAIN,
} from './policy.ts'
import { type Allowance, wantsMore } from './queue.ts'
import { isSuspect, lateMs, queueMs, rateOf, silentMs } from './rates.ts'
import type { SessionAction } from './session-events.ts'
import {
  cancel,
  currentPiece,
  foresee,
  lastOf,
  lostBytes,
  openRequest,
  type SessionState,
  trim,
} from './session-state.ts'
import { isUseful, type Request, type Source } from './source.ts'

/** A piece that somebody else might have sooner. */
interface Prey {
  readonly request: Request
  readonly pieceIndex: number
  /** `move`: its source has not begun it. `copy`: it has, and keeps it. */
  readonly how: 'move' | 'copy'
  /** When its source will be through with it, as far as known. */
  readonly etaMs: number
  readonly isSuspect: boolean
  /** Its source comes to it next, or soon. */
  readonly isNext: boolean
}

interface Thief {
  readonly source: Source
  readonly requestsMax: number
  /** An origin beside good peers only helps where a peer fell silent. */
  readonly suspectsOnly: boolean
  /** In a crowd it leaves alone what a fellow has. */
  readonly orphansOnly: boolean
}

export function takeOver(
  state: SessionState,
  nowMs: number,
  allowance: Allowance,
): SessionAction[] {
  const actions: SessionAction[] = []
  if (state.requests.size === 0 || nowMs < state.searchAtMs) return actions
  const thieves = idleSources(state, nowMs)
  if (thieves.length === 0) return actions
  const prey = preyOf(state, nowMs)
  for (const thief of thieves) {
    while (allowance.mayAsk() && hasRoom(state, thief.source, thief.requestsMax)) {
      const best = bestFor(state, thief, prey)
      if (best === undefined) break
      prey.splice(prey.indexOf(best), 1)
      actions.push(...take(state, thief.source, best, nowMs))
      allowance.take()
    }
  }
  // While pieces are free this only matters to peers that hold few of them.
  const factor = state.pieces.freeCount === 0 ? 1 : 10
  if (actions.length === 0) state.searchAtMs = nowMs + SEARCH_INTERVAL_MS * factor
  return actions
}

function idleSources(state: SessionState, nowMs: number): Thief[] {
  const thieves: Thief[] = []
  for (const source of state.sources.values()) {
    if (
      source.kind !== 'peer' ||
      !isUseful(source, nowMs) ||
      !hasRoom(state, source, QUEUE_REQUESTS_MIN)
    )
      continue
    if (!hasNothingFree(state, source) || isSuspect(state, source, nowMs)) continue
    thieves.push({
      source,
      requestsMax: QUEUE_REQUESTS_MIN,
      suspectsOnly: false,
      orphansOnly: false,
    })
  }
  for (const { origin, role } of originsInPlay(state, nowMs)) {
    const requestsMax = connectionsOf(origin, role)
    if (!hasRoom(state, origin, requestsMax) || isSuspect(state, origin, nowMs)) continue
    const suspectsOnly = role === 'orphans' || role === 'crowd'
    thieves.push({ source: origin, requestsMax, suspectsOnly, orphansOnly: role === 'crowd' })
  }
  return thieves.sort((a, b) => rateOf(state, b.source) - rateOf(state, a.source))
}

function hasNothingFree({ pieces }: SessionState, source: Source): boolean {
  return pieces.freeCount === 0 || source.nothingFreeAt === pieces.version
}

function hasRoom(state: SessionState, source: Source, requestsMax: number): boolean {
  if (source.requests.size >= requestsMax) return false
  return source.kind === 'origin' || wantsMore(state, source)
}

function preyOf(state: SessionState, nowMs: number): Prey[] {
  const prey: Prey[] = []
  for (const source of state.sources.values()) {
    if (source.requests.size === 0) continue
    const suspect = isSuspect(state, source, nowMs)
    const bytesPerMs = rateOf(state, source) / 1000
    let owedBytes = 0
    let waitingCount = 0
    for (const request of source.requests) {
      owedBytes += Math.max(0, request.totalBytes - request.receivedBytes)
      const found = preyIn(state, request, nowMs)
      const isSilent = found?.how === 'copy' && hasFallenSilent(state, request, nowMs)
      const hasStopped = suspect || isSilent
      const etaMs = hasStopped ? Number.POSITIVE_INFINITY : owedBytes / bytesPerMs
      if (request.startMs === undefined) waitingCount += 1
      const beforeBytes = owedBytes - (request.totalBytes - request.receivedBytes)
      const isNext = waitingCount === 1 || beforeBytes < bytesPerMs * LOST_MS
      if (found !== undefined)
        prey.push({ request, ...found, etaMs, isSuspect: hasStopped, isNext })
    }
  }
  return prey
}

function preyIn(
  state: SessionState,
  request: Request,
  nowMs: number,
): Pick<Prey, 'pieceIndex' | 'how'> | undefined {
  const current = currentPiece(state, request)
  if (current === undefined) return undefined
  if (request.startMs === undefined) {
    return state.pieces.askerCount(current) === 1 ? { pieceIndex: current, how: 'move' } : undefined
  }
  const last = lastOf(request.pending)
  if (last !== undefined && last > current) {
    return state.pieces.askerCount(last) === 1 ? { pieceIndex: last, how: 'move' } : undefined
  }
  if (!request.pending.has(current) || state.pieces.freeCount > 0) return undefined
  const isLast = isLastRound(state) && state.pieces.askerCount(current) === 1
  if (!isLast && !isLate(state, request, current, nowMs)) return undefined
  return { pieceIndex: current, how: 'copy' }
}

/**
 * One more source for each multiple of the time after which a piece is late; sooner for one that fell silent; and at the
 * very end any piece that an idle peer can try as well.
 */
function isLate(state: SessionState, request: Request, pieceIndex: number, nowMs: number): boolean {
  const askers = state.pieces.askerCount(pieceIndex)
  const boundMs = Math.max(lateMs(state) ?? ORIGIN_DELAY_HOLDER_MS, LATE_MS_MIN)
  if (nowMs - (request.startMs ?? nowMs) >= boundMs * askers) return true
  return askers === 1 && hasFallenSilent(state, request, nowMs)
}

/** At the end, when all is asked for, a piece time without a byte is enough to look for somebody else. */
function hasFallenSilent(state: SessionState, request: Request, nowMs: number): boolean {
  if (state.pieces.freeCount > 0 || state.pieceTimeMs === undefined) return false
  const { mean, deviation } = state.pieceTimeMs
  const boundMs = Math.max(mean + deviation / 2, LATE_MS_MIN)
  return silentMs(request.source, request, nowMs) >= boundMs
}

/** At most one piece for each source is left: whoever is idle may try one of them as well. */
function isLastRound({ pieces, sources }: SessionState): boolean {
  return pieces.freeCount === 0 && pieces.count - pieces.held.count <= sources.size
}

function bestFor(
  state: SessionState,
  { source, suspectsOnly, orphansOnly }: Thief,
  prey: readonly Prey[],
): Prey | undefined {
  let best: Prey | undefined
  const ownMs = queueMs(state, source, state.pieceSizeBytes)
  for (const each of prey) {
    if (each.request.source === source || !source.pieces.has(each.pieceIndex)) continue
    if (suspectsOnly && !each.isSuspect) continue
    if (orphansOnly && state.pieces.holderCount(each.pieceIndex) > 0) continue
    if (!isWorthwhile(each, ownMs) && !isFreeTry(state, source, each)) continue
    if (best !== undefined && each.etaMs <= best.etaMs) continue
    if (each.how === 'copy' && !mayCopy(state, source, each)) continue
    if (each.how === 'move' && !fitsBound(state, movedBytes(state, each), 1)) continue
    best = each
  }
  return best
}

/**
 * Taking over must save time: what is next in line at a source that works may be on its way already, so that it would come
 * twice.
 */
function isWorthwhile({ how, etaMs, isNext }: Prey, ownMs: number): boolean {
  if (how === 'copy') return ownMs <= etaMs * TAKE_OVER_GAIN
  const factor = isNext ? MOVE_NEXT_GAIN : 1
  return etaMs - ownMs >= Math.max(MOVE_GAIN_MS_MIN, ownMs * (1 - TAKE_OVER_GAIN)) * factor
}

/**
 * Nobody knows yet whether the last pieces come: a peer that would else do nothing asks for one of them at once, when it
 * is not slower than pieces usually are. This costs bytes where all is well, so it may use half of the bound only.
 */
function isFreeTry(state: SessionState, source: Source, prey: Prey): boolean {
  if (prey.how !== 'copy' || source.kind !== 'peer' || !isLastRound(state)) return false
  const { mean, deviation } = state.pieceTimeMs ?? { mean: 0, deviation: 0 }
  if (queueMs(state, source, state.pieceSizeBytes) > mean + 2 * deviation) return false
  return fitsBound(state, riskOf(state, source, prey), 0.5)
}

function mayCopy(state: SessionState, source: Source, prey: Prey): boolean {
  for (const { pending } of source.requests) if (pending.has(prey.pieceIndex)) return false
  return fitsBound(state, riskOf(state, source, prey), 1)
}

/** What is next in line at a source that works is read from its disk, and perhaps on its way already. */
function movedBytes(state: SessionState, prey: Prey): number {
  const { request, pieceIndex, isNext, isSuspect: suspect } = prey
  const { lastBytesMs, rate = 0, kind } = request.source
  if (!isNext || suspect || kind === 'origin' || lastBytesMs === undefined) return 0
  return Math.min(state.pieces.bytesOf(pieceIndex), (rate * LOST_MS) / 1000)
}

function fitsBound(state: SessionState, riskBytes: number, share: number): boolean {
  const sizeBytes = state.pieces.heldBytes + state.pieces.missingBytes
  const boundBytes = Math.max(state.pieceSizeBytes, sizeBytes * DUPLICATE_SHARE_MAX)
  return state.duplicateBytes + state.riskBytes + riskBytes <= boundBytes * share
}

/** What the source that has it now will have sent in vain when the other one is through. */
function riskOf(state: SessionState, thief: Source, prey: Prey): number {
  const { request, pieceIndex, isSuspect: suspect } = prey
  const meanwhileMs = queueMs(state, thief, state.pieceSizeBytes)
  const moreBytes = suspect ? 0 : ((request.source.rate ?? 0) * meanwhileMs) / 1000
  return Math.min(lostBytes(state, request) + moreBytes, state.pieces.bytesOf(pieceIndex))
}

function take(state: SessionState, thief: Source, prey: Prey, nowMs: number): SessionAction[] {
  const { request, pieceIndex, how } = prey
  const range = { firstPiece: pieceIndex, pieceCount: 1 }
  if (how === 'copy') {
    const riskBytes = riskOf(state, thief, prey)
    return [openRequest(state, thief, { ...range, riskBytes }, nowMs)]
  }
  if (request.pieceCount > 1) {
    trim(state, request, pieceIndex)
    return [openRequest(state, thief, range, nowMs)]
  }
  foresee(state, movedBytes(state, prey))
  return [cancel(state, request, 'moved', nowMs), openRequest(state, thief, range, nowMs)]
}
