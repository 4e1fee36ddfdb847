/** Releases, channels and rollouts as sentences and tables for people. Pure. */
import type { AppReleasesView, ChannelView, StagedView } from '../../catalog/publish/index.ts'
import { formatBytes, formatDuration, formatTable } from './format.ts'

/** One line for each channel of each app. */
export function releasesText(views: readonly AppReleasesView[], nowMs: number): string {
  if (views.length === 0) return 'No releases. Add one with "archy origin release add".\n'
  const rows = views.flatMap(view =>
    view.channels.length === 0
      ? [[view.app, '-', '-', 'no channel has a release of it yet']]
      : view.channels.map(channel => [
          view.app,
          channel.channel,
          nameText(channel.head),
          notesOf(view, channel, nowMs).join('; '),
        ]),
  )
  return `${formatTable([['APP', 'CHANNEL', 'HEAD', ''], ...rows])}\n`
}

/** What stands after a decision, one line for each channel. */
export function stagedText(view: AppReleasesView, nowMs: number): string {
  const lines = view.channels.map(channel => {
    const notes = notesOf(view, channel, nowMs)
    const more = notes.length === 0 ? '' : `; ${notes.join('; ')}`
    return `${view.app} ${channel.channel}: ${nameText(channel.head)} is the head${more}.`
  })
  return `${lines.join('\n')}\n`
}

/** Everything that is known of an app. */
export function appText(view: AppReleasesView, nowMs: number): string {
  const rows = [...view.releases].reverse().map(release => {
    const yank = view.yanked.find(({ seq }) => seq === release.seq)
    const places = view.channels.flatMap(({ channel, head, next, older }) => {
      if (head.seq === release.seq) return [`head of ${channel}`]
      if (next?.seq === release.seq) return [`staged in ${channel}`]
      return older.some(({ seq }) => seq === release.seq) ? [`kept in ${channel}`] : []
    })
    const notes = [
      ...places,
      ...(yank === undefined ? [] : [`yanked (${yank.severity}, ${yank.action}): ${yank.reason}`]),
      ...(release.isPublished ? [] : ['not published']),
    ]
    return [String(release.seq), release.version, formatBytes(release.totalSize), notes.join('; ')]
  })
  const table = formatTable([['RELEASE', 'VERSION', 'SIZE', ''], ...rows])
  return `${stagedText(view, nowMs)}\n${table}\n`
}

function notesOf(view: AppReleasesView, channel: ChannelView, nowMs: number): readonly string[] {
  const { head, next, floor, rollbackTo } = channel
  const nameOf = (seq: number) =>
    view.releases.find(r => r.seq === seq)?.version ?? `release ${seq}`
  const isGone = view.yanked.some(({ seq }) => seq === head.seq)
  const yanked = view.yanked.map(({ version, action }) => `${version} (${action})`)
  return [
    ...(isGone ? ['THE HEAD IS YANKED: add a new release or roll back'] : []),
    ...(next === undefined ? [] : [rolloutText(next, nowMs)]),
    ...(rollbackTo === null ? [] : [`goes back from ${rollbackTo.from.map(nameOf).join(', ')}`]),
    ...(floor === 0 ? [] : [`nothing below ${nameOf(floor)}`]),
    ...(yanked.length === 0 ? [] : [`yanked: ${yanked.join(', ')}`]),
  ]
}

function rolloutText(next: StagedView, nowMs: number): string {
  const { percent, isHalted, ahead, startMs } = next
  const name = nameText(next)
  if (isHalted) return `${name} is halted at ${percent} %`
  const begins = startMs > nowMs ? ` from ${new Date(startMs).toISOString().slice(0, 16)}Z` : ''
  if (begins !== '') return `${name} is staged${begins}`
  const then =
    ahead === undefined
      ? percent === 100
        ? ', "step --complete" makes it the head'
        : ''
      : `, ${ahead.percent} % in ${formatDuration(ahead.atMs - nowMs)}`
  return `${name} goes to ${percent} % of the nodes${then}`
}

function nameText({ version, isPublished }: { version: string; isPublished: boolean }): string {
  return isPublished ? version : `${version} (draft)`
}
