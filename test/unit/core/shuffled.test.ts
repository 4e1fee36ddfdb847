import { expect } from 'chai'
import { shuffled } from '../../../src/core/shuffled.ts'

describe('shuffled', () => {
  it('has every item once and leaves the list alone', () => {
    const items = [1, 2, 3, 4]
    expect([...shuffled(items, Math.random)].sort()).to.deep.equal(items)
    expect(shuffled([], Math.random)).to.deep.equal([])
  })

  it('follows chance', () => {
    expect(shuffled([1, 2, 3], () => 0)).to.deep.equal([1, 2, 3])
    expect(shuffled([1, 2, 3], () => 0.99)).to.deep.equal([3, 2, 1])
  })
})
