/** Which peers are too slow: bytes against the time in which bytes waited for them. */
import { expect } from 'chai'
import {
  GOODPUT_BYTES_PER_SECOND_MIN as RATE,
  SERVE_STALL_TIMEOUT_MS,
  GOODPUT_WINDOW_MS as WINDOW_MS,
} from '../../../../swarm/limits.ts'
import { Goodput } from '../../../../swarm/serving/goodput.ts'

/** Whether a peer that takes `bytes` in every `eachMs` is found too slow within `forMs`. */
function isCutOff(bytes: number, eachMs: number, forMs: number, pauseMs = 0): boolean {
  const goodput = new Goodput()
  for (let nowMs = 0; nowMs < forMs; nowMs += pauseMs) {
    goodput.begin(bytes, nowMs)
    if (goodput.patienceMs(nowMs) < eachMs) return true
    nowMs += eachMs
    goodput.taken(nowMs)
    if (goodput.patienceMs(nowMs) === 0) return true
  }
  return false
}

describe('Goodput', () => {
  it('cuts off a peer that takes nothing', () => {
    const goodput = new Goodput()
    goodput.begin(1000, 5_000)
    expect(goodput.patienceMs(5_000)).to.equal(WINDOW_MS)
    expect(goodput.patienceMs(5_000 + WINDOW_MS)).to.equal(0)
  })
  it('cuts off a peer just below the rate, not one just above', () => {
    expect(isCutOff(RATE * 0.09, 100, 60_000)).to.equal(true)
    expect(isCutOff(RATE * 0.11, 100, 60_000)).to.equal(false)
  })
  it('does not count the time in which nothing waits for it', () => {
    expect(isCutOff(RATE * 0.11, 100, 600_000, 900)).to.equal(false)
  })
  it('finds one that was fast and stopped, as soon as any other', () => {
    const goodput = new Goodput()
    goodput.begin(100 * 2 ** 20, 0)
    goodput.taken(1_000)
    goodput.begin(1000, 1_000)
    expect(goodput.patienceMs(1_000 + WINDOW_MS)).to.equal(0)
  })
  it('gives a large piece the time that it takes at the rate, within a bound', () => {
    const goodput = new Goodput()
    goodput.begin(20 * RATE, 0)
    expect(goodput.patienceMs(0)).to.equal(20_000)
    goodput.begin(2 ** 20, 0)
    expect(goodput.patienceMs(0)).to.equal(SERVE_STALL_TIMEOUT_MS)
    expect(isCutOff(2 ** 18, 12_000, 600_000)).to.equal(false)
  })
})
