/** What a running download tells about itself. */
import type { BytesBySource } from '../ports.ts'

export interface DownloadView {
  readonly heldBytes: number
  readonly missingPieceCount: number
  /** Missing pieces that nobody can give at the moment. */
  readonly withoutSourceCount: number
  readonly bytes: BytesBySource
  /** Taken from other blobs of this node. */
  readonly reusedBytes: number
  readonly sources: readonly {
    readonly kind: keyof BytesBySource
    readonly name: string
    readonly verifiedBytes: number
    readonly bytesPerSecond: number
  }[]
}
