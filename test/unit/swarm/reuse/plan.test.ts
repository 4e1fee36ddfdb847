import { expect } from 'chai'
import { createReusePlan } from '../../../../swarm/reuse/plan.ts'

const waiting = (plan: ReturnType<typeof createReusePlan>, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index).filter(plan.isWithheld)

describe('what the network is not yet asked for', () => {
  it('is all but the first piece of each gap', () => {
    const plan = createReusePlan(10, index => [0, 1, 5].includes(index))
    expect(waiting(plan, 10)).to.deep.equal([3, 4, 7, 8, 9])
    expect(plan.withheld().count).to.equal(5)
  })

  it('shrinks by what is found, and lets one piece go where that ends', () => {
    const plan = createReusePlan(8, () => false)
    plan.noteFound(1)
    plan.noteFound(2)
    plan.noteEnd(3, 2)
    expect(waiting(plan, 8)).to.deep.equal([4, 5, 6, 7])
  })

  it('lets twice as many go after each place where nothing was found, and then the whole gap', () => {
    const plan = createReusePlan(200, () => false)
    const counts: number[] = []
    for (let at = 1; plan.withheldCount > 0; at = 200 - plan.withheldCount) {
      plan.noteEnd(at, 0)
      counts.push(plan.withheldCount)
    }
    expect(counts).to.deep.equal([197, 193, 185, 0])
  })

  it('begins anew with one piece after something was found', () => {
    const plan = createReusePlan(40, () => false)
    plan.noteEnd(1, 0)
    plan.noteEnd(3, 0)
    plan.noteFound(7)
    plan.noteEnd(8, 1)
    expect(waiting(plan, 10)).to.deep.equal([9])
  })

  it('lets only the gap go in which nothing fits', () => {
    const plan = createReusePlan(20, index => index === 10)
    for (let miss = 0; miss < 4; miss += 1) plan.noteEnd(1 + miss, 0)
    expect(waiting(plan, 20)).to.deep.equal([12, 13, 14, 15, 16, 17, 18, 19])
  })

  it('is nothing after giving up', () => {
    const plan = createReusePlan(5, () => false)
    plan.giveUp()
    expect(plan.withheldCount).to.equal(0)
  })
})
