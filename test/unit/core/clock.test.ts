import { expect } from 'chai'
import { systemClock } from '../../../src/core/clock.ts'

describe('systemClock.sleep', () => {
  it('rejects, and never throws, when the signal has already aborted', async () => {
    const reason = new Error('stop')
    const sleeping = systemClock.sleep(60_000, AbortSignal.abort(reason))
    expect(await sleeping.catch(error => error)).to.equal(reason)
  })
  it('ends at once when the signal aborts', async () => {
    const abort = new AbortController()
    const sleeping = systemClock.sleep(60_000, abort.signal)
    abort.abort(new Error('stop'))
    expect(await sleeping.catch(error => error)).to.have.property('message', 'stop')
  })
})
