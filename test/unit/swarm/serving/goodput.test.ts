/** Which peers are too slow: bytes against the time in which bytes waited for them. */
import { expect } from 'chai'
import { GOODPUT_BYTES_PER_SECOND_MIN, GOODPUT_WINDOW_MS } from '../../../../swarm/limits.ts'
import { Goodput } from '../../../../swarm/serving/goodput.ts'

/** Whether a peer that takes `bytes` in every `eachMs` is found too slow within `forMs`. */
function isCutOff(bytes: number, eachMs: number, forMs: number, pauseMs = 0): boolean {
  const goodput = new Goodput()
  let nowMs = 0
  while (nowMs < forMs) {
    goodput.begin(nowMs)
    const patienceMs = goodput.patienceMs(nowMs)
    if (patienceMs < eachMs && goodput.patienceMs(nowMs + patienceMs) === 0) return true
    nowMs += eachMs
    goodput.taken(bytes, nowMs)
    if (goodput.patienceMs(nowMs) === 0) return true
    nowMs += pauseMs
  }
  return false
}

describe('Goodput', () => {
  const rate = GOODPUT_BYTES_PER_SECOND_MIN
  it('cuts off a peer that takes nothing', () => {
    const goodput = new Goodput()
    goodput.begin(1_000)
    expect(goodput.patienceMs(1_000)).to.equal(GOODPUT_WINDOW_MS)
    expect(goodput.patienceMs(1_000 + GOODPUT_WINDOW_MS)).to.equal(0)
  })
  it('cuts off a peer just below the rate, not one just above', () => {
    expect(isCutOff(rate * 0.09, 100, 60_000)).to.equal(true)
    expect(isCutOff(rate * 0.11, 100, 60_000)).to.equal(false)
  })
  it('does not count the time in which nothing waits for it', () => {
    expect(isCutOff(rate * 0.11, 100, 600_000, 900)).to.equal(false)
  })
  it('finds one that was fast and became slow', () => {
    const goodput = new Goodput()
    goodput.begin(0)
    goodput.taken(100 * 2 ** 20, 20_000)
    goodput.begin(20_000)
    expect(goodput.patienceMs(20_000 + GOODPUT_WINDOW_MS)).to.equal(0)
  })
})
