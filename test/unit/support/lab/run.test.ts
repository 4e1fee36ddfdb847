import { expect } from 'chai'
import { parseRun } from '../../../support/lab/run.ts'

describe('the arguments of lab run', () => {
  it('are names, two dashes and a command that may have dashes of its own', () => {
    expect(parseRun(['n1', 'origin', '--', 'sh', '--', 'x'])).to.deep.equal({
      names: ['n1', 'origin'],
      command: ['sh', '--', 'x'],
    })
  })

  it('need a host to run on and a command', () => {
    for (const args of [[], ['n1', '--', 'true'], ['origin', '--'], ['origin', 'true']]) {
      expect(() => parseRun(args), args.join(' ')).to.throw('usage')
    }
  })
})
