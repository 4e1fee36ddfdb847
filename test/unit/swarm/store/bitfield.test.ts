/** Checks the bitfield file: that it comes back as it was, and that any damage is noticed. */
import { expect } from 'chai'
import fc from 'fast-check'
import { digestOf } from '../../../../src/core/digest.ts'
import {
  BITFIELD_FILE_BYTES_MAX,
  createFullPieceSet,
  createPieceSet,
  decodeBitfield,
  encodeBitfield,
} from '../../../../swarm/store/bitfield.ts'

const DIGEST = digestOf(new Uint8Array(1))
const PIECE_BYTES = 256 * 1024

describe('bitfield', () => {
  it('comes back from its file as it was', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(99), { minLength: 1 }), held => {
        const pieces = createPieceSet(100)
        for (const index of held) pieces.add(index)
        const decoded = decodeBitfield(DIGEST, encodeBitfield(DIGEST, 100 * PIECE_BYTES, pieces))
        expect(decoded?.sizeBytes).to.equal(100 * PIECE_BYTES)
        expect(decoded?.pieces.heldCount).to.equal(held.length)
        expect(held.every(index => decoded?.pieces.has(index))).to.equal(true)
      }),
    )
  })

  it('is refused when any one bit of the file is changed, and when it is cut', () => {
    const file = encodeBitfield(DIGEST, 9 * PIECE_BYTES, createFullPieceSet(9))
    for (let bit = 0; bit < file.length * 8; bit++) {
      const changed = Uint8Array.from(file)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(decodeBitfield(DIGEST, changed), `bit ${bit}`).to.equal(undefined)
    }
    for (let length = 0; length < file.length; length++) {
      expect(decodeBitfield(DIGEST, file.subarray(0, length)), `${length}`).to.equal(undefined)
    }
  })

  it('is refused for another blob', () => {
    const file = encodeBitfield(DIGEST, 9 * PIECE_BYTES, createFullPieceSet(9))
    expect(decodeBitfield(digestOf(new Uint8Array(2)), file)).to.equal(undefined)
  })

  it('is refused when a sound checksum covers the wrong number of pieces or an absurd size', () => {
    const few = encodeBitfield(DIGEST, 9 * PIECE_BYTES, createFullPieceSet(8))
    expect(decodeBitfield(DIGEST, few)).to.equal(undefined)
    const absurd = encodeBitfield(DIGEST, 2 ** 50, createFullPieceSet(8))
    expect(decodeBitfield(DIGEST, absurd)).to.equal(undefined)
  })

  it('of the largest blob fits its bound', () => {
    const file = encodeBitfield(DIGEST, 2 ** 40, createFullPieceSet(2 ** 18))
    expect(file.length).to.equal(BITFIELD_FILE_BYTES_MAX)
  })
})

describe('piece set', () => {
  it('counts each piece once, and copies share nothing', () => {
    const pieces = createPieceSet(10)
    for (const index of [3, 3, 9]) pieces.add(index)
    const copy = pieces.copy()
    pieces.delete(3)
    pieces.delete(4)
    expect([pieces.heldCount, copy.heldCount]).to.deep.equal([1, 2])
    expect([pieces.has(3), copy.has(3), copy.isFull]).to.deep.equal([false, true, false])
  })
})
