/** Checks the piece maths: sizes, counts, lengths and their bounds. */
import { expect } from 'chai'
import {
  PieceError,
  pieceCountOf,
  pieceLayerLengthOf,
  pieceLengthOf,
  pieceSizeOf,
} from '../../../../src/core/blake3/index.ts'

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

describe('pieces', () => {
  it('have a size between 256 KiB and 4 MiB that doubles with the blob', () => {
    const sizes = [
      0,
      1,
      512 * MIB,
      512 * MIB + 1,
      GIB,
      2 * GIB,
      2 * GIB + 1,
      4 * GIB + 1,
      900 * GIB,
    ]
    const pieceSizes = sizes.map(size => pieceSizeOf(size) / KIB)
    expect(pieceSizes).to.deep.equal([256, 256, 256, 512, 512, 1024, 2048, 4096, 4096])
  })

  it('follow the formula of the format wherever it is not clamped', () => {
    for (const size of [600 * MIB, GIB + 1, 3 * GIB, 5 * GIB]) {
      expect(pieceSizeOf(size)).to.equal(2 ** Math.ceil(Math.log2(size / 2048)))
    }
  })

  it('cover the blob exactly, the last one with what is left', () => {
    for (const size of [1, 256 * KIB, 256 * KIB + 1, 10 * MIB - 1]) {
      const count = pieceCountOf(size)
      let total = 0
      for (let index = 0; index < count; index++) total += pieceLengthOf(size, index)
      expect(total).to.equal(size)
    }
  })

  it('are one of no bytes in the empty blob', () => {
    expect(pieceCountOf(0)).to.equal(1)
    expect(pieceLengthOf(0, 0)).to.equal(0)
  })

  it('make a layer of 32 bytes each, and none for one piece', () => {
    expect(pieceLayerLengthOf(256 * KIB)).to.equal(0)
    expect(pieceLayerLengthOf(256 * KIB + 1)).to.equal(64)
    expect(pieceLayerLengthOf(2 ** 40)).to.equal(8 * MIB)
  })

  it('are refused outside the blob and for sizes that no blob has', () => {
    for (const index of [-1, 2, 0.5, Number.NaN]) {
      expect(() => pieceLengthOf(300 * KIB, index), String(index)).to.throw(PieceError, 'no piece')
    }
    for (const size of [-1, 1.5, Number.NaN, 2 ** 40 + 1]) {
      expect(() => pieceSizeOf(size), String(size)).to.throw(PieceError, 'cannot have')
    }
  })
})
