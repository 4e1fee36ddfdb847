import { expect } from 'chai'
import { digestOf } from '../../../../src/core/digest.ts'
import { dueForScrub } from '../../../../swarm/store/scrub-schedule.ts'

const DAY_MS = 86_400_000
const MONTH_MS = 30 * DAY_MS
const digests = Array.from({ length: 3_000 }, (_, index) => digestOf(Buffer.from(`${index}`)))

describe('dueForScrub', () => {
  it('has every blob due once in an interval, whenever it is looked', () => {
    const counts = new Map<string, number>()
    for (let atMs = 0; atMs < MONTH_MS; atMs += 7 * 3_600_000) {
      const untilMs = Math.min(atMs + 7 * 3_600_000, MONTH_MS)
      for (const { digest } of dueForScrub(digests, 1e12 + atMs, 1e12 + untilMs, MONTH_MS)) {
        counts.set(digest, (counts.get(digest) ?? 0) + 1)
      }
    }
    expect(digests.every(digest => counts.get(digest) === 1)).to.equal(true)
  })

  it('spreads them evenly over the interval', () => {
    const perDay = Array.from(
      { length: 30 },
      (_, day) => dueForScrub(digests, day * DAY_MS, (day + 1) * DAY_MS, MONTH_MS).length,
    )
    expect(Math.min(...perDay)).to.be.above(60)
    expect(Math.max(...perDay)).to.be.below(145)
  })

  it('has each blob due once after a pause longer than an interval, in the order of their moments', () => {
    const due = dueForScrub(digests, 0, 5 * MONTH_MS, MONTH_MS)
    expect(due).to.have.length(digests.length)
    expect(due.every(({ dueMs }, index) => dueMs >= (due[index - 1]?.dueMs ?? 0))).to.equal(true)
    expect(due.every(({ dueMs }) => dueMs > 4 * MONTH_MS && dueMs <= 5 * MONTH_MS)).to.equal(true)
  })
})
