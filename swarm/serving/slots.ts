/**
 * Who may upload from us now: a bounded number of peers at a time, in turns, so that each gets a useful share and everybody
 * who comes gets a turn. Who must wait is told when to come back, each at another time. Pure.
 */
import { SLOT_WAITERS_MAX } from '../limits.ts'

export interface SlotRules {
  /** How long a peer keeps its slot while others wait. */
  readonly turnMs: number
  /** A peer that asked for nothing for this long gives its slot up to whoever wants it. */
  readonly idleMs: number
  /** How late a peer may come back without losing its place in the line. */
  readonly graceMs: number
  readonly retryMsMin: number
  readonly retryMsMax: number
}

export const SLOT_RULES: SlotRules = {
  /** A piece of 4 MiB at the rate of one slot takes 8 s. */
  turnMs: 10_000,
  idleMs: 2_000,
  graceMs: 2_000,
  retryMsMin: 100,
  /** A slot that is free sooner than foreseen is taken by whoever comes: nobody is sent away for long. */
  retryMsMax: 3_000,
}

/** Different times at which peers far back in the line come to look again. */
const SPREAD = 16

/** Below this rate a slot gives a piece too slowly to be of use to a swarm. */
const SLOT_BYTES_PER_SECOND = 512 * 1024
const SLOT_COUNT_MIN = 4
export const SLOT_COUNT_MAX = 64

/** As many as the upload can serve at a useful rate. */
export function slotCount(bytesPerSecond: number): number {
  const count = Math.floor(bytesPerSecond / SLOT_BYTES_PER_SECOND)
  return Math.min(Math.max(count, SLOT_COUNT_MIN), SLOT_COUNT_MAX)
}

/** The rate that keeps so many slots busy. */
export function slotRate(count: number): number {
  return count * SLOT_BYTES_PER_SECOND
}

export type Turn =
  | {
      readonly kind: 'go' /** It lost its slot to the one that asked. */
      readonly evicted?: string
    }
  | { readonly kind: 'wait'; readonly retryAfterMs: number }

interface Holder {
  endsMs: number
  idleSinceMs: number | undefined
}

export class Slots {
  readonly #rules: SlotRules
  readonly #holders = new Map<string, Holder>()
  /** When each that was sent away has a slot for certain, in the order of their first asking. */
  readonly #waiting = new Map<string, number>()

  constructor(rules: SlotRules) {
    this.#rules = rules
  }

  get holderCount(): number {
    return this.#holders.size
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  /** `count`: how many slots there are now. */
  ask(peerId: string, nowMs: number, count: number): Turn {
    this.#forgetLate(nowMs)
    const own = this.#holders.get(peerId)
    if (own !== undefined) return this.#goOn(peerId, own, nowMs, count)
    const evicted = this.#makeRoom(peerId, nowMs, count)
    if (evicted === undefined) return this.#wait(peerId, nowMs, count)
    this.#waiting.delete(peerId)
    this.#holders.set(peerId, { endsMs: this.#endOfTurn(nowMs), idleSinceMs: undefined })
    return evicted === '' ? { kind: 'go' } : { kind: 'go', evicted }
  }

  /** The peer has nothing open here at the moment. */
  rest(peerId: string, nowMs: number): void {
    const own = this.#holders.get(peerId)
    if (own !== undefined) own.idleSinceMs = nowMs
  }

  leave(peerId: string): void {
    this.#holders.delete(peerId)
    this.#waiting.delete(peerId)
  }

  #goOn(peerId: string, own: Holder, nowMs: number, count: number): Turn {
    own.idleSinceMs = undefined
    if (nowMs < own.endsMs) return { kind: 'go' }
    if (this.#holders.size <= count && this.#dueCount(nowMs) === 0) {
      own.endsMs = this.#endOfTurn(nowMs)
      return { kind: 'go' }
    }
    this.#holders.delete(peerId)
    return this.#wait(peerId, nowMs, count)
  }

  /** Who loses a slot to the one that asks, '' when one is free; `undefined` when none can be had. */
  #makeRoom(peerId: string, nowMs: number, count: number): string | undefined {
    const ahead = this.#dueCount(nowMs, peerId)
    for (const [idle, { idleSinceMs }] of this.#holders) {
      if (this.#holders.size < count) break
      if (idleSinceMs !== undefined && nowMs - idleSinceMs >= this.#rules.idleMs) {
        this.#holders.delete(idle)
      }
    }
    const free = Math.max(0, count - this.#holders.size)
    if (free > ahead) return ''
    const over = [...this.#holders].filter(([, { endsMs }]) => endsMs <= nowMs)
    if (this.#holders.size > count || free + over.length <= ahead) return undefined
    const [loser] = over.sort(([, a], [, b]) => a.endsMs - b.endsMs)
    if (loser === undefined) return undefined
    this.#holders.delete(loser[0])
    return loser[0]
  }

  #wait(peerId: string, nowMs: number, count: number): Turn {
    const { retryMsMin, retryMsMax } = this.#rules
    const known = this.#waiting.get(peerId)
    const atMs =
      known !== undefined && known > nowMs ? known : this.#nextSlotMs(peerId, nowMs, count)
    if (known !== undefined || this.#waiting.size < SLOT_WAITERS_MAX) {
      this.#waiting.set(peerId, atMs)
    }
    // Those with a long way to go come to look at different times, not all at once.
    const latestMs = retryMsMax - ((this.#rankOf(peerId) % SPREAD) * retryMsMax) / (2 * SPREAD)
    const retryAfterMs = Math.ceil(Math.min(Math.max(atMs - nowMs, retryMsMin), latestMs))
    return { kind: 'wait', retryAfterMs }
  }

  /** When a slot is left over after everybody who stands before `peerId` has had one. */
  #nextSlotMs(peerId: string, nowMs: number, count: number): number {
    const ends = [...this.#holders.values()].map(({ endsMs }) => Math.max(endsMs, nowMs))
    ends.sort((a, b) => a - b)
    const rank = this.#rankOf(peerId)
    const round = Math.floor(rank / count) * this.#rules.turnMs
    return (ends[rank % count] ?? ends.at(-1) ?? nowMs) + round
  }

  #rankOf(peerId: string): number {
    const line = [...this.#waiting.keys()]
    return this.#waiting.has(peerId) ? line.indexOf(peerId) : line.length
  }

  /** A turn ends early when that is what somebody was promised. */
  #endOfTurn(nowMs: number): number {
    const ends = [...this.#holders.values()].map(({ endsMs }) => endsMs).sort((a, b) => a - b)
    const promises = [...this.#waiting.values()].sort((a, b) => a - b)
    const open = promises.find((atMs, index) => (ends[index] ?? Number.POSITIVE_INFINITY) > atMs)
    return Math.min(nowMs + this.#rules.turnMs, open ?? Number.POSITIVE_INFINITY)
  }

  /** Those that wait, were promised a slot by now, and stand before `peerId`. */
  #dueCount(nowMs: number, peerId?: string): number {
    let count = 0
    for (const [each, atMs] of this.#waiting) {
      if (each === peerId) break
      if (atMs <= nowMs) count += 1
    }
    return count
  }

  #forgetLate(nowMs: number): void {
    for (const [peerId, atMs] of this.#waiting) {
      if (atMs + this.#rules.graceMs < nowMs) this.#waiting.delete(peerId)
    }
  }
}
