/** docs/doctor.md lists exactly the checks of the doctor, with what each demands. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { examine } from '../../src/doctor/examine.ts'
import { HEALTHY } from '../support/doctor/healthy.ts'

describe('docs/doctor.md', () => {
  it('has a row for every check, and no other', async () => {
    const text = await readFile('docs/doctor.md', 'utf8')
    const rows = [...text.matchAll(/^\| `([a-z-]+)`\s*\| (.*?)\s*\|/gm)]
    expect(rows.map(([, id, must]) => `${id}: ${must}`).sort()).to.deep.equal(
      examine(HEALTHY)
        .map(({ id, must }) => `${id}: ${must}`)
        .sort(),
    )
  })
})
