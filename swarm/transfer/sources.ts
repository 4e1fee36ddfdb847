/** What a download needs of the swarm around it. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { Log } from '../../src/core/log.ts'
import type { Origin } from '../origin/origin.ts'
import type { PeerLink } from '../peers/link.ts'
import type { PieceMemory } from '../piece-memory.ts'
import type { BytesBySource, HeldBlob } from '../ports.ts'
import type { ReuseDeps } from '../reuse/reuse.ts'
import type { Trace } from '../trace.ts'

/** A piece or a piece layer that does not belong to the blob, and who sent it. */
export interface Refusal {
  readonly digest: Digest
  /** `undefined`: the piece layer. */
  readonly pieceIndex: number | undefined
  readonly source: keyof BytesBySource
  /** The peer id or the base URL. */
  readonly name: string
}

/** What a download asks of a peer. */
export type PeerSource = Pick<
  PeerLink,
  | 'peerId'
  | 'requestsMax'
  | 'scope'
  | 'request'
  | 'requestLayer'
  | 'watch'
  | 'askAgain'
  | 'asksFor'
  | 'strayBytes'
>

export interface PeerDirectory {
  list(): readonly PeerSource[]
  /** Called for each later arrival and departure, until undone. */
  onChange(listener: (change: 'joined' | 'left', link: PeerSource) => void): () => void
}

/** Memory for bytes that were asked for and are not yet written, shared by all downloads. */
export interface MemoryBudget {
  leftBytes(): number
  take(bytes: number): void
  give(bytes: number): void
}

export interface DownloadDeps {
  readonly clock: Clock
  readonly log: Log
  readonly peers: PeerDirectory
  readonly origins: readonly Origin[]
  readonly budget: MemoryBudget
  /** Where pieces lie until they are written. */
  readonly memory: PieceMemory
  /** Bytes per second that a source gave last time, by `peer:<id>` or `origin:<url>`. */
  readonly rates: Map<string, number>
  readonly random: () => number
  readonly trace: Trace
  /** Where blobs are that this one may have bytes in common with. */
  readonly store: ReuseDeps['store']
  /** Those it probably grew out of. */
  readonly similar: readonly Digest[]
  /** Verified bytes came in. */
  onVerified(source: keyof BytesBySource, name: string, bytes: number): void
  /** Wrong bytes came in: names the source, and bans it when it is a peer. */
  onRefused(refusal: Refusal): void
  /** New pieces can be offered to peers. */
  onPieces(blob: HeldBlob, pieceIndexes: readonly number[]): void
  /** Nobody seems to have what is missing: look for more peers. */
  seekPeers(): void
  /** It waits for a source, perhaps for days: others need not wait for it. */
  onStuck(): void
}
