/** What is held of a blob, as it is told to a peer and as a peer tells it. Pure. */
import { Bitfield } from '../bitfield.ts'
import { PIECE_COUNT_MAX } from '../limits.ts'
import type { HeldBlob } from '../ports.ts'
import type { Holding } from '../wire.ts'

/** What a peer holds of a blob: everything, or these pieces. */
export type PeerPieces = 'all' | 'none' | Bitfield | readonly number[]

export function holdingOf(blob: HeldBlob | undefined): Holding {
  if (blob === undefined || blob.heldPieceCount === 0) return { kind: 'none' }
  if (blob.isComplete) return { kind: 'all' }
  if (blob.pieceCount > PIECE_COUNT_MAX) return { kind: 'none' }
  const field = new Bitfield(blob.pieceCount)
  for (let index = 0; index < blob.pieceCount; index += 1) {
    if (blob.hasPiece(index)) field.add(index)
  }
  return { kind: 'bitfield', bits: field.bytes }
}

/** `none` when the peer speaks of a blob of another size: its bytes could not be ours. */
export function piecesOf(
  holding: Holding,
  said: { readonly pieceCount: number; readonly expected: number },
): PeerPieces {
  if (holding.kind === 'none' || said.pieceCount !== said.expected) return 'none'
  if (holding.kind === 'all') return 'all'
  if (holding.kind === 'pieces') return holding.indexes
  return Bitfield.parse(said.expected, holding.bits) ?? 'none'
}
