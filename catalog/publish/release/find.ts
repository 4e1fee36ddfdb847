/** Finds apps, channels and releases in a draft by what a person typed, and puts changed ones back. Pure. */
import { suggestion } from '../../../src/core/schema.ts'
import { PublishError } from '../../errors.ts'
import type { Draft, DraftApp, DraftChannel, DraftRelease } from '../draft.ts'

/** The channel that a verb works on, with everything that it may need to know. */
export interface ChannelPlace {
  readonly draft: Draft
  /** App id and channel name. */
  readonly app: string
  readonly name: string
  readonly known: DraftApp
  readonly channel: DraftChannel
}

/** @throws PublishError `RELEASE_UNKNOWN` */
export function findDraftApp(draft: Draft, app: string): DraftApp {
  const found = Object.hasOwn(draft.apps, app) ? draft.apps[app] : undefined
  if (found !== undefined) return found
  const names = Object.keys(draft.apps)
  const hint = names.length === 0 ? '; add one with "archy origin add"' : suggestion(app, names)
  throw new PublishError('RELEASE_UNKNOWN', `this origin has no app ${shown(app)}${hint}`)
}

/** @throws PublishError `RELEASE_UNKNOWN` */
export function findChannel(draft: Draft, app: string, name: string): ChannelPlace {
  const known = findDraftApp(draft, app)
  const channel = Object.hasOwn(known.channels, name) ? known.channels[name] : undefined
  if (channel !== undefined) return { draft, app, name, known, channel }
  const names = Object.keys(known.channels)
  const list = names.length === 0 ? '' : `, only ${names.join(', ')}`
  const hint = suggestion(name, names)
  throw new PublishError(
    'RELEASE_UNKNOWN',
    `${app} has no channel ${shown(name)}${list}${hint}; "archy origin add --channel ${name.slice(0, 80)}" makes one`,
  )
}

/** @throws PublishError `RELEASE_UNKNOWN` */
export function findRelease(app: string, known: DraftApp, version: string): DraftRelease {
  const found = known.releases.find(release => release.version === version)
  if (found !== undefined) return found
  const versions = known.releases.map(release => release.version)
  const newest = versions.slice(-5).reverse().join(', ')
  throw new PublishError(
    'RELEASE_UNKNOWN',
    `${app} has no release ${shown(version)}${suggestion(version, versions)}; the newest are ${newest}`,
  )
}

/** Text of a release for people: its version; its number where the version is unknown. */
export function nameOf(known: DraftApp, seq: number): string {
  return known.releases.find(release => release.seq === seq)?.version ?? `release ${seq}`
}

export function withApp(draft: Draft, app: string, changed: DraftApp): Draft {
  return { ...draft, apps: { ...draft.apps, [app]: changed } }
}

export function withChannel(
  { draft, app, name, known, channel }: ChannelPlace,
  change: Partial<DraftChannel>,
): Draft {
  const channels = { ...known.channels, [name]: { ...channel, ...change } }
  return withApp(draft, app, { ...known, channels })
}

/** A decision that nodes would not follow, or that would hurt them. */
export function refused(why: string): PublishError {
  return new PublishError('DECISION_REFUSED', why)
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
