import { expect } from 'chai'
import { formatExplanation } from '../../../../src/commands/blob-why.ts'
import { parseDigest } from '../../../../src/core/digest.ts'
import type { Explanation } from '../../../../swarm/index.ts'

type SourceStory = Explanation['sources'][number]

const MB = 1_000_000

function source(name: string, story: Partial<SourceStory> = {}): SourceStory {
  return {
    ...{ kind: 'peer', name, pieces: '0-9', pieceCount: 10, verifiedBytes: 10 * MB },
    ...{ receivedBytes: 10 * MB, busyMs: 2_000, askCount: 10, firstAskMs: 10, firstBytesMs: 50 },
    troubles: {},
    ...story,
  }
}

function explanation(told: Partial<Explanation> = {}): Explanation {
  return {
    digest: parseDigest(`blake3:${'ab'.repeat(32)}`),
    ...{ sizeBytes: 20 * MB, pieceCount: 20, pieceSizeBytes: MB, heldPieceCountAtStart: 0 },
    ...{ startedMs: 0, outcome: 'done', reason: undefined, durationMs: 2_100 },
    ...{ queuedMs: 0, idleMs: 0, reusedBytes: 0, duplicateBytes: 0, pieceTimeMs: undefined },
    milestones: {
      layer: { atMs: 20, source: 'peer', name: 'ann' },
      ...{ firstAskMs: 10, firstBytesMs: 50, allAskedMs: 1_500, lastPieceMs: 2_050 },
    },
    sources: [source('ann'), source('https://o/', { kind: 'origin' })],
    ...{ gaps: [], moments: [] },
    ...told,
  }
}

describe('archy blob why', () => {
  it('says how long it took, who gave what, and how fast', () => {
    const text = formatExplanation(explanation())
    expect(text).to.include('done in 2.10 s (9.5 MB/s)')
    expect(text).to.match(/peer ann +10 pieces +10\.0 MB +busy 2\.00 s +5\.0 MB\/s/)
    expect(text).to.include('0.02 s  the piece layer came from ann')
    expect(text).to.include(
      'Bytes came in for 2.00 s: 5.0 MB/s from 1 peer and 5.0 MB/s from 1 origin.',
    )
  })

  it('gives no reason that is not one', () => {
    const reasons = formatExplanation(explanation())
      .split('\n')
      .filter(line => line[0] === '-')
    expect(reasons).to.have.length(1)
  })

  it('names who fell silent, who lied and who was never of use', () => {
    const text = formatExplanation(
      explanation({
        sources: [
          source('ann', { troubles: { stalled: 2 } }),
          source('bob', { pieceCount: 0, verifiedBytes: 0, troubles: { wrong: 1 } }),
        ],
        moments: [{ atMs: 300, what: 'wrong', name: 'bob', pieceIndex: 7 }],
      }),
    )
    expect(text).to.include('ann fell silent, and its work went to others (2 times).')
    expect(text).to.include('bob sent wrong bytes.')
    expect(text).to.include('1 source gave nothing: bob.')
    expect(text).to.match(/0\.30 s +wrong +piece 7 +bob/)
  })

  it('tells apart waiting for a turn, for a source, for a piece and for the disk', () => {
    const text = formatExplanation(
      explanation({
        ...{ durationMs: 20_000, queuedMs: 3_000, idleMs: 5_000 },
        gaps: [{ fromMs: 1_000, durationMs: 900, owing: ['ann'] }],
      }),
    )
    expect(text).to.include('3.00 s: it waited for its turn')
    expect(text).to.include('5.00 s: nobody was asked for anything')
    expect(text).to.include('0.90 s: no piece came from 1.00 s on; ann owed some.')
    expect(text).to.include('14.95 s: until everything was safe on the disk')
  })

  it('says why a fetch ended without the blob, and what came twice', () => {
    const text = formatExplanation(
      explanation({ outcome: 'ended', reason: 'the swarm is stopping', duplicateBytes: MB }),
    )
    expect(text).to.include('It ended without the whole blob: the swarm is stopping.')
    expect(text).to.include('1.0 MB (5.0 %) came twice')
  })
})
