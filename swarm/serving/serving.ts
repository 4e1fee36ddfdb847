/** The serving side of one node: the rules in force, the rate limits that follow from them, and what was given to whom. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { Log } from '../../src/core/log.ts'
import type { Scope } from '../scope.ts'
import { createTokenBucket, type TokenBucket } from '../token-bucket.ts'
import type { Given, Receiver } from './given.ts'
import { mayGive, type Rules, type Surroundings, type Terms, termsFor } from './policy.ts'
import { type Limits, type LimitsInForce, limitsInForce, type ScheduleEntry } from './schedule.ts'

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
  readonly lan: Terms
  readonly wan: Terms
  readonly relay: Terms
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
  #words: Limits = {}
  #status: ServingStatus

  constructor(deps: ServingDeps, options: ServingOptions, configured: Limits) {
    this.#deps = deps
    this.#options = options
    this.#configured = configured
    this.origin = createTokenBucket(deps.clock, undefined)
    this.download = createTokenBucket(deps.clock, undefined)
    this.#upload = createTokenBucket(deps.clock, undefined)
    this.#unlimited = createTokenBucket(deps.clock, undefined)
    this.#status = this.#decide()
    this.#apply()
  }

  /** Looks at the time and the surroundings again; true when another answer to "whom do we serve" came out. */
  refresh(): boolean {
    const before = this.#status
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

  noteGiven(digest: Digest, to: Receiver, bytes: number): void {
    this.#deps.given.add(digest, to, bytes)
  }

  status(): ServingStatus {
    return this.#status
  }

  #decide(): ServingStatus {
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
