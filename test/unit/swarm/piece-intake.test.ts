import { expect } from 'chai'
import { fill } from '../../../swarm/origin/intake.ts'
import { createPieceMemory } from '../../../swarm/piece-memory.ts'
import { PieceIntake } from '../../../swarm/transfer/piece-intake.ts'

const PIECE = 4

function openIntake(lengthBytes: number, keep?: (index: number) => Promise<void>) {
  const kept: (readonly [number, string])[] = []
  const memory = createPieceMemory(1)
  let taken = 0
  const counted = {
    take(length: number) {
      taken += 1
      return memory.take(length)
    },
    give(bytes: Uint8Array) {
      taken -= 1
      memory.give(bytes)
    },
  }
  const intake = new PieceIntake(
    {
      memory: counted,
      async keep(pieceIndex, piece) {
        try {
          await keep?.(pieceIndex)
          kept.push([pieceIndex, Buffer.from(piece).toString()])
        } finally {
          counted.give(piece)
        }
      },
      onBytes: () => {},
    },
    { firstPiece: 7, pieceSizeBytes: PIECE, lengthBytes },
  )
  return { intake, kept, taken: () => taken }
}

describe('PieceIntake', () => {
  it('cuts what comes into pieces, whatever the chunks are, and the last may be short', async () => {
    for (const size of [1, 2, 3, 4, 5, 9]) {
      const { intake, kept, taken } = openIntake(9)
      for (let at = 0; at < 9; at += size) {
        await fill(intake, Buffer.from('abcdefghi').subarray(at, at + size))
      }
      await intake.close()
      expect(kept).to.deep.equal([
        [7, 'abcd'],
        [8, 'efgh'],
        [9, 'i'],
      ])
      expect(taken()).to.equal(0)
    }
  })

  it('takes nothing more while two pieces are not kept yet', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { intake, kept } = openIntake(12, () => promise)
    await fill(intake, Buffer.from('abcd'))
    let isTaken = false
    const second = fill(intake, Buffer.from('efgh')).then(() => {
      isTaken = true
    })
    await new Promise(setImmediate)
    expect(isTaken).to.equal(false)
    resolve()
    await second
    await intake.close()
    expect(kept.map(([index]) => index)).to.deep.equal([7, 8])
  })

  it('gives back the memory of a piece that did not become whole', async () => {
    const { intake, kept, taken } = openIntake(8)
    await fill(intake, Buffer.from('abcdef'))
    await intake.close()
    expect(kept).to.deep.equal([[7, 'abcd']])
    expect(taken()).to.equal(0)
  })

  it('says what the store refused, keeps nothing after it, and gives all memory back', async () => {
    const { intake, kept, taken } = openIntake(12, async index => {
      if (index === 7) throw new Error('no space')
    })
    await fill(intake, Buffer.from('abcd'))
    const second = await fill(intake, Buffer.from('efgh')).catch((error: Error) => error.message)
    expect(second).to.equal('no space')
    const end = await intake.close().catch((error: Error) => error.message)
    expect(end).to.equal('no space')
    expect(kept).to.deep.equal([])
    expect(taken()).to.equal(0)
  })
})
