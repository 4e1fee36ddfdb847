/** The serving side of one node: the rules in force, the rate limits that follow from them, and what was given to whom. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { Log } from '../../src/core/log.ts'
import type { Scope } from '../scope.ts'
import { createTokenBucket, type TokenBucket } from '../token-bucket.ts'
import type { Given, Receiver } from './given.ts'
import { mayGive, type Rules, type Surroundings, type Terms, termsFor } from './policy.ts'
import { type Limits, type LimitsInForce, limitsInForce, type ScheduleEntry } from './schedule.ts'
import { SLOT_COUNT_MAX, SLOT_RULES, Slots, slotCount, slotRate } from './slots.ts'

export interface ServingOptions extends Rules {
  readonly schedule: readonly ScheduleEntry[]
}

export interface ServingDeps {
  readonly clock: Clock
  readonly log: Log
  readonly given: Pick<Given, 'add' | 'beyondHouse'>
  surroundings(): Surroundings
}

/** What is in force now, for people. */
export interface ServingStatus {
  readonly limits: LimitsInForce
  /** Peers that have an upload slot, how many there are, and who waits for one. */
  readonly slots: { readonly used: number; readonly count: number; readonly waiting: number }
  readonly lan: Terms
  readonly wan: Terms
  readonly relay: Terms
}

type Decided = Omit<ServingStatus, 'slots'>

interface Measured {
  bytesPerSecond: number
  bytes: number
  sinceMs: number
}

/** Before anything was measured: as many slots as there can be. */
const UPLOAD_ASSUMED = slotRate(SLOT_COUNT_MAX)
/** A quiet moment is not a slow link: what was measured is forgotten slowly, and only while bytes go out. */
const MEASURED_KEPT = 0.8
const MEASURE_MS_MIN = 1_000

function measure(measured: Measured, nowMs: number): void {
  const forMs = nowMs - measured.sinceMs
  if (forMs < MEASURE_MS_MIN) return
  const rate = (measured.bytes * 1000) / forMs
  if (measured.bytes > 0) {
    measured.bytesPerSecond = Math.max(rate, measured.bytesPerSecond * MEASURED_KEPT)
  }
  measured.bytes = 0
  measured.sinceMs = nowMs
}

export class Serving {
  /** From origins; those in the house count like all others. */
  readonly origin: TokenBucket
  /** Beyond the house, or of everybody with `limitLan`. */
  readonly download: TokenBucket
  readonly #upload: TokenBucket
  readonly #unlimited: TokenBucket
  readonly #deps: ServingDeps
  readonly #options: ServingOptions
  readonly #configured: Limits
  readonly #slots = new Slots(SLOT_RULES)
  /** Who has a slot, and what to call when it is lost. */
  readonly #holders = new Map<string, () => void>()
  readonly #measured: Measured
  #words: Limits = {}
  #status: Decided

  constructor(deps: ServingDeps, options: ServingOptions, configured: Limits) {
    this.#deps = deps
    this.#options = options
    this.#configured = configured
    this.origin = createTokenBucket(deps.clock, undefined)
    this.download = createTokenBucket(deps.clock, undefined)
    this.#upload = createTokenBucket(deps.clock, undefined)
    this.#unlimited = createTokenBucket(deps.clock, undefined)
    this.#measured = { bytesPerSecond: UPLOAD_ASSUMED, bytes: 0, sinceMs: deps.clock.monotonicMs() }
    this.#status = this.#decide()
    this.#apply()
  }

  /** Looks at the time and the surroundings again; true when another answer to "whom do we serve" came out. */
  refresh(): boolean {
    const before = this.#status
    measure(this.#measured, this.#deps.clock.monotonicMs())
    this.#status = this.#decide()
    this.#apply()
    const { lan, wan } = this.#status
    const isChanged = lan.serves !== before.lan.serves || wan.serves !== before.wan.serves
    if (isChanged) this.#deps.log.info('serving changed', { lan: lan.why, wan: wan.why })
    return isChanged
  }

  /** The owner's limits; they go over the configuration and its schedule. */
  setWords(words: Limits): void {
    this.#words = words
    this.refresh()
  }

  termsFor(scope: Scope): Terms {
    return this.#status[scope]
  }

  uploadFor(scope: Scope): TokenBucket {
    return this.#status[scope].isExempt ? this.#unlimited : this.#upload
  }

  downloadFor(scope: Scope): TokenBucket {
    return this.#status[scope].isExempt ? this.#unlimited : this.download
  }

  /** Whether a peer of this scope may have bytes of the blob, as far as these rules go. */
  mayGive({ digest, sizeBytes }: { digest: Digest; sizeBytes: number }, scope: Scope): boolean {
    const givenBytes = this.#deps.given.beyondHouse(digest)
    return this.#status[scope].serves && mayGive(scope, this.#options, { sizeBytes, givenBytes })
  }

  /**
   * Asks for a turn: 0 when the peer may have bytes now, else the milliseconds after which it should come back. A peer that
   * is exempt from limits needs no turn. `onLost`: somebody else has the slot now.
   */
  admit({ peerId, scope }: Receiver, onLost: () => void): number {
    if (this.#status[scope].isExempt) return 0
    const nowMs = this.#deps.clock.monotonicMs()
    const turn = this.#slots.ask(peerId, nowMs, this.#slotCount())
    if (turn.kind === 'wait') {
      this.#holders.delete(peerId)
      return turn.retryAfterMs
    }
    this.#holders.set(peerId, onLost)
    if (turn.evicted === undefined) return 0
    const tellLoser = this.#holders.get(turn.evicted)
    this.#holders.delete(turn.evicted)
    tellLoser?.()
    return 0
  }

  /** The peer has nothing open at the moment. */
  rest(peerId: string): void {
    this.#slots.rest(peerId, this.#deps.clock.monotonicMs())
  }

  leave(peerId: string): void {
    this.#slots.leave(peerId)
    this.#holders.delete(peerId)
  }

  #slotCount(): number {
    return slotCount(this.#upload.bytesPerSecond ?? this.#measured.bytesPerSecond)
  }

  noteGiven(digest: Digest, to: Receiver, bytes: number): void {
    if (!this.#status[to.scope].isExempt) this.#measured.bytes += bytes
    this.#deps.given.add(digest, to, bytes)
  }

  status(): ServingStatus {
    const { holderCount: used, waitingCount: waiting } = this.#slots
    return { ...this.#status, slots: { used, count: this.#slotCount(), waiting } }
  }

  #decide(): Decided {
    const { clock, surroundings } = this.#deps
    const { schedule } = this.#options
    const settings = { configured: this.#configured, schedule, words: this.#words }
    const limits = limitsInForce(settings, clock.nowMs())
    const now = surroundings()
    return {
      limits,
      lan: termsFor('lan', this.#options, now, limits),
      wan: termsFor('wan', this.#options, now, limits),
      relay: termsFor('relay', this.#options, now, limits),
    }
  }

  #apply(): void {
    const { upload, download, origin } = this.#status.limits
    this.#upload.setRate(upload.bytesPerSecond)
    this.download.setRate(download.bytesPerSecond)
    this.origin.setRate(origin.bytesPerSecond)
  }
}
