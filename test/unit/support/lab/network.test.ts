import { expect } from 'chai'
import { checkName } from '../../../support/lab/network.ts'

describe('the name of a node', () => {
  it('fits into the name of a network interface', () => {
    expect(checkName('origin')).to.equal('origin')
    for (const name of ['', 'N1', '1n', 'n-1', '../n', 'abcdefghijkl']) {
      expect(() => checkName(name), name).to.throw('no name for a node')
    }
  })
})
