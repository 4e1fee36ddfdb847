/**
 * The order of names in canonical JSON, at random.
 * Goal: names stand in the order of their UTF-8 bytes, as every other implementation of TUF writes them.
 * Method: compare with a sort of the encoded bytes, over text with characters on both sides of the surrogates.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { canonicalJson } from '../../src/core/canonical-json.ts'

const unit = fc.constantFrom(
  'a',
  'b',
  '\u00e9',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{1f600}',
)

describe('canonical JSON, at random', () => {
  it('sorts names as their UTF-8 bytes sort', () => {
    const names = fc.uniqueArray(fc.string({ unit, maxLength: 5 }), { maxLength: 8 })
    fc.assert(
      fc.property(names, given => {
        const text = Buffer.from(canonicalJson(Object.fromEntries(given.map(name => [name, 1]))))
        const sorted = [...given].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(text.toString()).to.equal(
          `{${sorted.map(name => `${JSON.stringify(name)}:1`).join(',')}}`,
        )
      }),
      { numRuns: 300, interruptAfterTimeLimit: 1000 },
    )
  })
})
