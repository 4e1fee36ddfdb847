/** What the swarm tells about itself, for people and for metrics. */
import type { Digest } from '../src/core/digest.ts'
import type { Ban } from './bans.ts'
import type { HowFound } from './discovery/found.ts'
import type { BlobId, BytesBySource } from './ports.ts'
import type { Scope } from './scope.ts'
import type { Misbehaviour } from './serving/conduct.ts'
import type { Terms } from './serving/policy.ts'
import type { ServingStatus } from './serving/serving.ts'

export interface TransferProgress extends BlobId {
  readonly heldBytes: number
}

export interface TransferStatus extends TransferProgress {
  readonly release: Digest
  readonly missingPieceCount: number
  /** Missing pieces that nobody can give at the moment. */
  readonly withoutSourceCount: number
  /** Received and verified by this transfer. */
  readonly bytes: BytesBySource
  /** Taken from other blobs of this node. */
  readonly reusedBytes: number
  readonly sources: readonly {
    readonly kind: keyof BytesBySource
    /** Peer id or base URL. */
    readonly name: string
    readonly verifiedBytes: number
    readonly bytesPerSecond: number
  }[]
}

export interface PeerStatus {
  readonly peerId: string
  readonly address: string
  readonly scope: Scope
  readonly found: HowFound
  /** Since the connection was made; control messages included. */
  readonly receivedBytes: number
  /** Of the received ones, over a bulk channel. */
  readonly receivedBulkBytes: number
  readonly servedBytes: number
  /** What this peer gets from us, under which limit, and why. */
  readonly terms: Terms
}

export interface SwarmStatus {
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly peers: readonly PeerStatus[]
  /** Whom this node serves, and the limits in force. */
  readonly serving: ServingStatus
  /** Running fetches. */
  readonly transfers: readonly TransferStatus[]
  /** Over all runs of this node. */
  readonly totals: BytesBySource
  readonly bans: readonly Ban[]
  /** What peers did wrong in this run; the 1,024 that did last. */
  readonly misbehaviour: readonly Misbehaviour[]
}
