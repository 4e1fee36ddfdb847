import { expect } from 'chai'
import { spaceProblem } from '../../../orchestrator/space.ts'

const MIB = 2 ** 20

describe('spaceProblem', () => {
  it('leaves a tenth and 256 MiB', () => {
    expect(spaceProblem(100 * MIB, 366 * MIB)).to.equal(undefined)
    expect(spaceProblem(100 * MIB, 365 * MIB)).to.equal('366 MiB free, and 365 MiB are')
  })
})
