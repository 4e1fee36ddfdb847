import { expect } from 'chai'
import { formatBytes, formatDuration, formatTable } from '../../../../src/commands/format.ts'

describe('formatBytes', () => {
  for (const [count, text] of [
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 kB'],
    [123_456_789, '123 MB'],
  ] as const) {
    it(`writes ${count} as ${text}`, () => {
      expect(formatBytes(count)).to.equal(text)
    })
  }
})

describe('formatDuration', () => {
  for (const [ms, text] of [
    [-5, '0 s'],
    [89_999, '89 s'],
    [90_000, '1 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
  ] as const) {
    it(`writes ${ms} ms as ${text}`, () => {
      expect(formatDuration(ms)).to.equal(text)
    })
  }
})

describe('formatTable', () => {
  it('aligns columns and leaves no space at line ends', () => {
    expect(
      formatTable([
        ['a', 'long', ''],
        ['bbb', 'x', 'y'],
      ]),
    ).to.equal('a    long\nbbb  x     y')
  })
})
