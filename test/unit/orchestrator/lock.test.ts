import { expect } from 'chai'
import { createLocks } from '../../../orchestrator/lock.ts'

describe('createLocks', () => {
  it('runs work on one app in order, also after work that failed', async () => {
    const locks = createLocks()
    const seen: string[] = []
    const first = locks.run('a', async () => {
      await Promise.resolve()
      seen.push('first')
      throw new Error('failed')
    })
    const second = locks.run('a', async () => {
      seen.push('second')
    })
    const other = locks.run('b', async () => {
      seen.push('other')
    })
    const results = await Promise.allSettled([first, second, other])
    expect(results.map(({ status }) => status)).to.deep.equal([
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect(seen).to.deep.equal(['other', 'first', 'second'])
    await locks.idle()
    expect(locks.isBusy('a')).to.equal(false)
  })
})
