/** Finds the pieces that two blobs have in common at the same place, by their piece layers alone. Pure. */
import { pieceLayerLengthOf, pieceSizeOf, raisePieceLayer } from '../../src/core/blake3/index.ts'

const VALUE_BYTES = 32

export interface Layered {
  readonly sizeBytes: number
  /** The verified piece layer. */
  readonly layer: Uint8Array
}

/**
 * Indexes of the pieces of `target` that `other` has at the same offset. A chaining value stands for its bytes and for
 * their place, so equal values are equal bytes. Smaller pieces of `other` are folded together first; larger ones cannot
 * be taken apart.
 */
export function samePlaces(target: Layered, other: Layered): readonly number[] {
  const pieceSizeBytes = pieceSizeOf(target.sizeBytes)
  if (pieceSizeOf(other.sizeBytes) > pieceSizeBytes) return []
  if (other.layer.byteLength !== pieceLayerLengthOf(other.sizeBytes)) return []
  const ours = Buffer.from(target.layer.buffer, target.layer.byteOffset, target.layer.byteLength)
  const theirs = Buffer.from(raisePieceLayer(other.layer, other.sizeBytes, pieceSizeBytes))
  const found: number[] = []
  for (let at = 0; at < Math.min(ours.length, theirs.length); at += VALUE_BYTES) {
    const end = at + VALUE_BYTES
    if (ours.compare(theirs, at, end, at, end) === 0) found.push(at / VALUE_BYTES)
  }
  return found
}
