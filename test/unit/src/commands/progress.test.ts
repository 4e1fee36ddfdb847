import { expect } from 'chai'
import { formatBar, formatProgress } from '../../../../src/commands/progress.ts'

describe('progress', () => {
  for (const [held, size, bar] of [
    [0, 100, '[····················] 0 %'],
    [999, 1000, '[###################·] 99 %'],
    [1000, 1000, '[####################] 100 %'],
    [5, 0, '[####################] 100 %'],
    [2000, 1000, '[####################] 100 %'],
  ] as const) {
    it(`of ${held} of ${size} is ${bar}`, () => {
      expect(formatBar(held, size)).to.equal(bar)
    })
  }

  it('says nothing of speed while nothing comes', () => {
    const bytesPerSecond = { peer: 0, origin: 0 }
    const text = '[##########··········] 50 % of 2.0 MB'
    expect(formatProgress({ heldBytes: 1e6, sizeBytes: 2e6, bytesPerSecond })).to.equal(text)
  })

  it('says who gives how much, and how long the rest takes', () => {
    const bytesPerSecond = { peer: 3e5, origin: 2e5 }
    const text = '[##########··········] 50 % of 2.0 MB, peers 300 kB/s, origin 200 kB/s, 2 s left'
    expect(formatProgress({ heldBytes: 1e6, sizeBytes: 2e6, bytesPerSecond })).to.equal(text)
  })
})
