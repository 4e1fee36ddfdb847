import { expect } from 'chai'
import { formatBlobs } from '../../../../src/commands/blob.ts'

describe('archy blob list', () => {
  const blob = {
    digest: `blake3:${'ab'.repeat(32)}`,
    sizeBytes: 1_500_000,
    pieceCount: 6,
    heldPieceCount: 6,
    isComplete: true,
    lastUsedMs: 1000,
  }

  it('shows how much of each blob is held, when it was used, and the sum', () => {
    const partial = { ...blob, heldPieceCount: 2, isComplete: false }
    const lines = formatBlobs([blob, partial], 61_000).split('\n')
    expect(lines[0]).to.match(/^blake3:(ab){32} {2}1\.5 MB {2}complete +used 60 s ago$/)
    expect(lines[1]).to.include('2 of 6 pieces')
    expect(lines[2]).to.equal('2 blobs, 3.0 MB')
  })

  it('says where blobs come from when there are none', () => {
    expect(formatBlobs([], 0)).to.include('No blobs')
  })
})
