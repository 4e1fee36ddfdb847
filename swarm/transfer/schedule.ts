/** Hands out work: lets the origins in, fills the queue of each peer, then sees to what is late. Pure. */
import { takeOver } from './late-pieces.ts'
import { planOrigins } from './origins.ts'
import { RANDOM_PIECES_FIRST, SLOW_SHARE } from './policy.ts'
import { type Allowance, wantsMore } from './queue.ts'
import { isSuspect, meanRate, queueMs, workingRate } from './rates.ts'
import type { SessionAction } from './session-events.ts'
import { openRequest, type SessionState } from './session-state.ts'
import { isUseful, type Source } from './source.ts'

/** New requests within `budgetBytes`. A negative budget: none, because there is no room or nothing can be verified. */
export function planRequests(
  state: SessionState,
  nowMs: number,
  budgetBytes: number,
): SessionAction[] {
  if (budgetBytes < 0 || state.pieces.isComplete) return []
  const allowance = allow(state, budgetBytes)
  return [
    // Their few connections come first: the queues of fast peers would take the whole budget.
    ...planOrigins(state, nowMs, allowance),
    ...fillPeers(state, nowMs, allowance),
    ...takeOver(state, nowMs, allowance),
  ]
}

/** The same when one peer has something new: only it may have something to do that it had not before. */
export function planRequestsOf(
  state: SessionState,
  source: Source,
  nowMs: number,
  budgetBytes: number,
): SessionAction[] {
  const actions: SessionAction[] = []
  if (budgetBytes < 0 || !isHungry(state, source, nowMs)) return actions
  if (source.rate !== undefined) {
    const allRate = workingRate(state, nowMs, () => true)
    if (wouldBeTooLate(state, source, allRate)) return actions
  }
  const allowance = allow(state, budgetBytes)
  while (allowance.mayAsk() && wantsMore(state, source)) {
    const firstPiece = pickPiece(state, source)
    if (firstPiece === undefined) break
    actions.push(openRequest(state, source, { firstPiece, pieceCount: 1 }, nowMs))
    allowance.take()
  }
  return actions
}

function allow(state: SessionState, budgetBytes: number): Allowance {
  let leftBytes = budgetBytes
  return {
    mayAsk: () => leftBytes >= state.pieceSizeBytes || state.requests.size === 0,
    take() {
      leftBytes -= state.pieceSizeBytes
    },
  }
}

function fillPeers(state: SessionState, nowMs: number, allowance: Allowance): SessionAction[] {
  const actions: SessionAction[] = []
  const hungry = hungryPeers(state, nowMs)
  while (hungry.size > 0 && allowance.mayAsk()) {
    const source = leastLoaded(state, hungry)
    const pieceIndex = wantsMore(state, source) ? pickPiece(state, source) : undefined
    if (pieceIndex === undefined) {
      hungry.delete(source)
      continue
    }
    actions.push(openRequest(state, source, { firstPiece: pieceIndex, pieceCount: 1 }, nowMs))
    allowance.take()
  }
  return actions
}

function hungryPeers(state: SessionState, nowMs: number): Set<Source> {
  const hungry = new Set<Source>()
  if (state.pieces.freeCount === 0) return hungry
  let allRate: number | undefined
  for (const source of state.sources.values()) {
    if (!isHungry(state, source, nowMs)) continue
    allRate ??= workingRate(state, nowMs, () => true)
    if (!wouldBeTooLate(state, source, allRate)) hungry.add(source)
  }
  return hungry
}

function isHungry(state: SessionState, source: Source, nowMs: number): boolean {
  if (source.kind !== 'peer' || !isUseful(source, nowMs)) return false
  if (source.nothingFreeAt === state.pieces.version || !wantsMore(state, source)) return false
  return !isSuspect(state, source, nowMs)
}

/** The source with the least work per unit of speed. */
function leastLoaded(state: SessionState, sources: ReadonlySet<Source>): Source {
  let best: Source | undefined
  let leastMs = Number.POSITIVE_INFINITY
  for (const source of sources) {
    const loadMs = queueMs(state, source, 0)
    if (best !== undefined && loadMs >= leastMs) continue
    best = source
    leastMs = loadMs
  }
  if (best === undefined) throw new RangeError('no sources')
  return best
}

/**
 * Random at first; then the rarest, from this node's own place on. A slow source begins far behind that place: by the time
 * the others come there it has finished, or what it has not begun is taken over.
 */
function pickPiece(state: SessionState, source: Source): number | undefined {
  const { pieces } = state
  const isEarly = state.askedCount < RANDOM_PIECES_FIRST
  let start = isEarly ? Math.floor(state.random() * pieces.count) : state.startPiece
  if (!isEarly && isSlow(state, source)) {
    start = (start + Math.floor(pieces.count * 0.75)) % pieces.count
  }
  const pieceIndex = pieces.pickRarest(source.pieces, start)
  if (pieceIndex === undefined) source.nothingFreeAt = pieces.version
  return pieceIndex
}

function isSlow(state: SessionState, { rate }: Source): boolean {
  const mean = meanRate(state)
  return rate !== undefined && mean !== undefined && rate < mean * SLOW_SHARE
}

/** True when the others will have finished everything before this source has finished one more piece. */
function wouldBeTooLate(state: SessionState, source: Source, allRate: number): boolean {
  if (source.rate === undefined) return false
  const ownRate = source.requests.size === 0 ? 0 : source.rate
  const restMs = (state.pieces.missingBytes * 1000) / Math.max(allRate - ownRate, 1)
  return queueMs(state, source, state.pieceSizeBytes) > restMs
}
