/** Which blobs of a peer are watched, and who is told what it says of them. */
import type { Digest } from '../../src/core/digest.ts'
import { HOLDINGS_PER_PEER_MAX } from '../discovery/limits.ts'
import type { Message } from '../wire.ts'
import { type PeerPieces, piecesOf } from './holding.ts'

export type OnHolding = (pieces: PeerPieces) => void

export interface Watches {
  /** Until undone; a second watch of the same blob takes the place of the first. */
  add(digest: Digest, pieceCount: number, onChange: OnHolding): () => void
  /** The peer said that it holds some of the blob, and did not take that back. */
  holds(digest: Digest): boolean
  /** Tells whoever watches the blob. True when the peer has some of it, and somebody wants it. */
  note(message: Message & { kind: 'have' }): boolean
}

export function createWatches(): Watches {
  const watched = new Map<Digest, { readonly pieceCount: number; readonly onChange: OnHolding }>()
  const held = new Set<Digest>()
  return {
    holds: digest => held.has(digest),
    add(digest, pieceCount, onChange) {
      watched.set(digest, { pieceCount, onChange })
      return () => watched.delete(digest)
    },
    note({ digest, pieceCount, holding }) {
      if (holding.kind === 'none') held.delete(digest)
      else if (held.size < HOLDINGS_PER_PEER_MAX) held.add(digest)
      const watch = watched.get(digest)
      if (watch === undefined) return false
      const pieces = piecesOf(holding, { pieceCount, expected: watch.pieceCount })
      watch.onChange(pieces)
      return pieces !== 'none'
    },
  }
}
