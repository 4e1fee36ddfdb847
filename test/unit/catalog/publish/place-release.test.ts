import { expect } from 'chai'
import { PublishError } from '../../../../catalog/errors.ts'
import { type Draft, EMPTY_DRAFT } from '../../../../catalog/publish/draft.ts'
import { placeRelease } from '../../../../catalog/publish/place-release.ts'
import { digestOf, type Sha256 } from '../../../../src/core/digest.ts'

function release(version: string, content: string, channel = 'stable') {
  const manifest = {
    blake3: digestOf(Buffer.from(content)),
    sha256: `sha256:${'0'.repeat(64)}` as Sha256,
    size: content.length,
    mediaType: 'x/y',
  }
  return { app: 'hello', channel, version, manifest, totalSize: content.length }
}

function published(draft: Draft): Draft {
  const apps = Object.entries(draft.apps).map(([id, app]) => {
    return [id, { ...app, releases: app.releases.map(r => ({ ...r, isPublished: true })) }] as const
  })
  return { ...draft, apps: Object.fromEntries(apps) }
}

const one = placeRelease(EMPTY_DRAFT, release('1', 'a')).draft
const two = placeRelease(one, release('2', 'b')).draft

describe('placeRelease', () => {
  it('counts releases from 1, per app', () => {
    expect(placeRelease(EMPTY_DRAFT, release('1', 'a'))).to.deep.include({ outcome: 'added' })
    expect(one.apps.hello?.channels).to.deep.equal({ stable: 1 })
    expect(two.apps.hello?.channels).to.deep.equal({ stable: 2 })
    const other = placeRelease(two, { ...release('1', 'c'), app: 'other' })
    expect(other.release.seq).to.equal(1)
  })

  it('does nothing when the same content is added again', () => {
    const again = placeRelease(two, release('2', 'b'))
    expect(again).to.deep.include({ outcome: 'unchanged', draft: two })
  })

  it('gives the same content the same number in another channel', () => {
    const beta = placeRelease(two, release('1', 'a', 'beta'))
    expect(beta.outcome).to.equal('moved')
    expect(beta.draft.apps.hello?.channels).to.deep.equal({ stable: 2, beta: 1 })
  })

  it('refuses other content under a version that was published', () => {
    expect(() => placeRelease(published(two), release('2', 'x')))
      .to.throw(PublishError, /hello 2 was published before with other content/)
      .with.property('code', 'VERSION_NOT_NEWER')
  })

  it('lets a version that nobody saw be replaced, and keeps its number', () => {
    const replaced = placeRelease(two, release('2', 'x'))
    expect(replaced.release.seq).to.equal(2)
    expect(replaced.draft.apps.hello?.releases).to.have.length(2)
  })

  it('refuses to move a channel back', () => {
    expect(() => placeRelease(two, release('1', 'a')))
      .to.throw(PublishError, /has 2 \(seq 2\), which is newer than 1 \(seq 1\)/)
      .with.property('code', 'VERSION_NOT_NEWER')
  })

  it('takes no inherited name for an app or a channel', () => {
    const placed = placeRelease(EMPTY_DRAFT, {
      ...release('1', 'a', 'constructor'),
      app: 'valueof',
    })
    expect(placed.release.seq).to.equal(1)
  })
})
