import { canonicalize } from '@tufjs/canonical-json'
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

describe('canonical JSON and its neighbours', () => {
  const signed = (value: unknown) => Buffer.from(olpcJson(value)).toString()

  it('orders names by code points where another implementation orders by UTF-16', () => {
    const value = { '\u{10000}': 1, '\uffff': 2, '\ue000': 3, '\ud7ff': 4, '': 5, a: 6, aa: 7 }
    const order = [...signed(value).matchAll(/:(\d)/g)].map(match => match[1]).join('')
    expect(order).to.equal('5674321')
    expect(text(value)).to.equal(signed(value))
    expect(canonicalize(value)).not.to.equal(signed(value))
  })
  it('leaves control characters raw in the signed form and escapes them in the file', () => {
    expect(signed('\0\t\u007f')).to.equal('"\0\t\u007f"')
    expect(text('\0\t\u007f')).to.equal('"\\u0000\\t\u007f"')
    expect(canonicalize('\0\t\u007f')).to.equal(signed('\0\t\u007f'))
  })
  it('writes minus zero, 1.0 and 1e0 as the integers that they are', () => {
    expect(signed([-0, 1.0, 1, -5, 2 ** 53 - 1, -(2 ** 53 - 1)])).to.equal(
      '[0,1,1,-5,9007199254740991,-9007199254740991]',
    )
  })
  it('refuses what another implementation would sign', () => {
    for (const value of [1e21, 2 ** 53, -(2 ** 53), '\ud800', '\udc00x', { '\ud800': 1 }]) {
      expect(() => canonicalize(value)).not.to.throw()
      for (const write of [olpcJson, canonicalJson]) {
        expect(() => write(value), JSON.stringify(value))
          .to.throw()
          .with.property('code', 'JSON_NOT_CANONICAL')
      }
    }
  })
  it('refuses what is not JSON', () => {
    for (const value of [undefined, Number.POSITIVE_INFINITY, 1n, Symbol('a')]) {
      expect(() => olpcJson([value]))
        .to.throw()
        .with.property('code', 'JSON_NOT_CANONICAL')
    }
  })
  it('keeps a name that is a member of every object', () => {
    const value = JSON.parse('{"constructor":1,"__proto__":{"a":2}}') as unknown
    expect(signed(value)).to.equal('{"__proto__":{"a":2},"constructor":1}')
  })
  it('writes 64 levels and no more', () => {
    const nest = (levels: number) => Array.from({ length: levels }).reduce(inner => [inner], 1)
    expect(signed(nest(64))).to.have.length(129)
    expect(() => olpcJson(nest(65)))
      .to.throw()
      .with.property('code', 'JSON_NOT_CANONICAL')
    const objects = Array.from({ length: 65 }).reduce<object>(a => ({ a }), {})
    expect(() => olpcJson(objects))
      .to.throw()
      .with.property('code', 'JSON_NOT_CANONICAL')
  })
})
