import { expect } from 'chai'
import { PublishError } from '../../../../../catalog/errors.ts'
import { channelFields } from '../../../../../catalog/publish/documents.ts'
import type { Draft } from '../../../../../catalog/publish/draft.ts'
import { placeRelease } from '../../../../../catalog/publish/place-release.ts'
import { stageNext } from '../../../../../catalog/publish/release/rollout.ts'
import {
  raiseFloor,
  rollBackTo,
  yankRelease,
} from '../../../../../catalog/publish/release/withdraw.ts'
import { draftOf, releaseFields } from '../../../../support/publish/drafts.ts'

const versions = ['1', '2', '3', '4']
const four = draftOf(versions, { published: versions, heads: { stable: 4, beta: 3 } })
const yank = { severity: 'critical', action: 'replace', reason: 'data loss' } as const
const stable = (draft: Draft) => draft.apps.hello?.channels.stable
const said = (draft: Draft) => channelFields(draft.apps.hello!, stable(draft)!)
const olderOf = (draft: Draft) => said(draft).older?.map(({ seq }) => seq)
const refusal = (attempt: () => unknown, why: RegExp) =>
  expect(attempt).to.throw(PublishError, why).with.property('code', 'DECISION_REFUSED')

describe('yankRelease', () => {
  it('is said in every channel, and the release is offered no more', () => {
    const yanked = yankRelease(four, 'hello', '3', yank)
    expect(said(yanked).yanked).to.deep.equal([{ seq: 3, ...yank }])
    expect(
      channelFields(yanked.apps.hello!, yanked.apps.hello!.channels.beta!).yanked,
    ).to.have.length(1)
    expect(olderOf(four)).to.deep.equal([2, 3])
    expect(olderOf(yanked)).to.deep.equal([1, 2])
  })

  it('is replaced by a second one, and needs a reason', () => {
    const twice = yankRelease(yankRelease(four, 'hello', '3', yank), 'hello', '3', {
      ...yank,
      action: 'warn',
    })
    expect(said(twice).yanked).to.deep.equal([{ seq: 3, ...yank, action: 'warn' }])
    refusal(() => yankRelease(four, 'hello', '3', { ...yank, reason: ' ' }), /1 to 500 characters/)
  })

  it('ends a rollout of the release and forbids another', () => {
    const drafted = draftOf(['1', '2'], { published: ['1'], heads: { stable: 1 } })
    const next = {
      app: 'hello',
      channel: 'stable',
      version: '2',
      steps: [[0, 100]] as const,
      startMs: 0,
      salt: 'x',
    }
    const yanked = yankRelease(stageNext(drafted, next), 'hello', '2', yank)
    expect(stable(yanked)?.next).to.equal(null)
    refusal(() => stageNext(yanked, next), /2 is yanked/)
    refusal(() => placeRelease(yanked, releaseFields('2', 'content of 2')), /2 is yanked/)
  })
})

describe('raiseFloor', () => {
  it('takes earlier releases away, and never falls or passes the head', () => {
    const floor = raiseFloor(four, 'hello', 'stable', '3')
    expect(said(floor)).to.deep.include({ floor: 3 })
    expect(olderOf(floor)).to.deep.equal([3])
    refusal(() => raiseFloor(floor, 'hello', 'stable', '2'), /never falls/)
    refusal(() => raiseFloor(four, 'hello', 'beta', '4'), /above 3, the head of beta/)
  })
})

describe('rollBackTo', () => {
  it('makes an earlier release the head and calls back everything later', () => {
    const back = rollBackTo(four, 'hello', 'stable', '2', { dataCompatible: false })
    expect(said(back)).to.deep.include({
      rollbackTo: { from: [3, 4], to: 2, dataCompatible: false },
    })
    expect(said(back).head.seq).to.equal(2)
    expect(olderOf(back)).to.deep.equal([1])
  })

  it('calls the nodes that a staged release reached back to the head', () => {
    const draft = draftOf(['1', '2', '3'], { published: ['1', '2', '3'], heads: { stable: 2 } })
    const back = rollBackTo(draft, 'hello', 'stable', '2', { dataCompatible: true })
    expect(said(back)).to.deep.include({ rollbackTo: { from: [3], to: 2, dataCompatible: true } })
  })

  it('ends when a newer release becomes the head', () => {
    const back = rollBackTo(four, 'hello', 'stable', '2', { dataCompatible: true })
    const { draft, release } = placeRelease(back, releaseFields('5', 'e'))
    expect(release.seq).to.equal(5)
    expect(stable(draft)).to.deep.include({ head: 5, rollbackTo: null })
  })

  it('refuses what nodes would not follow', () => {
    const { dataCompatible } = { dataCompatible: true }
    refusal(() => rollBackTo(four, 'hello', 'stable', '4', { dataCompatible }), /not earlier/)
    const floor = raiseFloor(four, 'hello', 'stable', '3')
    refusal(() => rollBackTo(floor, 'hello', 'stable', '2', { dataCompatible }), /below the floor/)
    const yanked = yankRelease(four, 'hello', '2', yank)
    refusal(() => rollBackTo(yanked, 'hello', 'stable', '2', { dataCompatible }), /is yanked/)
    const drafted = draftOf(['1', '2'], { published: [], heads: { stable: 2 } })
    refusal(
      () => rollBackTo(drafted, 'hello', 'stable', '1', { dataCompatible }),
      /never published/,
    )
  })
})
