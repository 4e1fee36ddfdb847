/**
 * A crowd of which a node sees only a part: everybody around it wants the blob and hardly anybody has it. Each node waits for
 * the others for a time drawn so that few of however many ask the origin first; what they get spreads, and the rest never
 * asks. Pure.
 */
import {
  CROWD_LARGE_MS_MAX,
  CROWD_LARGE_PEERS,
  CROWD_NODES_MAX,
  CROWD_WAIT_MS,
  CROWD_WAIT_MS_PER_PEER,
} from './policy.ts'
import type { SessionAction } from './session-events.ts'
import { cancel, lastOf, type SessionState, trim } from './session-state.ts'
import type { Request, Source } from './source.ts'

/** Peers that fetch the blob as well, and those that have not begun with it. */
export function isLargeCrowd(
  state: SessionState,
  peers: readonly Source[],
  fellowCount: number,
  nowMs: number,
): boolean {
  if (fellowCount === 0 || nowMs - state.startedMs > CROWD_LARGE_MS_MAX) return false
  let seedCount = 0
  for (const { pieces } of peers) if (pieces.count === state.pieces.count) seedCount += 1
  return peers.length - seedCount >= CROWD_LARGE_PEERS
}

/**
 * How long a node with so many fellows waits for news before it asks the origin: mostly about the longest time, and with each
 * part of it less, exponentially fewer nodes. Of a crowd of any size up to `CROWD_NODES_MAX` only some ask at first.
 * `draw`: in [0, 1).
 */
export function crowdWaitMs(fellowCount: number, draw: number): number {
  const longestMs = CROWD_WAIT_MS + fellowCount * CROWD_WAIT_MS_PER_PEER
  const share = 1 + Math.log(Math.max(draw, 1 / CROWD_NODES_MAX)) / Math.log(CROWD_NODES_MAX)
  return longestMs * share
}

/** Whether nothing has come for so long that this node asks the origin for one more piece. */
export function mayAskForCrowd(state: SessionState, fellowCount: number, nowMs: number): boolean {
  state.crowdDraw ??= state.random()
  const waitMs = crowdWaitMs(fellowCount, state.crowdDraw)
  const bytesMs = Math.max(state.startedMs, state.crowdTurnMs, state.lastPeerBytesMs ?? 0)
  // Pieces that others got are on their way here, but not for ever.
  const newsMs = Math.min(state.newsMs, bytesMs + 2 * waitMs)
  return nowMs - Math.max(bytesMs, newsMs) >= waitMs
}

/** The origin gave this node a piece: the next one is for somebody else. */
export function noteCrowdTurn(state: SessionState, nowMs: number): void {
  state.crowdDraw = undefined
  state.crowdTurnMs = nowMs
}

/**
 * What the origin was asked for before the crowd was there: a range ends with the piece that it is at, and what has not begun
 * to come is taken back.
 */
export function breakOff(state: SessionState, origin: Source, nowMs: number): SessionAction[] {
  const { crowdSinceMs } = state
  const actions: SessionAction[] = []
  if (crowdSinceMs === undefined) return actions
  for (const request of [...origin.requests]) {
    if (request.askedMs > crowdSinceMs) continue
    if (request.receivedBytes === 0) actions.push(cancel(state, request, 'moved', nowMs))
    else shorten(state, request)
  }
  return actions
}

function shorten(state: SessionState, request: Request): void {
  const atPiece = request.firstPiece + Math.floor(request.receivedBytes / state.pieceSizeBytes)
  for (let last = lastOf(request.pending); last !== undefined && last > atPiece; ) {
    trim(state, request, last)
    last = lastOf(request.pending)
  }
}
