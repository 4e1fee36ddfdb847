import { expect } from 'chai'
import { baseKey } from '../../../support/lab/base.ts'
import { BASE_SPEC } from '../../../support/lab/base-spec.ts'

describe('the key of the base', () => {
  it('stays the same for the same inputs', () => {
    expect(baseKey(structuredClone(BASE_SPEC), 'x64')).to.equal(baseKey(BASE_SPEC, 'x64'))
  })

  it('changes with the architecture and with anything the base is made of', () => {
    const changed = [
      baseKey(BASE_SPEC, 'arm64'),
      baseKey({ ...BASE_SPEC, suite: 'forky' }, 'x64'),
      baseKey({ ...BASE_SPEC, packages: BASE_SPEC.packages.slice(1) }, 'x64'),
      baseKey({ ...BASE_SPEC, files: {} }, 'x64'),
      baseKey({ ...BASE_SPEC, masked: [] }, 'x64'),
      baseKey({ ...BASE_SPEC, setup: `${BASE_SPEC.setup}\n` }, 'x64'),
    ]
    expect(new Set([...changed, baseKey(BASE_SPEC, 'x64')]).size).to.equal(7)
  })
})
