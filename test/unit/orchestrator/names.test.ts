import { expect } from 'chai'
import { containerName, networkUnit, secretName, targetUnit } from '../../../orchestrator/names.ts'

describe('names', () => {
  it('differ for every pair of app and component', () => {
    expect(containerName('a-b', 'c')).to.not.equal(containerName('a', 'b-c'))
    expect(`${containerName('a', 'network')}.service`).to.not.equal(networkUnit('a'))
    expect(targetUnit('a')).to.not.equal(targetUnit('a-b'))
  })

  it('of secrets are stable, tell apps and templates apart, and say nothing of the value', () => {
    expect(secretName('a', 'x')).to.equal('app-a_2d711642b726b044')
    expect(secretName('a', 'x')).to.not.equal(secretName('a', 'y'))
    expect(secretName('a', 'x')).to.not.equal(secretName('b', 'x'))
  })
})
