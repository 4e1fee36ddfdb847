import { expect } from 'chai'
import fc from 'fast-check'
import { newestOf } from '../../../../swarm/reuse/newest.ts'

describe('the blobs that were used last', () => {
  it('are the first of the whole list in order, however many there are', () => {
    const times = fc.array(fc.nat(50), { maxLength: 80 })
    fc.assert(
      fc.property(times, fc.nat(20), (list, countMax) => {
        const items = list.map((lastUsedMs, index) => ({ lastUsedMs, index }))
        const sorted = [...items].sort((a, b) => b.lastUsedMs - a.lastUsedMs)
        expect(newestOf(items, countMax)).to.deep.equal(sorted.slice(0, countMax))
      }),
    )
  })
})
