/** Decides what adding a release does to the draft. Pure. */
import type { BlobRef } from '../../src/core/blob.ts'
import { PublishError } from '../errors.ts'
import type { Draft, DraftApp, DraftRelease } from './draft.ts'

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

const NO_RELEASES: DraftApp = { releases: [], channels: {} }

/**
 * The same content keeps its `seq`, in every channel. A version that was never signed may still be replaced.
 * @throws PublishError `VERSION_NOT_NEWER` for other content under a signed version, and for a channel that would
 * go back to an older release.
 */
export function placeRelease(draft: Draft, added: NewRelease): Placement {
  const app = Object.hasOwn(draft.apps, added.app)
    ? (draft.apps[added.app] ?? NO_RELEASES)
    : NO_RELEASES
  const known = app.releases.find(({ manifest }) => manifest.blake3 === added.manifest.blake3)
  const release = known ?? makeRelease(app, added)
  const head = Object.hasOwn(app.channels, added.channel) ? (app.channels[added.channel] ?? 0) : 0
  if (release.seq < head) throw goesBack(app, added, release, head)
  const isUnchanged = known !== undefined && head === release.seq
  const releases = [...app.releases.filter(({ seq }) => seq !== release.seq), release]
  const next: DraftApp = {
    releases: releases.sort((a, b) => a.seq - b.seq),
    channels: { ...app.channels, [added.channel]: release.seq },
  }
  return {
    draft: isUnchanged ? draft : { ...draft, apps: { ...draft.apps, [added.app]: next } },
    release,
    outcome: isUnchanged ? 'unchanged' : known === undefined ? 'added' : 'moved',
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
      `${release.version} (seq ${release.seq}); publish the old content under a new version to go back`,
  )
}
