/** Carries one request of a session to its source and turns what comes back into pieces. */
import { codeOf, messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import type { Origin } from '../origin/origin.ts'
import type { Answer } from '../peers/requests.ts'
import type { PieceMemory } from '../piece-memory.ts'
import type { HeldBlob } from '../ports.ts'
import { PieceIntake } from './piece-intake.ts'
import type { SessionAction, SessionEvent } from './session.ts'
import type { PeerSource } from './sources.ts'

export type Ask = SessionAction & { kind: 'ask' }

export interface Asking {
  readonly blob: HeldBlob
  readonly log: Log
  onReceived(request: number, bytes: number): void
  /** Where pieces lie until they are written. */
  readonly memory: PieceMemory
  /** Verifies and stores a piece. Rejects when the store cannot keep it. */
  keep(request: number, pieceIndex: number, bytes: Uint8Array): Promise<SessionEvent>
  onEvent(event: SessionEvent): void
}

/** The event that ends the request; `undefined` when it was cancelled. Rejects when the store fails. */
export async function askPeer(
  asking: Asking,
  link: PeerSource,
  { request, firstPiece }: Ask,
  signal: AbortSignal,
): Promise<SessionEvent | undefined> {
  const { digest, sizeBytes, pieceSizeBytes } = asking.blob
  const offset = firstPiece * pieceSizeBytes
  const length = Math.min(pieceSizeBytes, sizeBytes - offset)
  const onBytes = (bytes: number): void => asking.onReceived(request, bytes)
  const answer = await link.request({ digest, offset, length }, { signal, onBytes })
  if (answer.kind !== 'bytes') return endOf(request, answer)
  try {
    return await asking.keep(request, firstPiece, answer.bytes)
  } finally {
    asking.memory.give(answer.bytes)
  }
}

function endOf(
  request: number,
  answer: Exclude<Answer, { kind: 'bytes' }>,
): SessionEvent | undefined {
  if (answer.kind === 'cancelled') return undefined
  if (answer.kind === 'left') return { kind: 'ended', request, outcome: 'failed' }
  if (answer.reason === 'limit') {
    return { kind: 'ended', request, outcome: 'busy', retryAfterMs: answer.retryAfterMs }
  }
  const isAbsent = answer.reason === 'not-found' || answer.reason === 'denied'
  return { kind: 'ended', request, outcome: isAbsent ? 'absent' : 'failed' }
}

/**
 * As `askPeer`, for a run of pieces: each one is kept as soon as it is complete, while the next one already comes in, so
 * that the connection does not idle.
 */
export async function askOrigin(
  asking: Asking,
  origin: Origin,
  ask: Ask,
  signal: AbortSignal,
): Promise<SessionEvent | undefined> {
  const { digest, sizeBytes, pieceSizeBytes } = asking.blob
  const { request, firstPiece } = ask
  const offset = firstPiece * pieceSizeBytes
  const length = Math.min(ask.pieceCount * pieceSizeBytes, sizeBytes - offset)
  const intake = new PieceIntake(
    {
      memory: asking.memory,
      keep: (pieceIndex, piece) => keepPiece(asking, request, pieceIndex, piece),
      onBytes: count => asking.onReceived(request, count),
    },
    { firstPiece, pieceSizeBytes, lengthBytes: length },
  )
  let failure: unknown
  try {
    await origin.fetchRange({ digest, sizeBytes, offset, length }, intake, signal)
  } catch (error) {
    failure = error
  }
  // What the store refused is not the origin's fault, and is thrown here.
  await intake.close()
  if (signal.aborted) return undefined
  return failure === undefined
    ? { kind: 'ended', request, outcome: 'done' }
    : endOfOrigin(asking, origin, request, failure)
}

async function keepPiece(
  asking: Asking,
  request: number,
  pieceIndex: number,
  piece: Uint8Array,
): Promise<void> {
  try {
    asking.onEvent(await asking.keep(request, pieceIndex, piece))
  } finally {
    asking.memory.give(piece)
  }
}

function endOfOrigin(
  { blob: { digest }, log }: Asking,
  { url }: Origin,
  request: number,
  error: unknown,
): SessionEvent {
  const fields = { url, digest, reason: messageOf(error) }
  // An origin that is away or does not have it is daily life; one that answers wrongly is for its owner to mend.
  if (codeOf(error) === 'ORIGIN_REFUSED') log.warn('origin answer refused', fields)
  else log.debug('origin failed', fields)
  const isAbsent = codeOf(error) === 'ORIGIN_ABSENT'
  return { kind: 'ended', request, outcome: isAbsent ? 'absent' : 'failed' }
}
