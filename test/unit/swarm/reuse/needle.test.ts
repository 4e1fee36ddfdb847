import { expect } from 'chai'
import { NEEDLE_BYTES, needleOf } from '../../../../swarm/reuse/needle.ts'
import { bytesOf } from '../../../support/bytes.ts'

describe('the part of a piece that is looked for', () => {
  it('is its end', () => {
    const piece = bytesOf(10_000, 1)
    expect(needleOf(piece)?.offset).to.equal(10_000 - NEEDLE_BYTES)
  })

  it('is what comes before the padding', () => {
    const piece = Buffer.concat([bytesOf(4 * NEEDLE_BYTES, 2), Buffer.alloc(3 * NEEDLE_BYTES)])
    const needle = needleOf(piece)
    expect(needle?.offset).to.equal(3 * NEEDLE_BYTES)
    expect(needle?.bytes).to.deep.equal(new Uint8Array(piece.subarray(3072, 4096)))
  })

  it('is nothing in a piece that looks alike everywhere, or is too short', () => {
    expect(needleOf(Buffer.alloc(100_000, 7))).to.equal(undefined)
    expect(needleOf(bytesOf(NEEDLE_BYTES - 1, 3))).to.equal(undefined)
  })
})
