/** The size of chunks follows what a peer takes in a moment. */
import { expect } from 'chai'
import { PACE_BYTES_MIN, SERVE_CHUNK_BYTES } from '../../../../swarm/limits.ts'
import { Pace } from '../../../../swarm/serving/pace.ts'

const MIB = 1024 * 1024

/** The chunks of a peer that takes `bytesPerSecond` behind buffers that take `bufferBytes` at once. */
function chunksOf(count: number, bytesPerSecond: number, bufferBytes = 0): readonly number[] {
  const pace = new Pace()
  let buffered = bufferBytes
  return Array.from({ length: count }, () => {
    const { chunkBytes } = pace
    const atOnce = Math.min(chunkBytes, buffered)
    buffered -= atOnce
    pace.note(chunkBytes, ((chunkBytes - atOnce) * 1000) / bytesPerSecond, MIB)
    return chunkBytes
  })
}

describe('Pace', () => {
  it('begins small and grows with a fast peer, to the largest once it is proven', () => {
    const chunks = chunksOf(120, 100 * MIB)
    expect(chunks.slice(0, 3)).to.deep.equal([1, 2, 4].map(times => times * PACE_BYTES_MIN))
    expect(chunks[30]).to.equal(SERVE_CHUNK_BYTES)
    expect(chunks.at(-1)).to.equal(MIB)
  })
  it('stays at what a slow peer takes in about a second', () => {
    expect(Math.max(...chunksOf(100, 50_000))).to.be.within(8 * 1024, 50_000)
  })
  it('is not deceived for long by buffers that take megabytes at once', () => {
    const chunks = chunksOf(100, 50_000, 3 * MIB)
    expect(Math.max(...chunks)).to.equal(SERVE_CHUNK_BYTES)
    expect(chunks.filter(bytes => bytes > 50_000).length).to.be.below(20)
    expect(chunks.at(-1)).to.be.at.most(50_000)
  })
})
