/** One real session among simulated sources on a virtual clock: rates, latency, silence and lies, but no bytes. */
import {
  createSession,
  type Session,
  type SessionAction,
  type SessionEvent,
} from '../../../swarm/transfer/session.ts'

export interface SourceModel {
  readonly id: string
  readonly kind: 'peer' | 'origin'
  /** Bytes per second of all its answers together. */
  readonly rate: number
  readonly latencyMs?: number
  readonly joinsAtMs?: number
  readonly isLocal?: boolean
  /** Says that it has everything; absent pieces are said to be there as well. */
  readonly pieces?: readonly number[]
  /** Says nothing to any request. */
  readonly isDead?: boolean
  /** Every piece it sends is wrong. */
  readonly isLiar?: boolean
  /** Falls silent in the middle of its last piece, when each other source has one piece left at most. */
  readonly stallsAt?: 'last'
}

export interface WorldSettings {
  readonly pieceCount: number
  readonly pieceSizeBytes?: number
  readonly peersExpected?: boolean
  readonly seed?: number
  readonly budgetBytes?: number
  readonly untilMs?: number
}

export interface WorldOutcome {
  /** `undefined`: it did not complete in time. */
  readonly doneMs: number | undefined
  /** When the first request was sent. */
  readonly firstAskMs: number | undefined
  readonly verifiedBytes: ReadonlyMap<string, number>
  readonly sentBytes: ReadonlyMap<string, number>
  readonly bans: readonly string[]
  /** When each piece came, in order. */
  readonly pieceTimesMs: readonly number[]
  readonly eventCount: number
  readonly session: Session
  readonly actions: readonly SessionAction[]
}

type Ask = SessionAction & { kind: 'ask' }

interface Answer {
  readonly ask: Ask
  readonly readyAtMs: number
  leftBytes: number
  sinceBytes: number
}

interface Live extends SourceModel {
  readonly answers: Answer[]
  hasLeft: boolean
  isStalled: boolean
}

/** Steps of the clock; every source sends what its rate allows in each. */
const STEP_MS = 5
const TICK_MS = 20
const PIECE_BYTES = 256 * 1024

export function runWorld(models: readonly SourceModel[], settings: WorldSettings): WorldOutcome {
  return new World(models, settings).run()
}

class World {
  readonly #settings: Required<WorldSettings>
  readonly #session: Session
  readonly #sources: Live[]
  readonly #asked = new Map<number, Live>()
  readonly #verified = new Map<string, number>()
  readonly #sent = new Map<string, number>()
  readonly #bans: string[] = []
  readonly #actions: SessionAction[] = []
  readonly #pieceTimesMs: number[] = []
  #nowMs = 0
  #eventCount = 0
  #firstAskMs: number | undefined

  constructor(models: readonly SourceModel[], settings: WorldSettings) {
    this.#settings = {
      pieceSizeBytes: PIECE_BYTES,
      peersExpected: models.some(({ kind }) => kind === 'peer'),
      seed: 1,
      budgetBytes: 48 * 1024 * 1024,
      untilMs: 120_000,
      ...settings,
    }
    const { pieceCount, pieceSizeBytes, seed, peersExpected } = this.#settings
    const sizeBytes = pieceCount * pieceSizeBytes
    this.#session = createSession({
      ...{ sizeBytes, pieceSizeBytes, pieceCount, seed, peersExpected },
      isHeld: () => false,
      startedMs: 0,
    })
    this.#sources = models.map(model => {
      return { ...model, answers: [], hasLeft: false, isStalled: false }
    })
  }

  run(): WorldOutcome {
    const joining = [...this.#sources]
    for (; this.#nowMs < this.#settings.untilMs; this.#nowMs += STEP_MS) {
      for (const source of joining.filter(({ joinsAtMs = 0 }) => joinsAtMs <= this.#nowMs)) {
        joining.splice(joining.indexOf(source), 1)
        this.#join(source)
      }
      if (this.#nowMs % TICK_MS === 0) this.#do({ kind: 'tick' })
      for (const source of this.#sources) this.#send(source)
      if (this.#session.isComplete()) break
    }
    return {
      doneMs: this.#session.isComplete() ? this.#nowMs : undefined,
      firstAskMs: this.#firstAskMs,
      verifiedBytes: this.#verified,
      sentBytes: this.#sent,
      bans: this.#bans,
      pieceTimesMs: this.#pieceTimesMs,
      eventCount: this.#eventCount,
      session: this.#session,
      actions: this.#actions,
    }
  }

  #join({ id, kind, pieces, isLocal = false }: Live): void {
    const requestsMax = kind === 'origin' ? 3 : 64
    const known = { source: id, sourceKind: kind, requestsMax, rate: undefined, isLocal }
    this.#do({ kind: 'joined', ...known })
    if (kind === 'peer') this.#do({ kind: 'holds', source: id, pieces: pieces ?? 'all' })
  }

  #do(event: SessionEvent): void {
    this.#eventCount += 1
    const { budgetBytes } = this.#settings
    const openBytes = this.#asked.size * this.#settings.pieceSizeBytes
    const leftBytes = Math.max(0, budgetBytes - openBytes)
    for (const action of this.#session.handle(event, this.#nowMs, leftBytes)) this.#act(action)
  }

  #act(action: SessionAction): void {
    this.#actions.push(action)
    const source = this.#sources.find(({ id }) => id === action.source)
    if (source === undefined) throw new Error(`no source ${action.source}`)
    if (action.kind === 'ban') {
      this.#bans.push(source.id)
      source.hasLeft = source.kind === 'peer'
    } else if (action.kind === 'cancel') {
      if (!this.#asked.delete(action.request)) throw new Error('cancelled what was not open')
      const at = source.answers.findIndex(({ ask }) => ask.request === action.request)
      if (at >= 0) source.answers.splice(at, 1)
    } else {
      this.#firstAskMs ??= this.#nowMs
      this.#asked.set(action.request, source)
      const readyAtMs = this.#nowMs + (source.latencyMs ?? 1)
      const { pieceSizeBytes } = this.#settings
      const answer = { ask: action, readyAtMs, leftBytes: action.pieceCount * pieceSizeBytes }
      source.answers.push({ ...answer, sinceBytes: 0 })
    }
  }

  #send(source: Live): void {
    const { missingPieceCount } = this.#session.view(this.#nowMs)
    const isLast = missingPieceCount <= this.#sources.length && source.answers.length === 1
    if (source.stallsAt === 'last' && isLast) source.isStalled = true
    if (source.isDead === true || source.hasLeft || source.isStalled) return
    const ready = source.answers.filter(({ readyAtMs }) => readyAtMs <= this.#nowMs)
    // A peer answers in order, an origin shares its rate among its connections.
    const served = source.kind === 'peer' ? ready.slice(0, 1) : ready
    let budget = (source.rate * STEP_MS) / 1000
    for (const [index, answer] of served.entries()) {
      budget -= this.#feed(source, answer, budget / (served.length - index))
      if (source.hasLeft) return
    }
    // What is left of this step goes to the next answer.
    for (const answer of source.kind === 'peer' ? ready.slice(1) : []) {
      if (budget < 1 || source.hasLeft) return
      if (this.#asked.has(answer.ask.request)) budget -= this.#feed(source, answer, budget)
    }
  }

  #feed(source: Live, answer: Answer, limit: number): number {
    const { request, firstPiece, pieceCount } = answer.ask
    const bytes = Math.min(limit, answer.leftBytes)
    if (bytes <= 0 || !this.#asked.has(request)) return 0
    answer.leftBytes -= bytes
    answer.sinceBytes += bytes
    this.#sent.set(source.id, (this.#sent.get(source.id) ?? 0) + bytes)
    this.#do({ kind: 'received', request, bytes })
    const { pieceSizeBytes } = this.#settings
    while (answer.sinceBytes >= pieceSizeBytes - 1e-6) {
      answer.sinceBytes -= pieceSizeBytes
      const left = Math.round((answer.leftBytes + answer.sinceBytes) / pieceSizeBytes)
      this.#finishPiece(source, request, firstPiece + pieceCount - 1 - left)
      if (!this.#asked.has(request) || source.hasLeft) break
    }
    if (answer.leftBytes <= 1e-6) this.#close(source, answer)
    return bytes
  }

  #finishPiece(source: Live, request: number, pieceIndex: number): void {
    const outcome = source.isLiar === true ? 'mismatch' : 'stored'
    if (outcome === 'stored') {
      const { pieceSizeBytes } = this.#settings
      this.#verified.set(source.id, (this.#verified.get(source.id) ?? 0) + pieceSizeBytes)
      this.#pieceTimesMs.push(this.#nowMs)
    }
    this.#do({ kind: 'piece', request, pieceIndex, outcome })
  }

  #close(source: Live, answer: Answer): void {
    const at = source.answers.indexOf(answer)
    if (at >= 0) source.answers.splice(at, 1)
    const isOpen = this.#asked.delete(answer.ask.request)
    if (isOpen) this.#do({ kind: 'ended', request: answer.ask.request, outcome: 'done' })
  }
}
