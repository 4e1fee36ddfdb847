import { expect } from 'chai'
import { canonicalJson, olpcJson } from '../../../src/core/canonical-json.ts'

const text = (value: unknown): string => Buffer.from(canonicalJson(value)).toString('utf8')

describe('canonicalJson', () => {
  it('sorts keys, leaves out white space and drops undefined values', () => {
    expect(text({ b: 1, a: [true, null, 'x'], c: undefined })).to.equal(
      '{"a":[true,null,"x"],"b":1}',
    )
  })
  it('is JSON even with line breaks', () => {
    expect(text('a"b\\c\nd')).to.equal('"a\\"b\\\\c\\nd"')
  })
  for (const value of [0.5, 2 ** 53, Number.NaN, '\ud800', () => 0]) {
    it(`refuses ${String(value)}`, () => {
      expect(() => canonicalJson({ value }))
        .to.throw()
        .with.property('code', 'JSON_NOT_CANONICAL')
    })
  }
  it('refuses documents nested deeper than its bound', () => {
    const deep = Array.from({ length: 70 }).reduce(inner => [inner], 1)
    expect(() => canonicalJson(deep))
      .to.throw()
      .with.property('code', 'JSON_NOT_CANONICAL')
  })
})

describe('olpcJson', () => {
  it('escapes only the quote and the backslash', () => {
    expect(Buffer.from(olpcJson('a"b\\c\nd')).toString()).to.equal('"a\\"b\\\\c\nd"')
  })
})
