import { expect } from 'chai'
import { missingPrograms, PROGRAMS } from '../../../support/lab/packages.ts'

describe('the programs that the lab needs', () => {
  it('are all missing where the path has no folder', async () => {
    expect(await missingPrograms('/nonexistent')).to.deep.equal(Object.keys(PROGRAMS))
  })
})
