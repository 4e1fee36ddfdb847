import { expect } from 'chai'
import { PublishError } from '../../../../../catalog/errors.ts'
import { channelFields } from '../../../../../catalog/publish/documents.ts'
import type { Draft } from '../../../../../catalog/publish/draft.ts'
import { placeRelease } from '../../../../../catalog/publish/place-release.ts'
import {
  advanceNext,
  completeNext,
  haltNext,
  parseSteps,
  percentAt,
  stageNext,
} from '../../../../../catalog/publish/release/rollout.ts'
import { draftOf, releaseFields } from '../../../../support/publish/drafts.ts'

const START_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000
const DAY = 86_400

const three = draftOf(['1', '2', '3'], { published: ['1', '2'], heads: { stable: 2, beta: 3 } })
const steps = parseSteps('0:1,1d:10,3d:50,7d:100')
const options = {
  app: 'hello',
  channel: 'stable',
  version: '3',
  steps,
  startMs: START_MS,
  salt: 'a1b2',
}
const staged = stageNext(three, options)
const stable = (draft: Draft) => draft.apps.hello?.channels.stable
const rolloutOf = (draft: Draft) => stable(draft)?.next?.rollout ?? expect.fail('nothing is staged')
const refusal = (attempt: () => unknown, why: RegExp) =>
  expect(attempt).to.throw(PublishError, why).with.property('code', 'DECISION_REFUSED')

describe('parseSteps', () => {
  it('reads seconds, minutes, hours and days', () => {
    expect(parseSteps('0:1, 30m:5, 2h:10%, 1d:100')).to.deep.equal([
      [0, 1],
      [1800, 5],
      [7200, 10],
      [DAY, 100],
    ])
  })
  it('refuses steps that go back, stand still, or reach more than all, and shows the form', () => {
    for (const text of ['', '0:1,0:2', '1d:10,2d:5', '0:101', '1w:10', '0:1;1d:2', '9999d:100']) {
      refusal(() => parseSteps(text), /write steps as 0:1,1d:10,3d:50,7d:100/)
    }
  })
})

describe('a staged release', () => {
  it('stands beside the head, and the share of nodes grows with time', () => {
    expect(stable(staged)).to.deep.include({ head: 2 })
    const shares = [-1, 0, DAY - 1, DAY, 3 * DAY, 7 * DAY, 70 * DAY].map(after =>
      percentAt(rolloutOf(staged), START_MS + after * 1000),
    )
    expect(shares).to.deep.equal([0, 1, 1, 10, 50, 100, 100])
  })

  it('must be newer than the head, known, and not the one that is there', () => {
    refusal(() => stageNext(three, { ...options, version: '2' }), /is not newer than 2/)
    expect(() => stageNext(three, { ...options, version: '30' })).to.throw(/the newest are 3, 2, 1/)
    expect(() => stageNext(three, { ...options, channel: 'stabel' })).to.throw(/"stable"/)
    expect(() => stageNext(three, { ...options, app: 'helo' })).to.throw(/did you mean "hello"/)
  })

  it('keeps the nodes that go first when its steps are changed', () => {
    const again = stageNext(staged, { ...options, steps: parseSteps('0:100'), salt: 'other' })
    expect(rolloutOf(again)).to.deep.include({ salt: 'a1b2', steps: [[0, 100]] })
  })

  it('goes further at once, and keeps the later steps that go further still', () => {
    const now = START_MS + 2 * HOUR_MS
    expect(rolloutOf(advanceNext(staged, 'hello', 'stable', 20, now)).steps).to.deep.equal([
      [0, 1],
      [7200, 20],
      [3 * DAY, 50],
      [7 * DAY, 100],
    ])
    refusal(() => advanceNext(staged, 'hello', 'stable', 5, START_MS + DAY * 1000), /10 % of/)
    refusal(() => advanceNext(staged, 'hello', 'stable', 101, now), /from 1 to 100/)
  })

  it('begins now when it is advanced before its start', () => {
    const early = advanceNext(staged, 'hello', 'stable', 5, START_MS - HOUR_MS)
    expect(percentAt(rolloutOf(early), START_MS - HOUR_MS)).to.equal(5)
    expect(rolloutOf(early).steps[0]).to.deep.equal([0, 5])
  })

  it('goes on where it was halted: the time between does not count', () => {
    const halted = haltNext(staged, 'hello', 'stable', 'halt', START_MS + 2 * DAY * 1000)
    const said = channelFields(halted.apps.hello!, stable(halted)!)
    expect(said.next?.rollout.halted).to.equal(true)
    refusal(() => advanceNext(halted, 'hello', 'stable', 90, START_MS), /halted/)
    refusal(() => haltNext(halted, 'hello', 'stable', 'halt', START_MS), /already/)
    const resumed = haltNext(halted, 'hello', 'stable', 'resume', START_MS + 30 * DAY * 1000)
    expect(percentAt(rolloutOf(resumed), START_MS + 30 * DAY * 1000)).to.equal(10)
    expect(percentAt(rolloutOf(resumed), START_MS + 31 * DAY * 1000)).to.equal(50)
    refusal(() => haltNext(resumed, 'hello', 'stable', 'resume', START_MS), /not halted/)
  })

  it('becomes the head when it is completed, and the head before it stays installable', () => {
    const done = completeNext(staged, 'hello', 'stable')
    expect(stable(done)).to.deep.include({ head: 3, next: null, older: [1, 2] })
    refusal(() => completeNext(done, 'hello', 'stable'), /no staged release in stable/)
  })

  it('ends when something newer becomes the head', () => {
    const { draft } = placeRelease(staged, releaseFields('4', 'd'))
    expect(stable(draft)).to.deep.include({ head: 4, next: null })
  })
})
