/** What is written down of a fetch, driven by hand. */
import { expect } from 'chai'
import { parseDigest } from '../../../../src/core/digest.ts'
import type { Explanation } from '../../../../swarm/explanation.ts'
import {
  EXPLAINED_MOMENTS_MAX,
  EXPLAINED_RANGES_MAX,
  EXPLAINED_SOURCES_MAX,
} from '../../../../swarm/limits.ts'
import type { HeldBlob } from '../../../../swarm/ports.ts'
import { Recorder } from '../../../../swarm/transfer/recorder.ts'
import type { SessionView } from '../../../../swarm/transfer/session.ts'

const PIECE = 256 * 1024
const digest = parseDigest(`blake3:${'cd'.repeat(32)}`)

function blobOf(pieceCount: number): HeldBlob {
  return {
    ...{ digest, sizeBytes: pieceCount * PIECE, pieceSizeBytes: PIECE, pieceCount },
    ...{ hasPiece: () => false, heldPieceCount: 0, isComplete: false, lastUsedMs: 0 },
  }
}

const view: SessionView = {
  ...{ heldBytes: 0, missingPieceCount: 1, withoutSourceCount: 0, duplicateBytes: 0 },
  ...{ pieceTimeMs: undefined, isEnding: false, sources: [] },
}

class Fetch {
  readonly recorder: Recorder
  #nextRequest = 1

  constructor(pieceCount = 8) {
    this.recorder = new Recorder(blobOf(pieceCount), 1_000)
    for (const name of ['ann', 'bob']) this.recorder.addSource(name, 'peer', name)
  }

  ask(atMs: number, source: string, firstPiece: number, pieceCount = 1): number {
    const request = this.#nextRequest
    this.#nextRequest += 1
    this.recorder.noteAction({ kind: 'ask', request, source, firstPiece, pieceCount }, 1_000 + atMs)
    return request
  }

  store(atMs: number, request: number, pieceIndex: number): void {
    this.recorder.noteEvent({ kind: 'received', request, bytes: PIECE }, 1_000 + atMs)
    const outcome = 'stored'
    this.recorder.noteEvent({ kind: 'piece', request, pieceIndex, outcome }, 1_000 + atMs)
  }

  explain(atMs: number): Explanation {
    const rest = { startedMs: 5, outcome: 'running', reason: undefined } as const
    return this.recorder.explain(view, { ...rest, queuedMs: 0, reusedBytes: 0 }, 1_000 + atMs)
  }
}

describe('what is written down of a fetch', () => {
  it('knows who gave which pieces, and how long each was at work', () => {
    const fetch = new Fetch()
    const run = fetch.ask(0, 'ann', 2, 3)
    const one = fetch.ask(10, 'bob', 7)
    for (const [step, pieceIndex] of [2, 3, 4].entries()) fetch.store(20 + step, run, pieceIndex)
    fetch.store(50, one, 7)
    const [ann, bob] = fetch.explain(60).sources
    expect(ann).to.include({ pieces: '2-4', pieceCount: 3, verifiedBytes: 3 * PIECE, busyMs: 22 })
    expect(bob).to.include({ pieces: '7', busyMs: 40, firstAskMs: 10, firstBytesMs: 50 })
  })

  it('counts mishaps by source, and keeps when they happened', () => {
    const fetch = new Fetch()
    const late = fetch.ask(0, 'ann', 1)
    const cancel = { kind: 'cancel', request: late, source: 'ann', reason: 'stalled' } as const
    fetch.recorder.noteAction(cancel, 5_000)
    const busy = fetch.ask(10, 'bob', 1)
    fetch.recorder.noteEvent({ kind: 'ended', request: busy, outcome: 'busy' }, 5_010)
    fetch.recorder.noteAction({ kind: 'ban', source: 'bob', pieceIndex: 1 }, 5_020)
    const { sources, moments } = fetch.explain(5_000)
    expect(sources.map(({ troubles }) => troubles)).to.deep.equal([
      { stalled: 1 },
      { busy: 1, wrong: 1 },
    ])
    expect(moments).to.deep.include({ atMs: 4_000, what: 'stalled', name: 'ann', pieceIndex: 1 })
  })

  it('measures the time in which nobody was asked', () => {
    const fetch = new Fetch()
    const first = fetch.ask(300, 'ann', 0)
    fetch.store(400, first, 0)
    fetch.ask(600, 'ann', 1)
    expect(fetch.explain(1_000).idleMs).to.equal(500)
  })

  it('keeps the longest gaps, and who owed pieces in them', () => {
    const fetch = new Fetch()
    for (const [index, atMs] of [100, 150, 1_200, 1_250].entries()) {
      fetch.ask(atMs - 1, 'bob', 7)
      fetch.store(atMs, fetch.ask(atMs - 1, 'ann', index), index)
    }
    expect(fetch.explain(1_300).gaps).to.deep.equal([
      { fromMs: 150, durationMs: 1_050, owing: ['bob', 'ann'] },
    ])
  })

  it('notes a piece that is asked for a second time', () => {
    const fetch = new Fetch()
    fetch.ask(0, 'ann', 3)
    fetch.ask(700, 'bob', 3)
    expect(fetch.explain(800).moments.at(-1)).to.deep.equal({
      ...{ atMs: 700, what: 'copied', name: 'bob', pieceIndex: 3 },
    })
  })

  it('stays small however much happens', () => {
    const pieceCount = 4_000
    const fetch = new Fetch(pieceCount)
    for (let index = 0; index < 2 * EXPLAINED_SOURCES_MAX; index += 1) {
      fetch.recorder.addSource(`peer${index}`, 'peer', `peer${index}`)
    }
    for (let index = 0; index < pieceCount; index += 2) {
      fetch.store(index, fetch.ask(index, 'ann', index), index)
      const failed = fetch.ask(index, `peer${index}`, index + 1)
      fetch.recorder.noteEvent({ kind: 'ended', request: failed, outcome: 'failed' }, index)
    }
    const { sources, moments } = fetch.explain(pieceCount)
    expect(sources.length).to.be.at.most(EXPLAINED_SOURCES_MAX)
    expect(moments).to.have.length(EXPLAINED_MOMENTS_MAX)
    expect(sources[0]?.pieces.split(',')).to.have.length(EXPLAINED_RANGES_MAX + 1)
    expect(sources[0]?.pieces).to.match(/,…$/)
  })
})
