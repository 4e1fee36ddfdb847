import { expect } from 'chai'
import { highestInRange, isInRange } from '../../../orchestrator/versions.ts'

describe('versions in ranges', () => {
  for (const [version, range, expected] of [
    ['26.1', '>=26.0 <28', true],
    ['28.0', '>=26.0 <28', false],
    ['v26', '>=26.0 <28', true],
    ['26.0.0-3', '>=26.0 <28', true],
    ['2024.11.3', '>=2024.10', true],
    ['1.0.0', 'not a range', false],
    ['1.0.0', '1.x || 3.x', true],
  ] as const) {
    it(`${version} is ${expected ? '' : 'not '}in ${range}`, () => {
      expect(isInRange(version, range)).to.equal(expected)
    })
  }

  it('have a highest, by numbers and not by letters', () => {
    expect(highestInRange(['1.9.0', '1.10.0', '2.0.0', '1.2'], '<2')).to.equal('1.10.0')
    expect(highestInRange(['3.0'], '<2')).to.equal(undefined)
  })
})
