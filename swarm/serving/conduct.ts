/** What peers do wrong, counted: points for each kind of offence that fade with time, and what follows from them. Pure. */
import { CONDUCT_PEERS_MAX } from '../limits.ts'

/** Points of each offence. What an honest peer may do by bad luck is cheap, and what it never does is not. */
export const POINTS = {
  /** Bytes that are no message, or a message in the wrong place. */
  'broke the protocol': 25,
  /** A request that is no piece. */
  'malformed request': 5,
  /** A request for what is not served here: the catalog may have changed on the way, so many at once are no crime. */
  'unknown blob': 0.25,
  /** More messages than any transfer needs; its reading was stopped for a while. */
  flood: 25,
  /** It took bytes too slowly while they waited for it. */
  'slow reader': 20,
  /** It connected and said nothing. */
  silent: 10,
  /** It said that it has a piece, and then that it has not: a blob may have been deleted with 64 requests on their way. */
  'broken promise': 0.5,
  /** It was asked for a piece that it said it has, and sent nothing at all for a long time. */
  unanswered: 3,
  /** Bytes, or a piece layer, that are not the blob: banned at once, elsewhere. */
  'wrong bytes': 0,
} as const satisfies Record<string, number>

export type Offence = keyof typeof POINTS

/** These are never done by accident: only they lead to a ban. */
const DELIBERATE: ReadonlySet<Offence> = new Set([
  'broke the protocol',
  'malformed request',
  'flood',
])

/** `cut off`: the connection is ended, and the peer may come back after a while. */
export type Verdict = 'none' | 'cut off' | 'ban'

const CUT_OFF_POINTS = 50
/** Reached only by coming back again and again. */
const BAN_POINTS = 200
const FADE_POINTS_PER_SECOND = 1

/** How long a peer that was cut off is not let in again: it doubles while it comes back with the same. */
const SHUN_FIRST_MS = 10_000
const SHUN_MAX_MS = 600_000

/** What was on its way when a peer was cut off comes in until then, and is no reason to cut it off again. */
const ENDING_MS = 1_000

export interface Judgement {
  readonly verdict: Verdict
  /** With `cut off`: it may come back after this time. */
  readonly shunMs: number
  /** It has not done this before, as far as is remembered. */
  readonly isFirst: boolean
}

/** For people. */
export interface Misbehaviour {
  readonly peerId: string
  readonly points: number
  readonly offences: { readonly [O in Offence]?: number }
  /** The worst that followed. */
  readonly verdict: Verdict
}

interface Entry {
  /** Since its points were gone the last time. */
  cutOffs: number
  cutOffAtMs: number
  points: number
  deliberate: number
  atMs: number
  offences: { [O in Offence]?: number }
  verdict: Verdict
}

export class Conduct {
  readonly #records = new Map<string, Entry>()

  /** What to do about the peer now. */
  note(peerId: string, offence: Offence, nowMs: number): Judgement {
    const record = this.#recordOf(peerId, nowMs)
    fade(record, nowMs)
    record.points += POINTS[offence]
    if (DELIBERATE.has(offence)) record.deliberate += POINTS[offence]
    const count = (record.offences[offence] ?? 0) + 1
    record.offences[offence] = count
    const isEnding = nowMs - record.cutOffAtMs < ENDING_MS
    const found = verdictOn(offence, record)
    const verdict = isEnding && found === 'cut off' ? 'none' : found
    if (verdict === 'ban' || record.verdict === 'none') record.verdict = verdict
    if (verdict === 'cut off') {
      record.cutOffs += 1
      record.cutOffAtMs = nowMs
    }
    const shunMs = Math.min(SHUN_FIRST_MS * 2 ** (record.cutOffs - 1), SHUN_MAX_MS)
    return { verdict, shunMs, isFirst: count === 1 }
  }

  list(nowMs: number): readonly Misbehaviour[] {
    return [...this.#records].map(([peerId, record]) => {
      fade(record, nowMs)
      const { points, offences, verdict } = record
      return { peerId, points: Math.ceil(points), offences: { ...offences }, verdict }
    })
  }

  /** The one whose last offence is the longest ago is forgotten first. */
  #recordOf(peerId: string, nowMs: number): Entry {
    const known = this.#records.get(peerId)
    const record = known ?? {
      ...{ points: 0, deliberate: 0, cutOffs: 0, atMs: nowMs, offences: {} },
      cutOffAtMs: Number.NEGATIVE_INFINITY,
      verdict: 'none' as const,
    }
    this.#records.delete(peerId)
    this.#records.set(peerId, record)
    const [oldest] = this.#records.keys()
    if (this.#records.size > CONDUCT_PEERS_MAX && oldest !== undefined) {
      this.#records.delete(oldest)
    }
    return record
  }
}

function verdictOn(offence: Offence, { points, deliberate }: Entry): Verdict {
  if (offence === 'wrong bytes' || deliberate >= BAN_POINTS) return 'ban'
  // These end the connection by themselves: what was sent cannot be told from what was not.
  const isOver =
    offence === 'broke the protocol' || offence === 'slow reader' || offence === 'silent'
  return isOver || points >= CUT_OFF_POINTS ? 'cut off' : 'none'
}

function fade(record: Entry, nowMs: number): void {
  const faded = ((nowMs - record.atMs) / 1000) * FADE_POINTS_PER_SECOND
  record.points = Math.max(0, record.points - faded)
  record.deliberate = Math.max(0, record.deliberate - faded)
  if (record.points === 0) record.cutOffs = 0
  record.atMs = nowMs
}
