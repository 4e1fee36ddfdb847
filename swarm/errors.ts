/** The codes of everything that the swarm refuses. The table in CONTRIBUTING.md lists them; a test compares. */
import { NodeError } from '../src/core/errors.ts'

/** The blob store could not do what it was asked; what it holds is unchanged. A full disk is a `FileError`. */
export class StoreError extends NodeError<
  | 'STORE_LOCKED'
  | 'STORE_CLOSED'
  | 'INDEX_UNUSABLE'
  | 'PIECE_ABSENT'
  | 'PIECE_LAYER_MISSING'
  | 'PIECE_WORKER_FAILED'
  | 'PIECE_LAYER_MISMATCH'
  | 'BLOB_MISMATCH'
  | 'BLOB_SIZE_CONFLICT'
  | 'BLOB_DAMAGED'
  | 'BLOB_IN_USE'
  | 'META_TOO_LARGE'
  | 'QUOTA_EXCEEDED'
> {}

/** The network side of the swarm could not do what it was asked. */
export class SwarmError extends NodeError<
  | 'MESSAGE_MALFORMED'
  | 'PEER_LEFT'
  | 'PEER_REFUSED'
  | 'BULK_UNREACHABLE'
  | 'ORIGIN_REFUSED'
  | 'ORIGIN_ABSENT'
  | 'ORIGIN_UNREACHABLE'
  | 'IDENTITY_DAMAGED'
  | 'LISTEN_FAILED'
  | 'SWARM_STOPPED'
> {}
