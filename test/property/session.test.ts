/** Random peers, failures and lies against the real schedule: what must hold however they behave. */
import { expect } from 'chai'
import fc from 'fast-check'
import { Bitfield } from '../../swarm/bitfield.ts'
import {
  createSession,
  type SessionAction,
  type SessionEvent,
} from '../../swarm/transfer/session.ts'

const PIECE = 256 * 1024

type Ask = SessionAction & { kind: 'ask' }

/** What happens next; numbers choose among what is open. */
const step = fc.record({
  what: fc.constantFrom('bytes', 'piece', 'busy', 'absent', 'failed', 'wrong', 'left', 'tick'),
  which: fc.nat({ max: 1000 }),
  waitMs: fc.nat({ max: 400 }),
})

const scene = fc.record({
  pieceCount: fc.integer({ min: 1, max: 40 }),
  seed: fc.nat(),
  budgetPieces: fc.integer({ min: 0, max: 20 }),
  partial: fc.array(fc.array(fc.nat({ max: 39 }), { maxLength: 20 }), { maxLength: 4 }),
  hasOrigin: fc.boolean(),
  steps: fc.array(step, { maxLength: 200 }),
})

type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never

/** Plays a scene and checks each action; then the honest peer answers everything. */
class Play {
  readonly #scene: Scene
  readonly #session
  readonly #open = new Map<number, { ask: Ask; left: Set<number> }>()
  readonly #gone = new Set<string>()
  #nowMs = 0

  constructor(chosen: Scene) {
    this.#scene = chosen
    const { pieceCount, seed } = chosen
    this.#session = createSession({
      ...{ sizeBytes: pieceCount * PIECE, pieceSizeBytes: PIECE, pieceCount, seed },
      ...{ isHeld: () => false, startedMs: 0, peersExpected: true },
    })
  }

  run(): void {
    this.#join('honest', 'all')
    for (const [index, pieces] of this.#scene.partial.entries()) {
      const field = new Bitfield(this.#scene.pieceCount)
      for (const piece of pieces) field.add(piece)
      this.#join(`peer${index}`, field)
    }
    if (this.#scene.hasOrigin) this.#joinAs('origin', 'origin')
    for (const { what, which, waitMs } of this.#scene.steps) this.#step(what, which, waitMs)
    // From here on only the honest peer answers; every other one is silent.
    for (let turn = 0; turn < 4_000 && !this.#session.isComplete(); turn += 1) {
      this.#nowMs += 250
      this.#do({ kind: 'tick' })
      // The HTTP client gives up by itself.
      const atOrigin = [...this.#open.values()].find(({ ask }) => ask.source === 'origin')
      if (turn % 40 === 39 && atOrigin !== undefined) this.#end(atOrigin.ask, 'failed')
      const [next] = [...this.#open.values()].filter(({ ask }) => ask.source === 'honest')
      if (next !== undefined) this.#finish(next.ask)
    }
    expect(this.#session.isComplete()).to.equal(true)
    expect(this.#open.size).to.equal(0)
  }

  #step(what: string, which: number, waitMs: number): void {
    this.#nowMs += waitMs
    const open = [...this.#open.values()]
    const chosen = open[which % Math.max(1, open.length)]
    if (what === 'tick' || chosen === undefined) {
      this.#do({ kind: 'tick' })
      return
    }
    const { ask } = chosen
    const { request, source } = ask
    const isHonest = source === 'honest'
    if (what === 'bytes') this.#do({ kind: 'received', request, bytes: 1 + (which % 1000) })
    else if (what === 'piece' || (isHonest && what !== 'busy')) this.#finish(ask)
    else if (what === 'wrong') {
      this.#do({ kind: 'piece', request, pieceIndex: ask.firstPiece, outcome: 'mismatch' })
    } else if (what === 'left') {
      if (source === 'origin') return
      this.#gone.add(source)
      this.#do({ kind: 'left', source })
    } else this.#end(ask, what as 'busy' | 'absent' | 'failed')
  }

  #join(source: string, pieces: 'all' | Bitfield): void {
    this.#joinAs(source, 'peer')
    this.#do({ kind: 'holds', source, pieces })
  }

  #joinAs(source: string, sourceKind: 'peer' | 'origin'): void {
    const requestsMax = sourceKind === 'origin' ? 3 : 64
    this.#do({ kind: 'joined', source, sourceKind, requestsMax, rate: undefined })
  }

  #finish({ request, firstPiece, pieceCount }: Ask): void {
    for (let index = firstPiece; index < firstPiece + pieceCount; index += 1) {
      if (!this.#open.has(request)) return
      this.#do({ kind: 'received', request, bytes: PIECE })
      this.#do({ kind: 'piece', request, pieceIndex: index, outcome: 'stored' })
    }
    this.#open.delete(request)
  }

  #end({ request }: Ask, outcome: 'busy' | 'absent' | 'failed'): void {
    this.#open.delete(request)
    this.#do({ kind: 'ended', request, outcome, retryAfterMs: 300 })
  }

  #do(event: SessionEvent): void {
    const room = Math.max(0, this.#scene.budgetPieces - this.#open.size)
    const before = this.#open.size
    let asked = 0
    if (event.kind === 'piece' && event.outcome === 'stored') this.#notePiece(event)
    for (const action of this.#session.handle(event, this.#nowMs, room * PIECE)) {
      if (action.kind === 'cancel') {
        expect(this.#open.delete(action.request), 'cancels what is open').to.equal(true)
      } else if (action.kind === 'ban')
        this.#gone.add(action.source === 'origin' ? '' : action.source)
      else {
        asked += 1
        this.#checkAsk(action)
        const pieces = Array.from({ length: action.pieceCount }, (_, n) => action.firstPiece + n)
        this.#open.set(action.request, { ask: action, left: new Set(pieces) })
      }
    }
    if (before > 0) expect(asked, 'stays within the budget').to.be.at.most(room + 1)
  }

  #notePiece({ request, pieceIndex }: { request: number; pieceIndex: number }): void {
    const open = this.#open.get(request)
    open?.left.delete(pieceIndex)
    if (open?.left.size === 0) this.#open.delete(request)
  }

  #checkAsk(ask: Ask): void {
    expect(this.#gone.has(ask.source), 'asks nobody who is gone').to.equal(false)
    expect(ask.firstPiece + ask.pieceCount).to.be.at.most(this.#scene.pieceCount)
    for (const { ask: other, left } of this.#open.values()) {
      if (other.source !== ask.source) continue
      for (let index = ask.firstPiece; index < ask.firstPiece + ask.pieceCount; index += 1) {
        expect(left.has(index), `asks ${ask.source} twice for ${index}`).to.equal(false)
      }
    }
  }
}

describe('the schedule of a download', () => {
  it('completes from one honest peer whatever the others do, and never asks anyone twice at once', () => {
    fc.assert(
      fc.property(scene, chosen => new Play(chosen).run()),
      { numRuns: 200 },
    )
  })
})
