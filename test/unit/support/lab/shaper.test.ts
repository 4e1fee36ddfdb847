import { expect } from 'chai'
import { IDLE_SHAPER, scheduleChunk } from '../../../support/lab/shaper.ts'

describe('a shaped line', () => {
  it('lets a chunk out at once when nothing is asked of it', () => {
    expect(scheduleChunk(IDLE_SHAPER, {}, 100, 5000, 0.5).dueMs).to.equal(100)
  })

  it('adds the delay, and the jitter by chance', () => {
    const line = { delayMs: 40, jitterMs: 10 }
    expect(scheduleChunk(IDLE_SHAPER, line, 100, 1, 0).dueMs).to.equal(140)
    expect(scheduleChunk(IDLE_SHAPER, line, 100, 1, 0.5).dueMs).to.equal(145)
  })

  it('spaces chunks by the rate, not by when they came', () => {
    const line = { rateBytesPerSecond: 1000 }
    const first = scheduleChunk(IDLE_SHAPER, line, 0, 500, 0)
    const second = scheduleChunk(first.state, line, 0, 250, 0)
    expect([first.dueMs, second.dueMs]).to.deep.equal([500, 750])
  })

  it('lets no chunk overtake another, whatever the jitter', () => {
    const line = { jitterMs: 50 }
    const first = scheduleChunk(IDLE_SHAPER, line, 0, 1, 0.9)
    const second = scheduleChunk(first.state, line, 1, 1, 0)
    expect(second.dueMs).to.equal(first.dueMs)
  })
})
