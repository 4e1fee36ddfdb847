/** Taking a release back: yanks, the floor, and a deliberate step to an earlier release. Pure. */
import type { Draft, DraftApp, DraftYank } from '../draft.ts'
import {
  findChannel,
  findDraftApp,
  findRelease,
  nameOf,
  refused,
  withApp,
  withChannel,
} from './find.ts'
import { isYanked } from './rollout.ts'

/** What nodes read at most in one list of an entry. */
const LIST_COUNT_MAX = 64

/**
 * Ends the installing of a release, in every channel; a rollout of it ends too. A second yank of it replaces the first.
 * @throws PublishError `RELEASE_UNKNOWN`, `DECISION_REFUSED`
 */
export function yankRelease(
  draft: Draft,
  app: string,
  version: string,
  yank: Omit<DraftYank, 'seq'>,
): Draft {
  const known = findDraftApp(draft, app)
  const { seq } = findRelease(app, known, version)
  if (yank.reason.trim() === '' || yank.reason.length > 500) {
    throw refused('the reason is shown to owners: it must have 1 to 500 characters')
  }
  const others = known.yanked.filter(other => other.seq !== seq)
  const yanked = [...others, { ...yank, seq }].sort((a, b) => a.seq - b.seq)
  if (yanked.length > LIST_COUNT_MAX) {
    throw refused(
      `${app} has ${LIST_COUNT_MAX} yanked releases, which is the most; raise the floor instead`,
    )
  }
  const channels = Object.entries(known.channels).map(([name, channel]) => {
    const next = channel.next?.seq === seq ? null : channel.next
    return [name, { ...channel, next }] as const
  })
  return withApp(draft, app, { ...known, yanked, channels: Object.fromEntries(channels) })
}

/**
 * The lowest release that may be installed. Nodes refuse a floor that falls, and one above the head would leave
 * nothing to install.
 * @throws PublishError `RELEASE_UNKNOWN`, `DECISION_REFUSED`
 */
export function raiseFloor(draft: Draft, app: string, channelName: string, version: string): Draft {
  const place = findChannel(draft, app, channelName)
  const { known, channel } = place
  const { seq } = findRelease(app, known, version)
  if (seq < channel.floor) {
    const floor = nameOf(known, channel.floor)
    throw refused(`the floor of ${channelName} is ${floor} and never falls; ${version} is below it`)
  }
  if (seq > channel.head) {
    const head = nameOf(known, channel.head)
    throw refused(
      `${version} is above ${head}, the head of ${channelName}: nothing could be installed`,
    )
  }
  return withChannel(place, { floor: seq })
}

/**
 * Makes an earlier release the head again, and tells nodes that run a later one to follow.
 * @throws PublishError `RELEASE_UNKNOWN`, `DECISION_REFUSED`
 */
export function rollBackTo(
  draft: Draft,
  app: string,
  channelName: string,
  version: string,
  { dataCompatible }: { readonly dataCompatible: boolean },
): Draft {
  const place = findChannel(draft, app, channelName)
  const { known, channel } = place
  const { seq, isPublished } = findRelease(app, known, version)
  const from = laterThan(known, seq)
  // Back to the head itself: for the nodes that a staged release has reached.
  if (seq > channel.head || (seq === channel.head && from.length === 0)) {
    const head = nameOf(known, channel.head)
    throw refused(`${version} is not earlier than ${head}, the head of ${channelName}`)
  }
  if (!isPublished) throw refused(`${version} was never published: nobody can go back to it`)
  if (seq < channel.floor) {
    throw refused(
      `${version} is below the floor ${nameOf(known, channel.floor)}, which never falls`,
    )
  }
  if (isYanked(known, seq)) throw refused(`${version} is yanked and may not be installed any more`)
  if (from.length === 0) {
    throw refused(
      `nothing later than ${version} was published; "archy origin add" decides the head`,
    )
  }
  return withChannel(place, {
    head: seq,
    next: null,
    older: channel.older.filter(older => older < seq),
    rollbackTo: { from, to: seq, dataCompatible },
  })
}

/** Every release that a node may have instead of `seq`: the newest ones, where there are too many to list. */
function laterThan({ releases }: DraftApp, seq: number): number[] {
  const later = releases.filter(release => release.isPublished && release.seq > seq)
  return later.map(release => release.seq).slice(-LIST_COUNT_MAX)
}
