import { expect } from 'chai'
import { capacityBytes, excessBytes, shortageOf } from '../../../../swarm/store/space.ts'

const GIB = 2 ** 30
const space = {
  usedBytes: 10 * GIB,
  promisedBytes: 2 * GIB,
  freeBytes: 20 * GIB,
  minFreeBytes: GIB,
  quotaBytes: undefined,
}

describe('the space of the store', () => {
  it('lets a download begin that just fits beside what is promised and what must stay free', () => {
    expect(shortageOf(space, 17 * GIB)).to.equal(undefined)
    expect(shortageOf(space, 17 * GIB + 1)).to.deep.equal({ kind: 'disk', missingBytes: 1 })
  })

  it('counts what is used and promised into the quota', () => {
    const bounded = { ...space, quotaBytes: 15 * GIB }
    expect(shortageOf(bounded, 3 * GIB)).to.equal(undefined)
    expect(shortageOf(bounded, 3 * GIB + 5)).to.deep.equal({ kind: 'quota', missingBytes: 5 })
  })

  it('names the tighter of the two, so that what is freed is enough for both', () => {
    const tight = { ...space, freeBytes: GIB, quotaBytes: 12 * GIB }
    expect(shortageOf(tight, GIB)).to.deep.equal({ kind: 'disk', missingBytes: 3 * GIB })
  })

  it('has a capacity of what is used and free without the minimum, or the quota', () => {
    expect(capacityBytes(space)).to.equal(29 * GIB)
    expect(capacityBytes({ ...space, quotaBytes: 5 * GIB })).to.equal(5 * GIB)
    expect(capacityBytes({ ...space, usedBytes: 0, freeBytes: 0 })).to.equal(0)
  })

  it('cleans up above the high mark, down to the low one', () => {
    expect(excessBytes({ ...space, quotaBytes: 13 * GIB })).to.equal(0)
    expect(excessBytes({ ...space, quotaBytes: 12 * GIB })).to.equal(
      Math.ceil(12 * GIB - 12 * GIB * 0.85),
    )
  })
})
