/** What is remembered of one peer of the catalog, so that a new stream, or a new connection, starts nothing afresh. */
import { createHash } from 'node:crypto'
import type { Clock } from '../../src/core/clock.ts'
import {
  RELAY_GET_BURST,
  RELAY_GETS_PER_SECOND,
  RELAY_LOWERED_MS,
  RELAY_LOWERED_MS_MAX,
  RELAY_NEIGHBOURS_MAX,
  RELAY_PUSH_BURST,
  RELAY_PUSHES_PER_SECOND,
  RELAY_SAY_BURST,
  RELAY_SAYS_PER_SECOND,
  RELAY_TOLD_COUNT_MAX,
} from '../limits.ts'
import { createTokenBucket, type TokenBucket } from '../token-bucket.ts'
import type { CatalogHead } from './messages.ts'

export class Neighbour {
  readonly peerId: string
  /** Heads, timestamps, proofs and unknown messages that it sent. */
  readonly pushes: TokenBucket
  /** Files that it asked for. */
  readonly gets: TokenBucket
  /** Answers of its that nobody waits for. */
  readonly strays: TokenBucket
  /** Its questions that are being answered. */
  serving = 0
  /** What it said last; `undefined` without a catalog. */
  head: CatalogHead | undefined
  readonly #clock: Clock
  readonly #says: TokenBucket
  readonly #told = new Set<string>()
  #lowered = { count: 0, untilMs: 0 }

  constructor(peerId: string, clock: Clock) {
    this.peerId = peerId
    this.#clock = clock
    this.pushes = bucket(clock, RELAY_PUSHES_PER_SECOND, RELAY_PUSH_BURST)
    this.gets = bucket(clock, RELAY_GETS_PER_SECOND, RELAY_GET_BURST)
    this.strays = bucket(clock, RELAY_GETS_PER_SECOND, RELAY_GET_BURST)
    this.#says = bucket(clock, RELAY_SAYS_PER_SECOND, RELAY_SAY_BURST)
  }

  get isLowered(): boolean {
    return this.#lowered.untilMs > this.#clock.monotonicMs()
  }

  lower(): void {
    const count = this.#lowered.count + 1
    const lastsMs = Math.min(RELAY_LOWERED_MS * 2 ** (count - 1), RELAY_LOWERED_MS_MAX)
    this.#lowered = { count, untilMs: this.#clock.monotonicMs() + lastsMs }
  }

  /** A head is always said, but what is said beside it waits for its turn. */
  noteHeadSaid(): void {
    this.#says.debit(1)
  }

  /** Whether to tell it this: once, and never so fast that its own bound on pushes could be met. */
  mayTell(frame: Uint8Array): boolean {
    if (this.#told.has(keyOf(frame)) || this.#says.debit(0) > 0) return false
    this.#says.debit(1)
    this.noteKnown(frame)
    return true
  }

  /** It has this: we told it, or it told us. */
  noteKnown(frame: Uint8Array): void {
    const [oldest] = this.#told
    if (this.#told.size >= RELAY_TOLD_COUNT_MAX && oldest !== undefined) this.#told.delete(oldest)
    this.#told.add(keyOf(frame))
  }

  /** Its last stream ended: what was on its way may be lost. What it cost us stays. */
  leave(): void {
    this.head = undefined
    this.#told.clear()
  }
}

export interface Neighbours {
  /** Known, or new. */
  of(peerId: string): Neighbour
}

/** The longest unseen is forgotten first; one that `isLive` names is never. */
export function createNeighbours(clock: Clock, isLive: (peerId: string) => boolean): Neighbours {
  const all = new Map<string, Neighbour>()
  return {
    of(peerId) {
      const neighbour = all.get(peerId) ?? new Neighbour(peerId, clock)
      all.delete(peerId)
      all.set(peerId, neighbour)
      if (all.size > RELAY_NEIGHBOURS_MAX) {
        const unseen = [...all.keys()].find(key => key !== peerId && !isLive(key))
        if (unseen !== undefined) all.delete(unseen)
      }
      return neighbour
    },
  }
}

function bucket(clock: Clock, perSecond: number, burst: number): TokenBucket {
  return createTokenBucket(clock, perSecond, (burst / perSecond) * 1000)
}

function keyOf(frame: Uint8Array): string {
  return createHash('sha256').update(frame).digest('base64')
}
