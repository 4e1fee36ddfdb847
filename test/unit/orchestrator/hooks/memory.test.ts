import { expect } from 'chai'
import {
  begun,
  decideStep,
  done,
  forgotten,
  type HookMemory,
} from '../../../../orchestrator/hooks/memory.ts'

const decide = (
  runs: 'always' | 'oncePerInstall' | 'oncePerVersion',
  memory: HookMemory,
  version = '1',
) => decideStep({ runs }, memory.a, version)

describe('steps of hooks', () => {
  it('run once for an install, once for a version, or always', () => {
    const ran = done(begun({}, 'a', '1', 'run'), 'a', '1')
    expect(decide('oncePerInstall', {})).to.equal('run')
    expect(decide('oncePerInstall', ran, '2')).to.equal('skip')
    expect(decide('oncePerVersion', ran, '1')).to.equal('skip')
    expect(decide('oncePerVersion', ran, '2')).to.equal('run')
    expect(decide('always', ran)).to.equal('run')
  })

  it('that were cut off run once more, and never a third time', () => {
    const first = begun({}, 'a', '1', 'run')
    expect(decide('oncePerInstall', first)).to.equal('run-again')
    const second = begun(first, 'a', '1', 'run-again')
    expect(decide('oncePerInstall', second)).to.equal('give-up')
    expect(decide('oncePerVersion', second, '2'), 'another version begins anew').to.equal('run')
  })

  it('that failed are forgotten, so that they run again', () => {
    expect(decide('oncePerInstall', forgotten(begun({}, 'a', '1', 'run'), 'a'))).to.equal('run')
  })
})
