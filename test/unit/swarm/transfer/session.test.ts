/** The schedule of one download, driven by hand: events in, actions out. */
import { expect } from 'chai'
import { Bitfield } from '../../../../swarm/bitfield.ts'
import {
  createSession,
  type Session,
  type SessionAction,
} from '../../../../swarm/transfer/session.ts'
import { runWorld, type SourceModel } from '../../../support/swarm/session-world.ts'

const PIECE = 256 * 1024
const BUDGET = 64 * 1024 * 1024

type Ask = SessionAction & { kind: 'ask' }

interface Settings {
  readonly pieceCount?: number
  readonly held?: readonly number[]
  readonly peersExpected?: boolean
  readonly seed?: number
}

/** A session of whole pieces and the actions that it has asked for so far. */
class Story {
  readonly session: Session
  readonly actions: SessionAction[] = []

  constructor({ pieceCount = 8, held = [], peersExpected = true, seed = 1 }: Settings = {}) {
    this.session = createSession({
      sizeBytes: pieceCount * PIECE,
      pieceSizeBytes: PIECE,
      pieceCount,
      isHeld: index => held.includes(index),
      seed,
      startedMs: 0,
      peersExpected,
    })
  }

  do(nowMs: number, event: Parameters<Session['handle']>[0], budget = BUDGET): SessionAction[] {
    const actions = [...this.session.handle(event, nowMs, budget)]
    this.actions.push(...actions)
    return actions
  }

  peer(
    nowMs: number,
    source: string,
    pieces: 'all' | Bitfield = 'all',
    rate?: number,
  ): SessionAction[] {
    this.do(nowMs, { kind: 'joined', source, sourceKind: 'peer', requestsMax: 64, rate })
    return this.do(nowMs, { kind: 'holds', source, pieces })
  }

  /** A peer that gave right pieces before, and is asked for two at once. */
  known(nowMs: number, source: string): SessionAction[] {
    return this.peer(nowMs, source, 'all', PIECE / 2)
  }

  origin(nowMs: number, source = 'origin', rate?: number): SessionAction[] {
    const known = { source, sourceKind: 'origin', requestsMax: 3, rate } as const
    return this.do(nowMs, { kind: 'joined', ...known })
  }

  /** One answer of `from` every `stepMs`, and a tick. */
  serveEvery(stepMs: number, { from, untilMs }: { from: string; untilMs: number }): void {
    for (let nowMs = stepMs; nowMs <= untilMs; nowMs += stepMs) {
      const ask = this.open(from)[0]
      if (ask !== undefined) this.answer(nowMs, ask)
      this.tick(nowMs)
    }
  }

  /** Everything asked and neither cancelled nor answered. */
  open(source?: string): Ask[] {
    const cancelled = new Set(this.actions.filter(a => a.kind === 'cancel').map(a => a.request))
    return this.actions
      .filter(action => action.kind === 'ask')
      .filter(ask => !cancelled.has(ask.request) && !this.#answered.has(ask.request))
      .filter(ask => source === undefined || ask.source === source)
  }

  readonly #answered = new Set<number>()

  /** Answers a one-piece request. */
  answer(nowMs: number, ask: Ask, outcome: 'stored' | 'mismatch' = 'stored'): SessionAction[] {
    this.#answered.add(ask.request)
    this.do(nowMs, { kind: 'received', request: ask.request, bytes: PIECE })
    return this.do(nowMs, {
      kind: 'piece',
      request: ask.request,
      pieceIndex: ask.firstPiece,
      outcome,
    })
  }

  end(nowMs: number, ask: Ask, outcome: 'absent' | 'failed' | 'busy'): SessionAction[] {
    this.#answered.add(ask.request)
    return this.do(nowMs, { kind: 'ended', request: ask.request, outcome, retryAfterMs: 500 })
  }

  tick(nowMs: number): SessionAction[] {
    return this.do(nowMs, { kind: 'tick' })
  }
}

function peers(count: number, model: Partial<SourceModel> & { rate: number }): SourceModel[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `peer${index}`,
    kind: 'peer',
    ...model,
  }))
}

function originOf(rate: number): SourceModel {
  return { id: 'origin', kind: 'origin', rate, latencyMs: 10 }
}

function bits(pieceCount: number, ...indexes: number[]): Bitfield {
  const field = new Bitfield(pieceCount)
  for (const index of indexes) field.add(index)
  return field
}

function sources(actions: readonly SessionAction[]): string[] {
  return actions.filter(action => action.kind === 'ask').map(ask => ask.source)
}

describe('session', () => {
  it('asks a new peer for one piece, and for more when that was right', () => {
    const story = new Story()
    expect(sources(story.peer(0, 'a'))).to.deep.equal(['a'])
    for (const ask of story.open()) story.answer(10, ask)
    expect(story.open('a')).to.have.length(3)
  })

  it('has a liar send no more than one piece', () => {
    const liar: SourceModel = { id: 'liar', kind: 'peer', rate: 5e6, isLiar: true }
    const outcome = runWorld([liar, ...peers(3, { rate: 5e6 })], { pieceCount: 64 })
    expect(outcome.bans).to.deep.equal(['liar'])
    expect(outcome.sentBytes.get('liar')).to.be.at.most(PIECE)
  })

  it('does not ask for what is held', () => {
    const story = new Story({ pieceCount: 3, held: [0, 2] })
    expect(
      story.peer(0, 'a').map(action => action.kind === 'ask' && action.firstPiece),
    ).to.deep.equal([1])
  })

  it('asks the peer that holds the piece', () => {
    const story = new Story({ pieceCount: 4 })
    story.peer(0, 'a', bits(4, 3))
    expect(story.open().map(({ source, firstPiece }) => [source, firstPiece])).to.deep.equal([
      ['a', 3],
    ])
  })

  it('asks for the rarest piece first once it has begun', () => {
    const story = new Story({ pieceCount: 16 })
    story.peer(0, 'a', bits(16, 0, 1, 2, 3))
    story.peer(0, 'b', bits(16, 0, 1, 2, 3))
    for (const ask of story.open()) story.answer(10, ask)
    for (const ask of story.open()) story.answer(20, ask)
    story.do(30, { kind: 'holds', source: 'b', pieces: [8, 9, 10, 11] })
    story.do(30, { kind: 'holds', source: 'a', pieces: [8, 9, 10, 12] })
    const first = story.open('a').map(ask => ask.firstPiece)
    expect(first).to.include(12)
  })

  it('starts at different pieces with different seeds', () => {
    const starts = [1, 2, 3, 4, 5].map(seed => {
      const story = new Story({ pieceCount: 64, seed })
      story.peer(0, 'a')
      return story.open()[0]?.firstPiece
    })
    expect(new Set(starts).size).to.be.greaterThan(2)
  })

  it('repeats itself with the same seed', () => {
    const run = (): SessionAction[] => {
      const story = new Story({ pieceCount: 64, seed: 7 })
      story.peer(0, 'a')
      story.peer(0, 'b')
      story.tick(100)
      return story.actions
    }
    expect(run()).to.deep.equal(run())
  })

  it('keeps within the memory budget, but never stops for it', () => {
    const story = new Story({ pieceCount: 8 })
    story.do(0, { kind: 'joined', source: 'a', sourceKind: 'peer', requestsMax: 64, rate: 1e9 }, 0)
    expect(sources(story.do(0, { kind: 'holds', source: 'a', pieces: 'all' }, 0))).to.have.length(1)
    expect(sources(story.do(0, { kind: 'tick' }, 3 * PIECE))).to.have.length(3)
  })

  it('asks nothing while pieces cannot be verified', () => {
    const story = new Story()
    story.origin(0)
    story.do(1000, { kind: 'tick' }, -1)
    expect(story.open()).to.deep.equal([])
  })

  it('queues three seconds of work at a fast peer', () => {
    const story = new Story({ pieceCount: 200 })
    const rate = 4 * PIECE
    story.do(0, { kind: 'joined', source: 'a', sourceKind: 'peer', requestsMax: 64, rate })
    story.do(0, { kind: 'holds', source: 'a', pieces: 'all' })
    expect(story.open()).to.have.length(12)
  })

  describe('with an origin', () => {
    it('uses it at once when there are no peers', () => {
      const story = new Story({ peersExpected: false })
      expect(sources(story.origin(0))).to.include('origin')
    })

    it('waits 150 ms for peers to answer', () => {
      const story = new Story()
      story.origin(0)
      expect(story.tick(140)).to.deep.equal([])
      expect(sources(story.tick(151))).to.include('origin')
    })

    it('waits longer for a distant peer that holds the blob', () => {
      const story = new Story()
      story.origin(0)
      story.peer(20, 'a')
      expect(sources(story.tick(310))).to.deep.equal([])
      expect(sources(story.tick(321))).to.include('origin')
    })

    it('waits for a peer of the local network as long as for its answer', () => {
      const story = new Story()
      story.origin(0)
      const near = { source: 'a', sourceKind: 'peer', requestsMax: 64, isLocal: true } as const
      story.do(20, { kind: 'joined', ...near, rate: undefined })
      story.do(20, { kind: 'holds', source: 'a', pieces: 'all' })
      expect(sources(story.tick(160))).to.deep.equal([])
      expect(sources(story.tick(171))).to.include('origin')
    })

    it('stays out when it gives too little beside a fast peer', () => {
      const story = new Story({ pieceCount: 400 })
      story.origin(0, 'origin', 256 * 1024)
      story.peer(0, 'a')
      story.serveEvery(20, { from: 'a', untilMs: 3_000 })
      expect(story.open('origin')).to.deep.equal([])
    })

    it('comes in beside four peers when it makes the end come sooner', () => {
      const outcome = runWorld([...peers(4, { rate: 5e6 }), originOf(2e6)], { pieceCount: 1024 })
      expect(outcome.doneMs).to.be.lessThan((1024 * PIECE) / (0.95 * 22e3))
      expect(outcome.verifiedBytes.get('origin')).to.be.greaterThan(15e6)
    })

    it('stays out when peers are through within a second', () => {
      const story = new Story({ pieceCount: 40 })
      story.origin(0)
      story.peer(0, 'a')
      story.serveEvery(20, { from: 'a', untilMs: 1_000 })
      expect(story.session.isComplete()).to.equal(true)
      expect(sources(story.actions)).to.not.include('origin')
    })

    it('comes in when the peer is slower', () => {
      const story = new Story({ pieceCount: 400 })
      story.origin(0, 'origin', 2e6)
      story.peer(0, 'a')
      story.serveEvery(500, { from: 'a', untilMs: 2_500 })
      expect(story.open('origin')).to.have.length(3)
    })

    it('asks it for what no peer holds', () => {
      const story = new Story({ pieceCount: 4 })
      story.origin(0)
      story.peer(0, 'a', bits(4, 0, 1))
      story.tick(200)
      for (const ask of story.open('origin')) story.answer(250, ask)
      const asked = story.actions.filter(
        ({ kind, source }) => kind === 'ask' && source === 'origin',
      )
      expect(asked.map(ask => ask.kind === 'ask' && ask.firstPiece)).to.have.members([2, 3])
    })

    it('asks it for runs of pieces', () => {
      const story = new Story({ pieceCount: 64, peersExpected: false })
      story.origin(0)
      const counts = story.open('origin').map(ask => ask.pieceCount)
      expect(counts).to.have.length(3)
      expect(Math.max(...counts)).to.equal(16)
    })

    it('leaves it alone for 30 s when it does not have the blob', () => {
      const story = new Story({ pieceCount: 2, peersExpected: false })
      story.origin(0)
      for (const ask of story.open()) story.end(10, ask, 'absent')
      expect(story.tick(29_000)).to.deep.equal([])
      expect(story.session.view(29_000).withoutSourceCount).to.equal(2)
      expect(sources(story.tick(30_100))).to.include('origin')
    })

    it('goes to the second origin when the first fails', () => {
      const story = new Story({ pieceCount: 2, peersExpected: false })
      story.origin(0, 'first')
      story.origin(0, 'second')
      expect(story.open('second')).to.deep.equal([])
      for (const ask of story.open()) story.end(10, ask, 'failed')
      expect(story.open('second')).to.not.deep.equal([])
    })
  })

  describe('with a bad source', () => {
    it('bans the peer of a wrong piece and asks another for everything it had', () => {
      const story = new Story({ pieceCount: 4 })
      story.peer(0, 'liar')
      const [wrong] = story.open('liar')
      story.peer(0, 'good')
      if (wrong === undefined) throw new Error('nothing was asked')
      const actions = story.answer(10, wrong, 'mismatch')
      expect(actions[0]).to.deep.equal({
        kind: 'ban',
        source: 'liar',
        pieceIndex: wrong.firstPiece,
      })
      expect(story.open('liar')).to.deep.equal([])
      for (let nowMs = 20; nowMs < 100 && !story.session.isComplete(); nowMs += 10) {
        for (const ask of story.open('good')) story.answer(nowMs, ask)
      }
      expect(story.session.isComplete()).to.equal(true)
    })

    it('takes the work from a silent peer and tries it later with one request', () => {
      const story = new Story({ pieceCount: 8 })
      story.known(0, 'a')
      const cancelled = story.tick(4_100).filter(action => action.kind === 'cancel')
      expect(cancelled).to.have.length(2)
      expect(story.open('a')).to.deep.equal([])
      story.tick(5_200)
      expect(story.open('a')).to.have.length(1)
    })

    it('takes the work from a peer that trickles', () => {
      const story = new Story({ pieceCount: 8 })
      story.known(0, 'a')
      const [ask] = story.open('a')
      for (let nowMs = 1_000; nowMs <= 11_000; nowMs += 1_000) {
        story.do(nowMs, { kind: 'received', request: ask?.request ?? 0, bytes: 100 })
        story.tick(nowMs)
      }
      expect(story.actions.filter(action => action.kind === 'cancel')).to.have.length(2)
    })

    it('waits as long as a busy peer says', () => {
      const story = new Story({ pieceCount: 2 })
      story.peer(0, 'a')
      for (const ask of story.open()) story.end(10, ask, 'busy')
      expect(story.tick(400)).to.deep.equal([])
      expect(sources(story.tick(520))).to.include('a')
    })

    it('believes a peer that no longer has the blob', () => {
      const story = new Story({ pieceCount: 2 })
      story.known(0, 'a')
      for (const ask of story.open()) story.end(10, ask, 'absent')
      expect(story.tick(60_000)).to.deep.equal([])
      expect(story.session.view(60_000).withoutSourceCount).to.equal(2)
    })

    it('gives the work of a peer that left to the next one', () => {
      const story = new Story({ pieceCount: 2 })
      story.known(0, 'a')
      story.do(10, { kind: 'left', source: 'a' })
      story.known(20, 'b')
      expect(story.open('b')).to.have.length(2)
    })
  })

  describe('near the end', () => {
    /** A slow peer with a queue, and a fast one that comes later. */
    function slowAndFast(): Story {
      const story = new Story({ pieceCount: 6 })
      const rate = 1.5 * PIECE
      story.do(0, { kind: 'joined', source: 'slow', sourceKind: 'peer', requestsMax: 64, rate })
      story.do(0, { kind: 'holds', source: 'slow', pieces: 'all' })
      story.do(5, {
        kind: 'joined',
        source: 'fast',
        sourceKind: 'peer',
        requestsMax: 64,
        rate: 1e8,
      })
      return story
    }

    it('takes what a slow peer has not begun for a fast one', () => {
      const story = slowAndFast()
      const before = story.open('slow').length
      story.do(10, { kind: 'holds', source: 'fast', pieces: 'all' })
      expect(story.open('fast')).to.have.length.greaterThan(0)
      expect(story.open('slow').length).to.be.lessThan(before)
      const pieces = story.open().map(ask => ask.firstPiece)
      expect(new Set(pieces).size).to.equal(pieces.length)
    })

    it('asks a second peer for the last piece when it is late, and cancels the loser', () => {
      const story = new Story({ pieceCount: 3 })
      story.known(0, 'a')
      story.known(0, 'b')
      const [first, second, ...rest] = story.open()
      if (first === undefined || second === undefined) throw new Error('nothing was asked')
      for (const ask of [second, ...rest]) story.answer(100, ask)
      const late = story.open()
      expect(late).to.have.length(1)
      story.tick(1_000)
      const both = story.open().filter(ask => ask.firstPiece === first.firstPiece)
      expect(both).to.have.length(2)
      const winner = both[1]
      if (winner === undefined) throw new Error('no second request')
      const actions = story.answer(1_100, winner)
      const { request, source } = first
      expect(actions).to.deep.include({ kind: 'cancel', request, source, reason: 'lost' })
      expect(story.session.isComplete()).to.equal(true)
    })

    it('counts what came of a piece that another peer then had first', () => {
      const story = new Story({ pieceCount: 4 })
      story.known(0, 'a')
      for (let nowMs = 50; story.open().length > 1; nowMs += 50) {
        const [done] = story.open()
        if (done !== undefined) story.answer(nowMs, done)
      }
      const late = story.open()[0]
      if (late === undefined) throw new Error('nothing was asked')
      story.do(160, { kind: 'received', request: late.request, bytes: 0.9 * PIECE })
      story.known(1_000, 'b')
      const winner = story.open('b')[0]
      if (winner === undefined) throw new Error('it was not copied')
      story.answer(1_050, winner)
      expect(story.session.view(1_100).duplicateBytes).to.be.within(0.9 * PIECE, PIECE)
    })

    it('lets no more than one piece of a small blob come twice', () => {
      for (const pieceCount of [2, 4, 8, 32]) {
        const models = [...peers(3, { rate: 60e3 }), originOf(20e6)]
        const { session, doneMs } = runWorld(models, { pieceCount })
        expect(doneMs).to.be.lessThan(2_000)
        expect(session.view(0).duplicateBytes, String(pieceCount)).to.be.at.most(PIECE)
      }
    })

    it('asks again at once, and as often as it takes, for what has not begun to come', () => {
      const story = new Story({ pieceCount: 3 })
      story.known(0, 'a')
      story.known(0, 'b')
      const done = story.open()[1]
      if (done === undefined) throw new Error('nothing was asked')
      story.answer(50, done)
      for (const name of ['c', 'd']) story.peer(1_000, name)
      story.tick(1_000)
      expect(new Set(story.open().map(ask => ask.source)).size).to.be.at.least(3)
      for (const nowMs of [1_050, 1_060, 1_070]) {
        for (const ask of story.open('c')) story.answer(nowMs, ask)
        for (const ask of story.open('d')) story.answer(nowMs, ask)
      }
      expect(story.session.isComplete()).to.equal(true)
      expect(story.session.view(1_100).duplicateBytes).to.equal(0)
    })
  })

  it('counts what is missing and what nobody has', () => {
    const story = new Story({ pieceCount: 4, held: [0] })
    story.peer(0, 'a', bits(4, 1))
    expect(story.session.view(0)).to.include({
      heldBytes: PIECE,
      missingPieceCount: 3,
      withoutSourceCount: 2,
    })
  })
})
