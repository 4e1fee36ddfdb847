import { expect } from 'chai'
import { eachInParallel } from '../../../src/core/parallel.ts'

describe('eachInParallel', () => {
  it('acts on every item, never on more at once than allowed', async () => {
    const done: number[] = []
    let running = 0
    let most = 0
    await eachInParallel([1, 2, 3, 4, 5, 6, 7], 3, async item => {
      running += 1
      most = Math.max(most, running)
      await Promise.resolve()
      running -= 1
      done.push(item)
    })
    expect(done).to.have.members([1, 2, 3, 4, 5, 6, 7])
    expect(most).to.equal(3)
  })

  it('begins nothing after a failure, waits for what is under way, and throws the first', async () => {
    const begun: number[] = []
    let isFirstDone = false
    const attempt = eachInParallel([1, 2, 3, 4, 5], 2, async item => {
      begun.push(item)
      if (item === 2) throw new Error('two')
      await new Promise(resolve => setImmediate(resolve))
      isFirstDone = true
    })
    const error = await attempt.catch((reason: unknown) => reason)
    expect(error).to.be.an('error').with.property('message', 'two')
    expect(begun).to.deep.equal([1, 2])
    expect(isFirstDone).to.equal(true)
  })

  it('does nothing for nothing', async () => {
    await eachInParallel([], 4, () => expect.fail('there is no item'))
  })
})
