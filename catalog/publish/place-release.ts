/** Decides what adding a release does to the draft. Pure. */
import type { BlobRef } from '../../src/core/blob.ts'
import { PublishError } from '../errors.ts'
import type { Draft, DraftApp, DraftChannel, DraftRelease } from './draft.ts'
import { refused } from './release/find.ts'
import { headChange, isYanked } from './release/rollout.ts'

export interface NewRelease {
  readonly app: string
  readonly channel: string
  readonly version: string
  readonly manifest: BlobRef
  readonly totalSize: number
}

export interface Placement {
  readonly draft: Draft
  readonly release: DraftRelease
  /** `unchanged`: the channel pointed to the same content before. */
  readonly outcome: 'added' | 'moved' | 'unchanged'
}

const NO_RELEASES: DraftApp = { releases: [], yanked: [], channels: {} }
const NO_CHANNEL: DraftChannel = { head: 1, next: null, floor: 0, older: [], rollbackTo: null }

/**
 * Makes the content the head of a channel. The same content keeps its `seq`, in every channel. A version that was
 * never signed may still be replaced.
 * @throws PublishError `VERSION_NOT_NEWER` for other content under a signed version, and for a channel that would
 * go back to an older release; `DECISION_REFUSED` for a yanked release
 */
export function placeRelease(draft: Draft, added: NewRelease): Placement {
  const { app, release, isNew } = recordRelease(draft, added)
  const channel = Object.hasOwn(app.channels, added.channel)
    ? app.channels[added.channel]
    : undefined
  if (release.seq < (channel?.head ?? 0)) throw goesBack(app, added, release, channel?.head ?? 0)
  if (isYanked(app, release.seq)) throw refused(`${added.app} ${release.version} is yanked`)
  const head = { ...(channel ?? { ...NO_CHANNEL, head: release.seq }) }
  const changed = { ...head, ...headChange(app, head, release.seq) }
  const channels = { ...app.channels, [added.channel]: changed }
  const isUnchanged = !isNew && channel?.head === release.seq
  return {
    draft: isUnchanged ? draft : withRelease(draft, added.app, { ...app, channels }),
    release,
    outcome: isUnchanged ? 'unchanged' : isNew ? 'added' : 'moved',
  }
}

/**
 * Adds the content as a release that no channel points to yet.
 * @throws PublishError `VERSION_NOT_NEWER`
 */
export function keepRelease(draft: Draft, added: NewRelease): Placement {
  const { app, release, isNew } = recordRelease(draft, added)
  return {
    draft: isNew ? withRelease(draft, added.app, app) : draft,
    release,
    outcome: isNew ? 'added' : 'unchanged',
  }
}

function withRelease(draft: Draft, id: string, app: DraftApp): Draft {
  return { ...draft, apps: { ...draft.apps, [id]: app } }
}

interface Recorded {
  /** With the release in it. */
  readonly app: DraftApp
  readonly release: DraftRelease
  readonly isNew: boolean
}

function recordRelease(draft: Draft, added: NewRelease): Recorded {
  const app = Object.hasOwn(draft.apps, added.app)
    ? (draft.apps[added.app] ?? NO_RELEASES)
    : NO_RELEASES
  const known = app.releases.find(({ manifest }) => manifest.blake3 === added.manifest.blake3)
  if (known !== undefined) return { app, release: known, isNew: false }
  const release = makeRelease(app, added)
  const releases = [...app.releases.filter(({ seq }) => seq !== release.seq), release]
  return {
    app: { ...app, releases: releases.sort((a, b) => a.seq - b.seq) },
    release,
    isNew: true,
  }
}

function makeRelease(app: DraftApp, added: NewRelease): DraftRelease {
  const { version, manifest, totalSize } = added
  const sameVersion = app.releases.find(release => release.version === version)
  if (sameVersion?.isPublished) {
    throw new PublishError(
      'VERSION_NOT_NEWER',
      `${added.app} ${version} was published before with other content ` +
        `(${sameVersion.manifest.blake3}); give the new content a new version`,
    )
  }
  const seq = sameVersion?.seq ?? (app.releases.at(-1)?.seq ?? 0) + 1
  return { seq, version, manifest, totalSize, isPublished: false }
}

function goesBack(
  app: DraftApp,
  added: NewRelease,
  release: DraftRelease,
  head: number,
): PublishError {
  const newer = app.releases.find(({ seq }) => seq === head)?.version
  return new PublishError(
    'VERSION_NOT_NEWER',
    `the channel ${added.channel} of ${added.app} has ${newer} (seq ${head}), which is newer than ` +
      `${release.version} (seq ${release.seq}); "archy origin release rollback-to" goes back`,
  )
}
