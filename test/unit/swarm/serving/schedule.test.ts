/** Which limits hold when. Times are local, so the facts hold in every time zone. */
import { expect } from 'chai'
import { type LimitSettings, limitsInForce } from '../../../../swarm/serving/schedule.ts'

/** In the week of Monday, the 5th of January 2026. */
function at(day: number, hours: number, minutes = 0): number {
  return new Date(2026, 0, 4 + day, hours, minutes).getTime()
}
const [SUN, MON, SAT] = [0, 1, 6] as const

const SETTINGS: LimitSettings = {
  configured: { upload: 1000, origin: null },
  schedule: [
    { days: ['fri', 'sat'], fromMinute: 22 * 60, toMinute: 6 * 60, limits: { upload: null } },
    { days: ['mon'], fromMinute: 8 * 60, toMinute: 17 * 60, limits: { upload: 10, origin: 20 } },
    { days: ['mon'], fromMinute: 0, toMinute: 0, limits: { upload: 30, download: 40 } },
  ],
  words: {},
}

function uploadAt(nowMs: number, settings = SETTINGS): readonly [number | undefined, string] {
  const { bytesPerSecond, setBy } = limitsInForce(settings, nowMs).upload
  return [bytesPerSecond, setBy]
}

describe('limitsInForce', () => {
  it('is the configuration outside of the schedule', () => {
    expect(uploadAt(at(2, 12))).to.deep.equal([1000, 'configuration'])
    expect(limitsInForce(SETTINGS, at(2, 12)).origin.bytesPerSecond).to.equal(undefined)
    expect(limitsInForce(SETTINGS, at(2, 12)).download.bytesPerSecond).to.equal(undefined)
  })

  it('goes on past midnight, into a day that the entry does not name', () => {
    expect(uploadAt(at(SAT, 21, 59))).to.deep.equal([1000, 'configuration'])
    expect(uploadAt(at(SAT, 22))).to.deep.equal([undefined, 'schedule'])
    expect(uploadAt(at(SUN + 7, 5, 59))).to.deep.equal([undefined, 'schedule'])
    expect(uploadAt(at(SUN + 7, 6))).to.deep.equal([1000, 'configuration'])
  })

  it('does not begin at midnight of the first day that it names', () => {
    expect(uploadAt(at(5, 3))).to.deep.equal([1000, 'configuration'])
  })

  it('takes each limit from the first entry that names it', () => {
    const { upload, download, origin } = limitsInForce(SETTINGS, at(MON, 8))
    expect([upload, download, origin].map(limit => limit.bytesPerSecond)).to.deep.equal([
      10, 40, 20,
    ])
    expect(uploadAt(at(MON, 17))).to.deep.equal([30, 'schedule'])
  })

  it('lasts a whole day when it ends where it begins', () => {
    expect(uploadAt(at(MON, 0))).to.deep.equal([30, 'schedule'])
    expect(uploadAt(at(MON, 23, 59))).to.deep.equal([30, 'schedule'])
    expect(uploadAt(at(2, 0))).to.deep.equal([1000, 'configuration'])
  })

  it('gives the owner the last word, also that there is no limit', () => {
    expect(uploadAt(at(MON, 8), { ...SETTINGS, words: { upload: 5 } })).to.deep.equal([5, 'owner'])
    expect(uploadAt(at(MON, 8), { ...SETTINGS, words: { upload: null } })).to.deep.equal([
      undefined,
      'owner',
    ])
  })
})
