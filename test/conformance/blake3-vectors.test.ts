/**
 * Checks the tree code against the official BLAKE3 vectors, on the vector path and on the plain path.
 * Method: the inputs of the vectors are the bytes 0…250 repeating; only the first 32 bytes of the output are ours.
 */
import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { loadKernel } from '../../src/core/blake3/kernel.ts'
import { createTree } from '../../src/core/blake3/tree.ts'
import { readVectors, VECTORS } from '../support/blake3-vectors.ts'

if (existsSync(VECTORS)) {
  const { cases } = readVectors(VECTORS)
  describe('official BLAKE3 vectors', () => {
    for (const [name, kernel] of [
      ['with vectors', loadKernel()],
      ['plain', undefined],
    ] as const) {
      it(`are met, ${name}`, () => {
        const tree = createTree(kernel)
        expect(cases).to.have.length.above(30)
        for (const { input_len, hash } of cases) {
          const input = new Uint8Array(input_len).map((_, index) => index % 251)
          const digest = Buffer.from(tree.foldBytes(input, 0, true)).toString('hex')
          expect(digest, `${input_len} bytes`).to.equal(hash.slice(0, 64))
        }
      })
    }
  })
} else {
  console.log(`left out: official BLAKE3 vectors (no ${VECTORS})`)
}
