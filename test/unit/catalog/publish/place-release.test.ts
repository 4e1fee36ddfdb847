import { expect } from 'chai'
import { PublishError } from '../../../../catalog/errors.ts'
import { type Draft, EMPTY_DRAFT } from '../../../../catalog/publish/draft.ts'
import { placeRelease } from '../../../../catalog/publish/place-release.ts'
import { releaseFields as release } from '../../../support/publish/drafts.ts'

function published(draft: Draft): Draft {
  const apps = Object.entries(draft.apps).map(([id, app]) => {
    return [id, { ...app, releases: app.releases.map(r => ({ ...r, isPublished: true })) }] as const
  })
  return { ...draft, apps: Object.fromEntries(apps) }
}

const headsOf = (draft: Draft) =>
  Object.entries(draft.apps.hello?.channels ?? {}).map(([name, { head }]) => [name, head])
const one = placeRelease(EMPTY_DRAFT, release('1', 'a')).draft
const two = placeRelease(one, release('2', 'b')).draft

describe('placeRelease', () => {
  it('counts releases from 1, per app', () => {
    expect(placeRelease(EMPTY_DRAFT, release('1', 'a'))).to.deep.include({ outcome: 'added' })
    expect(headsOf(one)).to.deep.equal([['stable', 1]])
    expect(headsOf(two)).to.deep.equal([['stable', 2]])
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
    expect(headsOf(beta.draft)).to.deep.equal([
      ['stable', 2],
      ['beta', 1],
    ])
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
