import { expect } from 'chai'
import {
  containerFile,
  containerName,
  exportHost,
  exportNetworkName,
  isQuadletFileOf,
  networkFile,
  networkName,
  networkUnit,
  secretName,
  targetUnit,
} from '../../../orchestrator/names.ts'

describe('names', () => {
  it('differ for every pair of app and component', () => {
    expect(containerName('a-b', 'c')).to.not.equal(containerName('a', 'b-c'))
    expect(`${containerName('a', 'network')}.service`).to.not.equal(networkUnit(networkName('a')))
    expect(targetUnit('a')).to.not.equal(targetUnit('a-b'))
  })

  it('of networks differ from those of every other app, network and export', () => {
    const names = [
      networkName('a'),
      networkName('a', 'b'),
      networkName('a-b'),
      networkName('a-net', 'b'),
      exportNetworkName('a', 'b'),
    ]
    expect(new Set(names)).to.have.length(names.length)
    expect(networkName('a', 'default')).to.equal(networkName('a'))
  })

  it('of files belong to one app only', () => {
    const files = [
      networkFile(networkName('a')),
      networkFile(networkName('a', 'b')),
      networkFile(exportNetworkName('a', 'b')),
      containerFile('a', 'b'),
    ]
    expect(files.every(file => isQuadletFileOf('a', file))).to.equal(true)
    const others = [networkFile(networkName('a-b')), containerFile('a-b', 'c'), 'app-a.txt']
    expect(others.some(file => isQuadletFileOf('a', file))).to.equal(false)
  })

  it('that other apps use have labels that DNS allows, however long id and component are', () => {
    const labels = exportHost('a'.repeat(40), 'c'.repeat(32)).split('.')
    expect(Math.max(...labels.map(label => label.length))).to.be.below(64)
  })

  it('of secrets are stable, tell apps and templates apart, and say nothing of the value', () => {
    expect(secretName('a', 'x')).to.equal('app-a_2d711642b726b044')
    expect(secretName('a', 'x')).to.not.equal(secretName('a', 'y'))
    expect(secretName('a', 'x')).to.not.equal(secretName('b', 'x'))
  })
})
