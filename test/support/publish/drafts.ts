/** Drafts made by hand: an app `hello` with some releases. */
import { type Draft, EMPTY_DRAFT } from '../../../catalog/publish/draft.ts'
import {
  keepRelease,
  type NewRelease,
  placeRelease,
} from '../../../catalog/publish/place-release.ts'
import { digestOf, type Sha256 } from '../../../src/core/digest.ts'

export function releaseFields(version: string, content: string, channel = 'stable'): NewRelease {
  const manifest = {
    blake3: digestOf(Buffer.from(content)),
    sha256: `sha256:${'0'.repeat(64)}` as Sha256,
    size: content.length,
    mediaType: 'x/y',
  }
  return { app: 'hello', channel, version, manifest, totalSize: content.length }
}

/** Every version in order; each channel went through all of them up to its head, and what is published was signed. */
export function draftOf(
  versions: readonly string[],
  {
    published,
    heads,
  }: { readonly published: readonly string[]; readonly heads: Readonly<Record<string, number>> },
): Draft {
  let draft = EMPTY_DRAFT
  versions.forEach((version, index) => {
    draft = keepRelease(draft, releaseFields(version, `content of ${version}`)).draft
    for (const [channel, head] of Object.entries(heads)) {
      if (head < index + 1) continue
      draft = placeRelease(draft, releaseFields(version, `content of ${version}`, channel)).draft
    }
    draft = withPublished(draft, published)
  })
  return draft
}

function withPublished(draft: Draft, published: readonly string[]): Draft {
  const apps = Object.entries(draft.apps).map(([id, app]) => {
    const releases = app.releases.map(release => {
      return published.includes(release.version) ? { ...release, isPublished: true } : release
    })
    return [id, { ...app, releases }] as const
  })
  return { ...draft, apps: Object.fromEntries(apps) }
}
