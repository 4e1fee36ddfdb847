/** The rules at work on a virtual clock: limits follow the time and the owner, and what was given is kept. */
import { expect } from 'chai'
import { digestOf } from '../../../../src/core/digest.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { GIVEN_BLOBS_MAX } from '../../../../swarm/limits.ts'
import { createGiven, openGiven } from '../../../../swarm/serving/given.ts'
import { Serving, type ServingOptions } from '../../../../swarm/serving/serving.ts'
import { createManualClock } from '../../../support/manual-clock.ts'
import { CALM } from '../../../support/swarm/serving.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

const HOUR_MS = 3_600_000
const NOON_MS = new Date(2026, 0, 5, 12).getTime()
const DIGEST = digestOf(Buffer.from('blob'))
const OPTIONS: ServingOptions = {
  mode: 'ratio',
  ratio: 2,
  limitLan: false,
  schedule: [{ days: ['mon'], fromMinute: 13 * 60, toMinute: 14 * 60, limits: { upload: 500 } }],
}

function createServing(settings: { surroundings?: () => typeof CALM } = {}) {
  const clock = createManualClock(NOON_MS)
  const given = createGiven()
  const deps = { clock, log: silentLog, given, surroundings: settings.surroundings ?? (() => CALM) }
  return { clock, serving: new Serving(deps, OPTIONS, { upload: 1000, origin: 3000 }) }
}

describe('Serving', () => {
  it('follows the schedule with time', async () => {
    const { clock, serving } = createServing()
    expect(serving.uploadFor('wan').bytesPerSecond).to.equal(1000)
    await clock.advance(HOUR_MS)
    serving.refresh()
    expect(serving.uploadFor('wan').bytesPerSecond).to.equal(500)
    await clock.advance(HOUR_MS)
    serving.refresh()
    expect(serving.uploadFor('wan').bytesPerSecond).to.equal(1000)
  })

  it('takes the word of the owner at once, and gives it up again', () => {
    const { serving } = createServing()
    serving.setWords({ upload: 7, origin: null })
    expect(serving.uploadFor('wan').bytesPerSecond).to.equal(7)
    expect(serving.origin.bytesPerSecond).to.equal(undefined)
    serving.setWords({})
    expect(serving.origin.bytesPerSecond).to.equal(3000)
  })

  it('does not limit the LAN, which the status shows', () => {
    const { serving } = createServing()
    expect(serving.uploadFor('lan').bytesPerSecond).to.equal(undefined)
    expect(serving.status().lan.isExempt).to.equal(true)
  })

  it('says once that the answer changed', () => {
    let surroundings = CALM
    const { serving } = createServing({ surroundings: () => surroundings })
    expect(serving.refresh()).to.equal(false)
    surroundings = { ...CALM, isSpaceLow: true }
    expect(serving.refresh()).to.equal(true)
    expect(serving.refresh()).to.equal(false)
    expect(serving.mayGive({ digest: DIGEST, sizeBytes: 10 }, 'lan')).to.equal(false)
  })

  it('counts only what went beyond the house towards the ratio', () => {
    const { serving } = createServing()
    const blob = { digest: DIGEST, sizeBytes: 10 }
    serving.noteGiven(DIGEST, { peerId: 'a', scope: 'lan' }, 100)
    expect(serving.mayGive(blob, 'wan')).to.equal(true)
    serving.noteGiven(DIGEST, { peerId: 'b', scope: 'wan' }, 20)
    expect(serving.mayGive(blob, 'wan')).to.equal(false)
    expect(serving.mayGive(blob, 'lan')).to.equal(true)
  })
})

describe('what was given', () => {
  it('is kept over a restart, and its peers are counted in one run', async () => {
    await using folder = await makeTempFolder()
    const given = await openGiven(silentLog, folder.path)
    given.add(DIGEST, { peerId: 'a', scope: 'wan' }, 5)
    given.add(DIGEST, { peerId: 'b', scope: 'lan' }, 7)
    given.add(DIGEST, { peerId: 'b', scope: 'lan' }, 1)
    expect(given.peerCount(DIGEST)).to.equal(2)
    given.save()
    await given.flush()
    const again = await openGiven(silentLog, folder.path)
    expect(again.of(DIGEST)).to.deep.equal({ wan: 5, lan: 8 })
  })

  it('forgets the blob that nobody asked for the longest', () => {
    const given = createGiven()
    const digest = (n: number) => digestOf(Buffer.from(`blob ${n}`))
    for (let n = 0; n <= GIVEN_BLOBS_MAX; n += 1) {
      given.add(digest(n), { peerId: 'a', scope: 'wan' }, 1)
      given.add(digest(0), { peerId: 'a', scope: 'wan' }, 1)
    }
    expect(given.beyondHouse(digest(0))).to.be.greaterThan(1)
    expect(given.beyondHouse(digest(1))).to.equal(0)
    expect(given.beyondHouse(digest(2))).to.equal(1)
  })
})
