/** How fast one peer is read: by the download limit, and by a budget for its messages. */
import type { Clock } from '../../src/core/clock.ts'
import { MESSAGE_COST_PER_SECOND } from '../limits.ts'
import type { Offence } from '../serving/conduct.ts'
import type { Receiver } from '../serving/given.ts'
import type { Serving } from '../serving/serving.ts'
import { createTokenBucket, type TokenBucket } from '../token-bucket.ts'
import type { Carrier } from './carrier.ts'

export interface ReadingDeps {
  readonly clock: Clock
  readonly serving: Serving
  /** The peer did something wrong; what follows may end its link. */
  report(peerId: string, offence: Offence): void
}

/** Half a second of the budget may be used at once: more than a question about as many blobs as one may name. */
const BUDGET_BURST_MS = 500

export class Reading {
  readonly #deps: ReadingDeps
  readonly #peer: Receiver
  readonly #signal: AbortSignal
  readonly #budget: TokenBucket
  readonly #resting = new Set<Carrier>()
  #receivedBytes = 0
  /** What came in beyond the budget since the last report: messages that were on their way when reading stopped. */
  #overdrawn = 0

  /** `signal`: the link is closed. */
  constructor(deps: ReadingDeps, peer: Receiver, signal: AbortSignal) {
    this.#deps = deps
    this.#peer = peer
    this.#signal = signal
    this.#budget = createTokenBucket(deps.clock, MESSAGE_COST_PER_SECOND, BUDGET_BURST_MS)
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** Bytes came in; beyond the download limit no more are read for a while. */
  note(count: number, via: Carrier): void {
    this.#receivedBytes += count
    const limit = this.#deps.serving.downloadFor(this.#peer.scope)
    if (limit.debit(count) > 0) this.#rest(via, limit)
  }

  /** Counts what a message costs; beyond the budget nothing more is read for a while, and that is an offence. */
  charge(cost: number, via: Carrier): void {
    if (cost === 0 || this.#budget.debit(cost) === 0) return
    this.#overdrawn += cost
    const isNew = this.#rest(via, this.#budget)
    if (!isNew && this.#overdrawn < MESSAGE_COST_PER_SECOND) return
    this.#overdrawn = 0
    this.#deps.report(this.#peer.peerId, 'flood')
  }

  /** False when it rests already. */
  #rest(via: Carrier, limit: TokenBucket): boolean {
    if (this.#resting.has(via)) return false
    this.#resting.add(via)
    via.pause()
    const goOn = (): void => {
      this.#resting.delete(via)
      via.resume()
    }
    // Rejects only when the link was closed meanwhile: then there is nothing to read any more.
    limit.take(0, this.#signal).then(goOn, goOn)
    return true
  }
}
