/** How a download session is spoken to and what it answers. */
import type { Bitfield } from '../bitfield.ts'
import type { PieceShape } from './piece-table.ts'

export type SourceKind = 'peer' | 'origin'

export type SessionEvent =
  | {
      /** Said again of a known source, it changes how many requests that one may have. */
      readonly kind: 'joined'
      readonly source: string
      readonly sourceKind: SourceKind
      readonly requestsMax: number
      /** Bytes per second, from earlier transfers. */
      readonly rate: number | undefined
      /** In the same local network: it answers quickly or not at all. */
      readonly isLocal?: boolean
    }
  | { readonly kind: 'left'; readonly source: string }
  | {
      readonly kind: 'holds'
      readonly source: string
      /** A list adds to what was known, the others replace it. */
      readonly pieces: 'all' | 'none' | Bitfield | readonly number[]
    }
  /** The peer fetches this blob itself. */
  | { readonly kind: 'wants'; readonly source: string }
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
  /** Came from a source after it was taken back. */
  | { readonly kind: 'stray'; readonly bytes: number }
  | { readonly kind: 'tick' }

/** Why a request was taken back. */
export type CancelReason =
  /** Another source had the piece first. */
  | 'lost'
  /** A faster source does it instead. */
  | 'moved'
  /** The source sent nothing for too long. */
  | 'stalled'
  /** The source left, or was banned. */
  | 'gone'

export type SessionAction =
  | {
      readonly kind: 'ask'
      readonly request: number
      readonly source: string
      readonly firstPiece: number
      readonly pieceCount: number
    }
  | {
      readonly kind: 'cancel'
      readonly request: number
      readonly source: string
      readonly reason: CancelReason
    }
  | { readonly kind: 'ban'; readonly source: string; readonly pieceIndex: number }

export interface SessionInit extends PieceShape {
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
  /** Bytes that came twice, or in part before their request was taken back. */
  readonly duplicateBytes: number
  /** How long a source works on one piece: mean and mean deviation; `undefined` before the first one. */
  readonly pieceTimeMs: { readonly mean: number; readonly deviation: number } | undefined
  /** Nothing is left to hand out: from here on a tick matters more. */
  readonly isEnding: boolean
  readonly sources: readonly {
    readonly id: string
    /** Bytes per second. */
    readonly rate: number
    readonly receivedBytes: number
  }[]
}
