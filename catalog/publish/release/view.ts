/** The releases of a draft as people and programs read them. Pure. */
import { channelFields } from '../documents.ts'
import type { Draft, DraftApp, DraftChannel, DraftRollout, DraftYank } from '../draft.ts'
import { percentAt } from './rollout.ts'

export interface ReleaseView {
  readonly seq: number
  readonly version: string
  /** False: nobody outside this folder has seen it. */
  readonly isPublished: boolean
  readonly totalSize: number
}

export interface StagedView extends ReleaseView {
  readonly percent: number
  readonly isHalted: boolean
  readonly startMs: number
  readonly steps: DraftRollout['steps']
  /** The step that comes next; `undefined` when none does. */
  readonly ahead: { readonly percent: number; readonly atMs: number } | undefined
}

export interface ChannelView {
  readonly channel: string
  readonly head: ReleaseView
  readonly next: StagedView | undefined
  readonly floor: number
  readonly older: readonly ReleaseView[]
  readonly rollbackTo: DraftChannel['rollbackTo']
}

export interface AppReleasesView {
  readonly app: string
  readonly channels: readonly ChannelView[]
  readonly yanked: readonly (DraftYank & { readonly version: string })[]
  readonly releases: readonly ReleaseView[]
}

/** Every app, in the order of its name. */
export function viewReleases(draft: Draft, nowMs: number): readonly AppReleasesView[] {
  return Object.entries(draft.apps)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([app, known]) => viewApp(app, known, nowMs))
}

export function viewApp(app: string, known: DraftApp, nowMs: number): AppReleasesView {
  const releases = known.releases.map(({ seq, version, isPublished, totalSize }) => {
    return { seq, version, isPublished, totalSize }
  })
  const find = (seq: number) =>
    releases.find(release => release.seq === seq) ?? {
      seq,
      version: `release ${seq}`,
      isPublished: false,
      totalSize: 0,
    }
  return {
    app,
    channels: Object.entries(known.channels).map(([name, channel]) => {
      const { head, floor, rollbackTo } = channel
      return {
        channel: name,
        head: find(head),
        next: channel.next === null ? undefined : viewStaged(find, channel.next, nowMs),
        floor,
        older: (channelFields(known, channel).older ?? []).map(({ seq }) => find(seq)),
        rollbackTo,
      }
    }),
    yanked: known.yanked.map(yank => ({ ...yank, version: find(yank.seq).version })),
    releases,
  }
}

function viewStaged(
  find: (seq: number) => ReleaseView,
  { seq, rollout }: NonNullable<DraftChannel['next']>,
  nowMs: number,
): StagedView {
  const { startMs, steps, haltedMs } = rollout
  const step = steps.find(([after]) => startMs + after * 1000 > nowMs)
  return {
    ...find(seq),
    percent: percentAt(rollout, haltedMs ?? nowMs),
    isHalted: haltedMs !== null,
    startMs,
    steps,
    ahead:
      step === undefined || haltedMs !== null
        ? undefined
        : { percent: step[1], atMs: startMs + step[0] * 1000 },
  }
}
