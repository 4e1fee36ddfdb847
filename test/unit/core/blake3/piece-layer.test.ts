/** Checks what piece layers and pieces accept and refuse. */
import { expect } from 'chai'
import {
  createPieceLayerBuilder,
  foldPieceLayer,
  isPiece,
  layerEntry,
  pieceChainingValue,
  pieceLengthOf,
} from '../../../../src/core/blake3/index.ts'
import { digestBytes, digestOf } from '../../../../src/core/digest.ts'
import { codeOf } from '../../../../src/core/errors.ts'
import { bytesOf } from '../../../support/bytes.ts'

const SIZE_BYTES = 700_000
const blob = bytesOf(SIZE_BYTES, 1)
const layer = createPieceLayerBuilder(SIZE_BYTES).update(blob).finish().layer ?? new Uint8Array()

function pieceOf(pieceIndex: number): Uint8Array {
  return blob.slice(
    pieceIndex * 262_144,
    pieceIndex * 262_144 + pieceLengthOf(SIZE_BYTES, pieceIndex),
  )
}

function codeThrownBy(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return codeOf(error)
  }
  return undefined
}

describe('piece layer', () => {
  it('holds the chaining value of each piece, the ragged last one too', () => {
    for (const pieceIndex of [0, 1, 2]) {
      const entry = layerEntry(layer, pieceIndex)
      expect(pieceChainingValue(pieceOf(pieceIndex), pieceIndex, SIZE_BYTES)).to.deep.equal(
        new Uint8Array(entry),
      )
    }
  })

  it('folds to another digest when one bit is changed', () => {
    const changed = layer.slice()
    changed[40] = (changed[40] ?? 0) ^ 1
    expect(foldPieceLayer(layer, SIZE_BYTES)).to.equal(digestOf(blob))
    expect(foldPieceLayer(changed, SIZE_BYTES)).not.to.equal(digestOf(blob))
  })

  it('is refused when it has the wrong length', () => {
    for (const bytes of [layer.subarray(1), Buffer.concat([layer, layer]), new Uint8Array()]) {
      expect(codeThrownBy(() => foldPieceLayer(bytes, SIZE_BYTES))).to.equal('PIECE_LAYER_LENGTH')
    }
    expect(codeThrownBy(() => foldPieceLayer(new Uint8Array(), 10))).to.equal('PIECE_LAYER_LENGTH')
  })

  it('is not built from too few or too many bytes', () => {
    const short = createPieceLayerBuilder(SIZE_BYTES).update(blob.subarray(1))
    expect(codeThrownBy(() => short.finish())).to.equal('PIECE_LENGTH_INVALID')
    const full = createPieceLayerBuilder(SIZE_BYTES).update(blob)
    expect(codeThrownBy(() => full.update(new Uint8Array(1)))).to.equal('PIECE_LENGTH_INVALID')
  })
})

describe('piece', () => {
  it('is told from changed bytes and from another piece', () => {
    const expected = { sizeBytes: SIZE_BYTES, pieceIndex: 1, chainingValue: layerEntry(layer, 1) }
    const changed = pieceOf(1)
    changed[5] = (changed[5] ?? 0) ^ 1
    expect(isPiece(pieceOf(1), expected)).to.equal(true)
    expect(isPiece(changed, expected)).to.equal(false)
    expect(isPiece(pieceOf(0), expected)).to.equal(false)
  })

  it('is checked by the digest in a blob of one piece', () => {
    const bytes = blob.subarray(0, 5000)
    const expected = { sizeBytes: 5000, pieceIndex: 0, chainingValue: digestBytes(digestOf(bytes)) }
    expect(isPiece(bytes, expected)).to.equal(true)
    expect(isPiece(blob.subarray(1, 5001), expected)).to.equal(false)
  })
})
