/** Checks that tasks of one key never overlap and those of different keys do. */
import { expect } from 'chai'
import { createKeyedLock } from '../../../../swarm/store/keyed-lock.ts'

describe('keyed lock', () => {
  it('runs tasks of one key in order, also after one failed', async () => {
    const lock = createKeyedLock()
    const events: string[] = []
    const gate = Promise.withResolvers<void>()
    const outcomes = Promise.allSettled([
      lock.run('a', async () => {
        await gate.promise
        events.push('first')
        throw new Error('planned')
      }),
      lock.run('a', async () => events.push('second')),
      lock.run('b', async () => events.push('other key')),
    ])
    await lock.run('b', async () => events.push('other key again'))
    gate.resolve()
    expect((await outcomes).map(({ status }) => status)[0]).to.equal('rejected')
    expect(events).to.deep.equal(['other key', 'other key again', 'first', 'second'])
  })

  it('is idle when everything that was asked for has ended', async () => {
    const lock = createKeyedLock()
    let isDone = false
    const task = lock.run('a', async () => {
      await Promise.resolve()
      isDone = true
    })
    await lock.idle()
    expect(isDone).to.equal(true)
    await task
  })
})
