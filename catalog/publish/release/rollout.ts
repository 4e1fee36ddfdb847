/** A release on its way to all nodes: beginning, widening, halting and completing a staged rollout. Pure. */
import type { Draft, DraftApp, DraftChannel, DraftRollout } from '../draft.ts'
import {
  type ChannelPlace,
  findChannel,
  findRelease,
  nameOf,
  refused,
  withChannel,
} from './find.ts'

export type RolloutStep = readonly [afterSeconds: number, percent: number]

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const STEP_COUNT_MAX = 32
/** Ten years: a rollout that takes longer is a mistake. */
const STEP_SECONDS_MAX = 3650 * 86_400

/**
 * `0:1,1d:10,3d:50,7d:100`: how long after the start (seconds, or with s, m, h or d), and the percentage from then on.
 * @throws PublishError `DECISION_REFUSED`
 */
export function parseSteps(text: string): readonly RolloutStep[] {
  const steps = text.split(',').map(part => {
    const match = /^(\d{1,9})([smhd]?):(\d{1,3})%?$/.exec(part.trim())
    if (match === null) throw notSteps(text, `${JSON.stringify(part.slice(0, 40))} is not a step`)
    const [, number, unit, percent] = match
    const after = Number(number) * SECONDS[(unit || 's') as keyof typeof SECONDS]
    return [after, Number(percent)] as const
  })
  if (steps.length > STEP_COUNT_MAX) throw notSteps(text, `${STEP_COUNT_MAX} steps are the most`)
  steps.forEach(([after, percent], index) => {
    if (percent > 100) throw notSteps(text, `${percent} % of the nodes are more than all`)
    if (after > STEP_SECONDS_MAX) throw notSteps(text, 'a step is more than ten years away')
    const before = steps[index - 1]
    if (before === undefined) return
    if (after <= before[0]) throw notSteps(text, 'every step must be later than the one before')
    if (percent < before[1]) throw notSteps(text, 'a rollout never goes back to fewer nodes')
  })
  return steps
}

export interface NextOptions {
  readonly app: string
  readonly channel: string
  readonly version: string
  readonly steps: readonly RolloutStep[]
  readonly startMs: number
  /** Random; decides which nodes go first. */
  readonly salt: string
}

/**
 * Begins the rollout of a release that is drafted already. Staging the same release again only changes when and how
 * far it goes; the nodes that go first stay the same.
 * @throws PublishError `RELEASE_UNKNOWN`, `DECISION_REFUSED`
 */
export function stageNext(draft: Draft, options: NextOptions): Draft {
  const place = findChannel(draft, options.app, options.channel)
  const { known, channel } = place
  const { seq, version } = findRelease(options.app, known, options.version)
  if (seq <= channel.head) {
    const head = nameOf(known, channel.head)
    throw refused(
      `${version} (release ${seq}) is not newer than ${head} (release ${channel.head}), the head of ${options.channel}`,
    )
  }
  if (isYanked(known, seq)) throw refused(`${version} is yanked and may not be installed any more`)
  const salt = channel.next?.seq === seq ? channel.next.rollout.salt : options.salt
  const startMs = Math.floor(options.startMs / 1000) * 1000
  const rollout: DraftRollout = { salt, startMs, steps: mutable(options.steps), haltedMs: null }
  return withChannel(place, { next: { seq, rollout } })
}

/**
 * Offers the staged release to `percent` of the nodes from now on; later steps that go further stay.
 * @throws PublishError `RELEASE_UNKNOWN`, `DECISION_REFUSED`
 */
export function advanceNext(
  draft: Draft,
  app: string,
  channelName: string,
  percent: number,
  nowMs: number,
): Draft {
  const place = findChannel(draft, app, channelName)
  const next = stagedOf(place)
  const { rollout } = next
  if (rollout.haltedMs !== null) {
    throw refused(`the rollout is halted; go on with "archy origin release halt --resume" first`)
  }
  if (!Number.isInteger(percent) || percent < 1 || percent > 100) {
    throw refused('the percentage must be a whole number from 1 to 100')
  }
  const now = percentAt(rollout, nowMs)
  if (percent < now) {
    throw refused(
      `${now} % of the nodes are offered it already, and a rollout never goes back; "archy origin release halt" stops it`,
    )
  }
  const startMs = Math.min(rollout.startMs, Math.floor(nowMs / 1000) * 1000)
  const elapsed = Math.floor((nowMs - startMs) / 1000)
  const past = rollout.startMs > nowMs ? [] : rollout.steps.filter(([after]) => after < elapsed)
  const ahead = rollout.steps.filter(([after, share]) => after > elapsed && share > percent)
  const kept = past.slice(-(STEP_COUNT_MAX - 1 - ahead.length))
  const steps: DraftRollout['steps'] = [...kept, [elapsed, percent], ...ahead]
  return withChannel(place, { next: { ...next, rollout: { ...rollout, startMs, steps } } })
}

/** The staged release becomes the head. @throws PublishError `RELEASE_UNKNOWN`, `DECISION_REFUSED` */
export function completeNext(draft: Draft, app: string, channelName: string): Draft {
  const place = findChannel(draft, app, channelName)
  const next = stagedOf(place)
  return withChannel(place, headChange(place.known, place.channel, next.seq))
}

/**
 * Stops offering the staged release to further nodes, or goes on where that was stopped: the time between does not
 * count, so that no step is skipped.
 * @throws PublishError `RELEASE_UNKNOWN`, `DECISION_REFUSED`
 */
export function haltNext(
  draft: Draft,
  app: string,
  channelName: string,
  action: 'halt' | 'resume',
  nowMs: number,
): Draft {
  const place = findChannel(draft, app, channelName)
  const next = stagedOf(place)
  const { rollout } = next
  if (action === 'halt') {
    if (rollout.haltedMs !== null) throw refused('the rollout is halted already')
    return withChannel(place, { next: { ...next, rollout: { ...rollout, haltedMs: nowMs } } })
  }
  if (rollout.haltedMs === null) throw refused('the rollout is not halted')
  const missedMs = Math.max(0, nowMs - Math.max(rollout.haltedMs, rollout.startMs))
  const startMs = rollout.startMs + Math.ceil(missedMs / 1000) * 1000
  const resumed = { ...rollout, startMs, haltedMs: null }
  return withChannel(place, { next: { ...next, rollout: resumed } })
}

/** The percentage of nodes that are offered the release at `nowMs`, were it not halted. */
export function percentAt({ startMs, steps }: DraftRollout, nowMs: number): number {
  const elapsed = (nowMs - startMs) / 1000
  return steps.findLast(([after]) => after <= elapsed)?.[1] ?? 0
}

/** What making `seq` the head changes: the head before it stays installable, and what was decided for it ends. */
export function headChange(
  known: DraftApp,
  channel: DraftChannel,
  seq: number,
): Partial<DraftChannel> {
  const before = known.releases.find(release => release.seq === channel.head)
  const isKept = before?.isPublished === true && before.seq !== seq
  return {
    head: seq,
    next: channel.next !== null && channel.next.seq > seq ? channel.next : null,
    older: isKept ? [...channel.older.filter(s => s !== before.seq), before.seq] : channel.older,
    rollbackTo: channel.head === seq ? channel.rollbackTo : null,
  }
}

export function isYanked({ yanked }: DraftApp, seq: number): boolean {
  return yanked.some(yank => yank.seq === seq)
}

function stagedOf({ app, name, channel }: ChannelPlace): NonNullable<DraftChannel['next']> {
  if (channel.next !== null) return channel.next
  throw refused(
    `${app} has no staged release in ${name}; begin one with "archy origin release next"`,
  )
}

function mutable(steps: readonly RolloutStep[]): DraftRollout['steps'] {
  return steps.map(([after, percent]) => [after, percent])
}

function notSteps(text: string, why: string) {
  return refused(
    `${JSON.stringify(text.slice(0, 80))}: ${why}; write steps as 0:1,1d:10,3d:50,7d:100`,
  )
}
