import { expect } from 'chai'
import { createPieceLayerBuilder } from '../../../../src/core/blake3/index.ts'
import { samePlaces } from '../../../../swarm/reuse/same-place.ts'
import { bytesOf } from '../../../support/bytes.ts'

const KIB = 1024
const PIECE = 256 * KIB
/** Above 2048 pieces of 256 KiB the pieces have 512 KiB. */
const LARGE = 2049 * PIECE

function layered(bytes: Uint8Array): { sizeBytes: number; layer: Uint8Array } {
  const { layer } = createPieceLayerBuilder(bytes.length).update(bytes).finish()
  return { sizeBytes: bytes.length, layer: layer ?? new Uint8Array() }
}

describe('pieces at the same place', () => {
  it('are found by the layers alone, and the changed one is not among them', () => {
    const old = bytesOf(4 * PIECE + 100, 1)
    const changed = Uint8Array.from(old)
    changed.set([1, 2, 3], 2 * PIECE + 5)
    expect(samePlaces(layered(changed), layered(old))).to.deep.equal([0, 1, 3, 4])
  })

  it('end where everything was moved by one byte', () => {
    const old = bytesOf(4 * PIECE, 2)
    const moved = Buffer.concat([
      old.subarray(0, PIECE + 7),
      Buffer.from('x'),
      old.subarray(PIECE + 7),
    ])
    expect(samePlaces(layered(moved), layered(old))).to.deep.equal([0])
  })

  it('have the same length: the end of one blob is not the beginning of a longer piece', () => {
    const old = bytesOf(PIECE + 100, 3)
    const longer = Buffer.concat([old, bytesOf(PIECE, 4)])
    expect(samePlaces(layered(longer), layered(old))).to.deep.equal([0])
  })

  it('are found when the old blob was so small that its pieces are smaller', () => {
    const old = Buffer.alloc(8 * PIECE)
    const large = Buffer.alloc(LARGE)
    expect(samePlaces(layered(large), layered(old))).to.deep.equal([0, 1, 2, 3])
    old.fill(1, 3 * PIECE)
    expect(samePlaces(layered(large), layered(old))).to.deep.equal([0])
  }).timeout(20_000)

  it('cannot be told when the old pieces are larger', () => {
    expect(
      samePlaces(layered(Buffer.alloc(8 * PIECE)), layered(Buffer.alloc(LARGE))),
    ).to.deep.equal([])
  }).timeout(20_000)

  it('are none with a layer that is not as long as its blob asks', () => {
    const old = layered(bytesOf(4 * PIECE, 5))
    expect(samePlaces(old, { ...old, layer: old.layer.subarray(1) })).to.deep.equal([])
  })
})
