/** What can be told afterwards of one fetch: who gave what, what went wrong, and where the time went. */
import type { BlobId, BytesBySource } from './ports.ts'

/** Times are milliseconds since the fetch began, unless they say otherwise. */
export interface Explanation extends BlobId {
  /** Milliseconds since the Unix epoch. */
  readonly startedMs: number
  readonly outcome: 'running' | 'done' | 'ended'
  /** Why it ended without the blob. */
  readonly reason: string | undefined
  /** So far, or in all. */
  readonly durationMs: number
  /** Of it, before its turn came among the other blobs. */
  readonly queuedMs: number
  /** Of it, while pieces were missing and nobody was asked for one. */
  readonly idleMs: number
  readonly pieceCount: number
  readonly pieceSizeBytes: number
  readonly heldPieceCountAtStart: number
  readonly milestones: Milestones
  /** Taken from other blobs of this node. */
  readonly reusedBytes: number
  /** Bytes that came twice, or in part for a request that another source won. */
  readonly duplicateBytes: number
  /** How long one source works on one piece. */
  readonly pieceTimeMs: { readonly mean: number; readonly deviation: number } | undefined
  readonly sources: readonly SourceStory[]
  /** The longest times without a new piece. */
  readonly gaps: readonly Gap[]
  /** What went wrong or was decided, in order; of many, the first and the last. */
  readonly moments: readonly Moment[]
}

export interface Milestones {
  readonly layer?: {
    readonly atMs: number
    readonly source: keyof BytesBySource
    readonly name: string
  }
  readonly firstAskMs?: number
  readonly firstBytesMs?: number
  /** From here on nothing was left to hand out. */
  readonly allAskedMs?: number
  readonly lastPieceMs?: number
}

export interface SourceStory {
  readonly kind: keyof BytesBySource
  /** Peer id or base URL. */
  readonly name: string
  /** The pieces that came from it, such as `0-12,15`; ends with `…` when there are more ranges than are kept. */
  readonly pieces: string
  readonly pieceCount: number
  readonly verifiedBytes: number
  readonly receivedBytes: number
  /** How long it had something to do. */
  readonly busyMs: number
  readonly askCount: number
  readonly firstAskMs: number | undefined
  readonly firstBytesMs: number | undefined
  readonly troubles: Readonly<Partial<Record<Trouble, number>>>
}

/** `busy`: it said come later. `absent`: it lacks the piece. `wrong`: false bytes. The others are the session's words. */
export type Trouble = 'busy' | 'absent' | 'failed' | 'wrong' | 'stalled' | 'lost' | 'moved' | 'gone'

export interface Gap {
  readonly fromMs: number
  readonly durationMs: number
  /** Who owed a piece at its end. */
  readonly owing: readonly string[]
}

export interface Moment {
  readonly atMs: number
  readonly what: 'joined' | 'left' | Trouble | 'copied'
  readonly name: string
  readonly pieceIndex: number | undefined
}
