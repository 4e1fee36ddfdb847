import { expect } from 'chai'
import {
  CLOCK_TOLERANCE_MS,
  type FreshnessInput,
  judgeFreshness,
  ROOT_STUCK_AFTER_MS,
} from '../../../catalog/freshness.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const ISSUED_MS = Date.UTC(2026, 5, 1)
const EXPIRES_MS = ISSUED_MS + 7 * DAY_MS
const GRACE_MS = 30 * DAY_MS

function judge(changed: Partial<FreshnessInput> = {}) {
  return judgeFreshness({
    systemMs: ISSUED_MS + DAY_MS,
    floorMs: ISSUED_MS,
    originMs: undefined,
    issuedMs: ISSUED_MS,
    expiresMs: EXPIRES_MS,
    staleGraceMs: GRACE_MS,
    isStaleAccepted: false,
    forks: [],
    missingRoot: undefined,
    ...changed,
  })
}
const codes = (changed: Partial<FreshnessInput>) => judge(changed).flags.map(({ code }) => code)

describe('freshness', () => {
  it('is fresh until the moment of expiry: everything is allowed', () => {
    const fresh = judge({ systemMs: EXPIRES_MS - 1 })
    expect(fresh).to.deep.include({ freshness: 'fresh', flags: [], nowMs: EXPIRES_MS - 1 })
    expect(fresh.allows).to.deep.equal({ install: 'yes', update: true, reasons: [] })
  })

  it('is stale from the moment of expiry: installs with a notice, no automatic updates', () => {
    const stale = judge({ systemMs: EXPIRES_MS })
    expect(stale.freshness).to.equal('stale')
    expect(stale.allows).to.deep.include({ install: 'notice', update: false })
    expect(stale.allows.reasons[0]).to.include('stale')
  })

  it('is expired from the end of the grace: nothing is installed without consent', () => {
    expect(judge({ systemMs: EXPIRES_MS + GRACE_MS - 1 }).freshness).to.equal('stale')
    const expired = judge({ systemMs: EXPIRES_MS + GRACE_MS })
    expect(expired.freshness).to.equal('expired')
    expect(expired.allows).to.deep.include({ install: 'accept-stale', update: false })
  })

  it("takes the owner's consent to an expired catalog for installs, not for updates", () => {
    const accepted = judge({ systemMs: EXPIRES_MS + GRACE_MS, isStaleAccepted: true })
    expect(accepted.allows).to.deep.include({ install: 'notice', update: false })
    expect(judge({ isStaleAccepted: true }).allows.install).to.equal('yes')
    const none = judge({ expiresMs: undefined, isStaleAccepted: true })
    expect(none.allows.install).to.equal('no')
  })

  it('allows nothing new without a catalog', () => {
    const none = judge({ expiresMs: undefined, issuedMs: undefined })
    expect(none.freshness).to.equal('none')
    expect(none.allows).to.deep.include({ install: 'no', update: false })
  })

  describe('with a clock that is behind', () => {
    it('tolerates a small step back without a word', () => {
      const systemMs = ISSUED_MS - CLOCK_TOLERANCE_MS
      expect(judge({ systemMs })).to.deep.include({ flags: [], nowMs: systemMs })
      expect(codes({ systemMs: ISSUED_MS - 9 * MINUTE_MS })).to.deep.equal([])
    })

    it('takes the signed time for now beyond that, and names the amount', () => {
      const suspect = judge({ systemMs: ISSUED_MS - 11 * MINUTE_MS })
      expect(suspect.nowMs).to.equal(ISSUED_MS)
      expect(suspect.flags[0]?.code).to.equal('CLOCK_SUSPECT')
      expect(suspect.flags[0]?.message).to.include('11 min behind')
      expect(codes({ systemMs: ISSUED_MS - CLOCK_TOLERANCE_MS - 1 })).to.deep.equal([
        'CLOCK_SUSPECT',
      ])
    })

    it('never switches freshness off: a catalog that ended before the floor is stale in 1971 too', () => {
      const systemMs = Date.UTC(1971, 0, 1)
      expect(judge({ systemMs, floorMs: EXPIRES_MS }).freshness).to.equal('stale')
      expect(judge({ systemMs }).freshness).to.equal('fresh')
    })
  })

  describe('with a clock that is ahead', () => {
    const systemMs = Date.UTC(2090, 0, 1)

    it('is stale instead of expired when the origin and the signed time agree', () => {
      const ahead = judge({ systemMs, originMs: ISSUED_MS + DAY_MS })
      expect(ahead.freshness).to.equal('stale')
      expect(ahead.flags[0]?.message).to.match(/\d+ days ahead/)
    })

    it('is expired when the origin says nothing, or contradicts the signed time', () => {
      expect(judge({ systemMs }).freshness).to.equal('expired')
      expect(judge({ systemMs, originMs: ISSUED_MS - DAY_MS }).freshness).to.equal('expired')
      expect(judge({ systemMs, originMs: EXPIRES_MS }).freshness).to.equal('expired')
    })

    it("never measures expiry by the origin's clock", () => {
      expect(judge({ systemMs, originMs: ISSUED_MS + DAY_MS }).nowMs).to.equal(systemMs)
      const behind = judge({ originMs: EXPIRES_MS + DAY_MS })
      expect(behind).to.deep.include({ freshness: 'fresh', flags: [] })
    })
  })

  it('pauses updates and installs while a fork is not settled, in every state', () => {
    const forks = [{ version: 7, kind: 'same-version' }]
    for (const systemMs of [ISSUED_MS, EXPIRES_MS, EXPIRES_MS + GRACE_MS]) {
      const forked = judge({ systemMs, forks, isStaleAccepted: true })
      expect(forked.allows).to.deep.include({ install: 'no', update: false })
      expect(forked.flags.at(-1)).to.have.property('code', 'FORK')
    }
  })

  it('pauses updates alone when a root that peers speak of is withheld for an hour', () => {
    const missing = (forMs: number) => ({ missingRoot: { version: 9, forMs } })
    expect(codes(missing(ROOT_STUCK_AFTER_MS - 1))).to.deep.equal([])
    const stuck = judge(missing(ROOT_STUCK_AFTER_MS))
    expect(stuck.flags[0]).to.have.property('code', 'ROOT_STUCK')
    expect(stuck.allows).to.deep.include({ install: 'yes', update: false })
  })
})
