import { expect } from 'chai'
import { formatBlobs, formatCollection } from '../../../../src/commands/blob.ts'
import { formatVerification } from '../../../../src/commands/blob-verify.ts'
import { parseDigest } from '../../../../src/core/digest.ts'

const digest = parseDigest(`blake3:${'ab'.repeat(32)}`)
const usage = {
  usedBytes: 3_000_000,
  promisedBytes: 0,
  freeBytes: 5_000_000_000,
  minFreeBytes: 1_000_000_000,
  quotaBytes: undefined,
}

describe('archy blob list', () => {
  const blob = {
    digest,
    sizeBytes: 1_500_000,
    pieceCount: 6,
    heldPieceCount: 6,
    isComplete: true,
    lastUsedMs: 1000,
    use: 'installed: notes 1.0.0',
  }

  it('shows how much of each blob is held, when it was used, why it is kept, and the sum', () => {
    const partial = { ...blob, heldPieceCount: 2, isComplete: false, use: 'seed' }
    const lines = formatBlobs({ blobs: [blob, partial], usage }, 61_000).split('\n')
    expect(lines[0]).to.match(
      /^blake3:(ab){32} {2}1\.5 MB {2}complete +used 60 s ago {2}installed: notes 1\.0\.0$/,
    )
    expect(lines[1]).to.include('2 of 6 pieces')
    expect(lines[2]).to.equal('2 blobs. 3.0 MB are used; 5.0 GB are free, 1.0 GB stay free.')
  })

  it('says where blobs come from when there are none', () => {
    expect(formatBlobs({ blobs: [], usage }, 0)).to.include('No blobs')
  })
})

describe('archy blob gc', () => {
  const removal = { digest, bytes: 2_000_000, lastUsedMs: 0, why: 'seed' as const }
  const collection = {
    removals: [removal],
    removed: [],
    freedBytes: 0,
    wantedBytes: 9_000_000,
    bytes: 2_000_000,
    isEnough: false,
    isFinished: true,
    keptCount: 4,
    keptBytes: 1_000_000,
    usage: { ...usage, quotaBytes: 2_500_000, promisedBytes: 100_000 },
  }

  it('names every blob that would go and why, and that it is not enough', () => {
    const text = formatCollection(collection, true)
    expect(text).to.match(
      /^blake3:(ab){32} {2}2\.0 MB {2}seed\n1 blobs, 2\.0 MB, would be deleted;/,
    )
    expect(text).to.include('4 blobs, 1.0 MB, are needed.')
    expect(text).to.include('The store stays above its mark')
    expect(text).to.include('3.0 MB are used of 2.5 MB (storage.quota), 100 kB are on their way;')
  })

  it('shows what really went, which may be less', () => {
    expect(formatCollection({ ...collection, isFinished: false }, false)).to.match(
      /^0 blobs, 0 B, were deleted; .*\n.*\nThere is more to delete/,
    )
  })
})

describe('archy blob verify', () => {
  const view = {
    state: 'done' as const,
    isBackground: false,
    blobCount: 2,
    doneCount: 2,
    sizeBytes: 3_000_000,
    checkedBytes: 3_000_000,
    damaged: [],
    skipped: [],
  }

  it('says that nothing is damaged', () => {
    expect(formatVerification(view)).to.equal('2 blobs, 3.0 MB: nothing is damaged.')
  })

  it('names every damaged piece and what became of it', () => {
    const damaged = [
      { digest, pieces: [1, 3], state: 'healed' as const },
      { digest, pieces: [0], state: 'missing' as const, reason: 'nobody gave a piece' },
    ]
    const lines = formatVerification({ ...view, damaged }).split('\n')
    expect(lines[0]).to.match(/pieces 1, 3 {2}healed$/)
    expect(lines[1]).to.match(/piece 0 +missing: nobody gave a piece$/)
    expect(lines[2]).to.include('2 damaged')
  })

  it('says what was left out, and that it did not come to its end', () => {
    const text = formatVerification({
      ...view,
      doneCount: 1,
      skipped: [digest],
      state: 'cancelled',
      reason: 'the verification was cancelled',
    })
    expect(text).to.include('skipped: it is being filled')
    expect(text).to.include('1 of 2 blobs')
    expect(text).to.include('ended early: the verification was cancelled')
  })
})
