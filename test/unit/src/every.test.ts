import { expect } from 'chai'
import { silentLog } from '../../../src/core/log.ts'
import { every } from '../../../src/every.ts'
import { createManualClock, settle } from '../../support/manual-clock.ts'

describe('every', () => {
  it('runs at once, then at the interval, and goes on after a failure', async () => {
    const clock = createManualClock()
    let runs = 0
    const loop = every({ clock, log: silentLog }, 1000, async () => {
      runs += 1
      if (runs === 1) throw new Error('first')
    })
    await settle()
    expect(runs).to.equal(1)
    await clock.advance(999)
    expect(runs).to.equal(1)
    await clock.advance(1)
    expect(runs).to.equal(2)
    await loop.close()
  })
  it('aborts the work under way when it is closed, and waits for its end', async () => {
    let ended = false
    const loop = every({ clock: createManualClock(), log: silentLog }, 1000, async signal => {
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      ended = true
    })
    await loop.close()
    expect(ended).to.equal(true)
  })
})
