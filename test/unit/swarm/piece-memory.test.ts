/** Checks the memory of pieces: what lies in it never overlaps, it is bounded, and all of it comes back. */
import { expect } from 'chai'
import fc from 'fast-check'
import { IN_FLIGHT_BYTES_MAX } from '../../../swarm/limits.ts'
import { createPieceMemory } from '../../../swarm/piece-memory.ts'

const KIB = 1024
const MIB = 1024 * KIB
const BLOCK_COUNT = IN_FLIGHT_BYTES_MAX / (4 * MIB)

function countShared(memory: ReturnType<typeof createPieceMemory>, lengthBytes: number): number {
  const taken: Uint8Array[] = []
  for (;;) {
    const bytes = memory.take(lengthBytes)
    if (!memory.isShared(bytes)) break
    taken.push(bytes)
  }
  for (const bytes of taken) memory.give(bytes)
  return taken.length
}

describe('piece memory', () => {
  it('has room for what may be in flight, in pieces of every size, again and again', () => {
    const memory = createPieceMemory(1)
    for (const [lengthBytes, count] of [
      [4 * MIB, BLOCK_COUNT],
      [64 * KIB, BLOCK_COUNT * 64],
      [3 * MIB, BLOCK_COUNT],
      [256 * KIB, BLOCK_COUNT * 16],
      [256 * KIB + 1, BLOCK_COUNT * 8],
      [4 * MIB, BLOCK_COUNT],
    ] as const) {
      expect(countShared(memory, lengthBytes), `${lengthBytes} bytes`).to.equal(count)
    }
  })

  it('never gives one byte to two pieces, and joins what was given back', () => {
    const sizes = fc.integer({ min: 1, max: 4 * MIB + 1 })
    const steps = fc.array(fc.record({ size: sizes, giveIndex: fc.option(fc.nat(40)) }), {
      maxLength: 120,
    })
    fc.assert(
      fc.property(steps, all => {
        const memory = createPieceMemory(2)
        let taken: Uint8Array[] = []
        for (const { size, giveIndex } of all) {
          const bytes = memory.take(size)
          expect(bytes.length).to.equal(size)
          for (const other of taken) expect(overlap(bytes, other)).to.equal(false)
          taken.push(bytes)
          const given = giveIndex === null ? undefined : taken[giveIndex]
          if (given === undefined) continue
          memory.give(given)
          taken = taken.filter(one => one !== given)
        }
        for (const bytes of taken) memory.give(bytes)
        expect(countShared(memory, 4 * MIB)).to.equal(BLOCK_COUNT)
      }),
      { numRuns: 40, interruptAfterTimeLimit: 1_500 },
    )
  })

  it('puts what is small, and what no longer fits, in memory of its own', () => {
    const memory = createPieceMemory(1)
    expect(memory.isShared(memory.take(1000))).to.equal(false)
    const all = Array.from({ length: BLOCK_COUNT }, () => memory.take(4 * MIB))
    expect(all.every(bytes => memory.isShared(bytes))).to.equal(true)
    const further = memory.take(4 * MIB)
    expect(memory.isShared(further)).to.equal(false)
    memory.give(further)
    expect(further).to.have.length(4 * MIB)
  })

  it('takes a piece back once', () => {
    const memory = createPieceMemory(1)
    const bytes = memory.take(MIB)
    memory.give(bytes)
    expect(() => memory.give(bytes)).to.throw('given back once')
  })

  it('keeps the shared memory while a piece lies in it, and the work spaces apart from pieces', () => {
    const memory = createPieceMemory(2)
    const bytes = memory.take(4 * MIB)
    memory.release()
    expect(memory.isShared(bytes)).to.equal(true)
    const [first, second] = [memory.spaceOf(0), memory.spaceOf(1)]
    expect(first.memory).to.equal(second.memory)
    expect(first.offset).to.equal(BLOCK_COUNT * 4 * MIB)
    expect(second.offset).to.be.above(first.offset)
    memory.give(bytes)
    memory.release()
    expect(memory.isShared(bytes)).to.equal(false)
    expect(memory.isShared(memory.take(MIB))).to.equal(true)
  })
})

function overlap(a: Uint8Array, b: Uint8Array): boolean {
  if (a.buffer !== b.buffer) return false
  return a.byteOffset < b.byteOffset + b.length && b.byteOffset < a.byteOffset + a.length
}
