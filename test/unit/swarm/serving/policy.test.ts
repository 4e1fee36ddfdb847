/** Whom a node serves and what limits it, for every mode and every trouble. */
import { expect } from 'chai'
import fc from 'fast-check'
import { mayGive, type Rules, SEEDING_MODES, termsFor } from '../../../../swarm/serving/policy.ts'
import { CALM } from '../../../support/swarm/serving.ts'

const LIMIT = { bytesPerSecond: 1000, setBy: 'configuration' } as const
const LIMITS = { upload: LIMIT, download: LIMIT, origin: LIMIT }

function rules(mode: Rules['mode'], limitLan = false): Rules {
  return { mode, ratio: 2, limitLan }
}

describe('termsFor', () => {
  for (const [mode, lan, wan] of [
    ['off', false, false],
    ['lan', true, false],
    ['ratio', true, true],
    ['always', true, true],
  ] as const) {
    it(`serves in mode ${mode}: the LAN ${lan}, beyond ${wan}`, () => {
      expect(termsFor('lan', rules(mode), CALM, LIMITS).serves).to.equal(lan)
      expect(termsFor('wan', rules(mode), CALM, LIMITS).serves).to.equal(wan)
    })
  }

  it('serves only the LAN on a metered link, and says so', () => {
    const metered = { ...CALM, isMetered: true }
    expect(termsFor('lan', rules('always'), metered, LIMITS).serves).to.equal(true)
    const wan = termsFor('wan', rules('always'), metered, LIMITS)
    expect(wan).to.include({ serves: false, why: 'the link is metered: only the LAN is served' })
  })

  it('serves nobody when the disk is nearly full, whatever the mode', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SEEDING_MODES),
        fc.constantFrom('lan' as const, 'wan' as const, 'relay' as const),
        fc.boolean(),
        (mode, scope, isMetered) => {
          const terms = termsFor(scope, rules(mode), { isMetered, isSpaceLow: true }, LIMITS)
          expect(terms.serves).to.equal(false)
        },
      ),
    )
  })

  it('never sends blobs over a relay', () => {
    for (const mode of SEEDING_MODES) {
      expect(termsFor('relay', rules(mode), CALM, LIMITS).serves).to.equal(false)
    }
  })

  it('exempts the LAN from limits, and nobody else', () => {
    const lan = termsFor('lan', rules('always'), CALM, LIMITS)
    expect(lan.isExempt).to.equal(true)
    expect(lan.upload.bytesPerSecond).to.equal(undefined)
    const wan = termsFor('wan', rules('always'), CALM, LIMITS)
    expect(wan).to.deep.include({ isExempt: false, upload: LIMIT, download: LIMIT })
  })

  it('limits the LAN when the owner wants it', () => {
    const lan = termsFor('lan', rules('always', true), CALM, LIMITS)
    expect(lan).to.deep.include({ isExempt: false, upload: LIMIT, download: LIMIT })
  })
})

describe('mayGive', () => {
  it('gives a blob beyond the house until its ratio is reached', () => {
    const blob = { sizeBytes: 100, givenBytes: 199 }
    expect(mayGive('wan', rules('ratio'), blob)).to.equal(true)
    expect(mayGive('wan', rules('ratio'), { ...blob, givenBytes: 200 })).to.equal(false)
    expect(mayGive('lan', rules('ratio'), { ...blob, givenBytes: 200 })).to.equal(true)
    expect(mayGive('wan', rules('always'), { ...blob, givenBytes: 200 })).to.equal(true)
  })
})
