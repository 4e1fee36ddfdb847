import { expect } from 'chai'
import { Shared } from '../../gate/shared.ts'

describe('a shared look', () => {
  it('is one for all who ask while another is under way, and begins after they asked', async () => {
    const ends: (() => void)[] = []
    const shared = new Shared(
      () => new Promise<number>(resolve => ends.push(() => resolve(ends.length))),
    )
    const first = shared.get()
    const others = [shared.get(), shared.get()]
    expect(ends).to.have.length(1)
    ends[0]?.()
    expect(await first).to.equal(1)
    await Promise.resolve()
    expect(ends).to.have.length(2)
    ends[1]?.()
    expect(await Promise.all(others)).to.deep.equal([2, 2])
  })

  it('goes on after a look that failed', async () => {
    let count = 0
    const shared = new Shared(async () => {
      count += 1
      if (count === 1) throw new Error('the node is off')
      return count
    })
    const first = shared.get().catch(() => 'failed')
    expect(await Promise.all([first, shared.get()])).to.deep.equal(['failed', 2])
  })
})
