/** Checks that the committed tree kernel is what its source compiles to. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { compileKernel } from '../../src/core/blake3/kernel/build.ts'
import { loadKernel } from '../../src/core/blake3/kernel.ts'

describe('tree kernel', () => {
  it('is the compiled form of its source; if not, run npm run build:kernel', async function () {
    this.timeout(30_000)
    const committed = await readFile('src/core/blake3/kernel/kernel.wasm')
    expect(committed.equals(await compileKernel())).to.equal(true)
  })

  it('loads on this machine', () => {
    expect(loadKernel()).not.to.equal(undefined)
  })
})
