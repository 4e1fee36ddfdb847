import { expect } from 'chai'
import type { Rollout } from '../../../catalog/entry.ts'
import { bucketOf, isReached, percentAt } from '../../../catalog/rollout.ts'
import { digestBytes, digestOf } from '../../../src/core/digest.ts'

const START_MS = Date.UTC(2026, 11, 1)
const ROLLOUT: Rollout = {
  salt: 'a1b2',
  startMs: START_MS,
  steps: [
    [0, 1],
    [86_400, 10],
    [259_200, 50],
    [604_800, 100],
  ],
  halted: false,
}
const NODE_COUNT = 10_000
const seeds = Array.from({ length: NODE_COUNT }, (_, index) =>
  digestBytes(digestOf(Buffer.from(`seed ${index}`))),
)
const after = (seconds: number): number => START_MS + seconds * 1000
const reachedAt = (nowMs: number, rollout = ROLLOUT, app = 'core.hello'): readonly boolean[] =>
  seeds.map(seed => isReached(rollout, app, seed, nowMs))
const share = (reached: readonly boolean[]): number =>
  (100 * reached.filter(Boolean).length) / NODE_COUNT

describe('rollout', () => {
  it('reaches the stated share of ten thousand nodes, within one percent', () => {
    expect(share(reachedAt(after(0)))).to.be.closeTo(1, 1)
    expect(share(reachedAt(after(86_400)))).to.be.closeTo(10, 1)
    expect(share(reachedAt(after(259_200)))).to.be.closeTo(50, 1)
    expect(share(reachedAt(after(604_800)))).to.equal(100)
  })

  it('takes each step at its moment, and nothing before the start', () => {
    expect(percentAt(ROLLOUT, START_MS - 1)).to.equal(0)
    expect(percentAt(ROLLOUT, START_MS)).to.equal(1)
    expect(percentAt(ROLLOUT, after(86_400) - 1)).to.equal(1)
    expect(percentAt(ROLLOUT, after(86_400))).to.equal(10)
  })

  it('never leaves a node that it reached', () => {
    const early = reachedAt(after(86_400))
    const late = reachedAt(after(259_200))
    expect(early.every((isIn, index) => !isIn || late[index])).to.equal(true)
  })

  it('reaches nobody new while it is halted', () => {
    expect(share(reachedAt(after(604_800), { ...ROLLOUT, halted: true }))).to.equal(0)
  })

  it('begins with other nodes for another salt, and for another app', () => {
    const first = reachedAt(after(259_200))
    const both = (other: readonly boolean[]): number =>
      share(first.map((isIn, index) => isIn && other[index] === true))
    expect(both(reachedAt(after(259_200), { ...ROLLOUT, salt: 'other' }))).to.be.closeTo(25, 2)
    expect(both(reachedAt(after(259_200), ROLLOUT, 'core.other'))).to.be.closeTo(25, 2)
  })

  it('has a place for a node that another program can compute too', () => {
    const seed = Buffer.alloc(32, 7)
    const input = Buffer.concat([Buffer.from('rollout/1\0s\0core.a\0'), seed])
    const hex = Buffer.from(digestBytes(digestOf(input))).toString('hex')
    expect(bucketOf('s', 'core.a', seed)).to.equal(Number.parseInt(hex.slice(0, 8), 16) / 2 ** 32)
  })
})
