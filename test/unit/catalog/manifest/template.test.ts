import { expect } from 'chai'
import { ManifestError } from '../../../../catalog/errors.ts'
import { parseTemplate, secretReferences } from '../../../../catalog/manifest/template.ts'

const literal = (text: string) => ({ kind: 'literal', text })
const secret = (name: string) => ({ kind: 'secret', name })

describe('parseTemplate', () => {
  const cases: Readonly<Record<string, readonly unknown[]>> = {
    '': [],
    plain: [literal('plain')],
    '${secrets.a}': [secret('a')],
    'x${secrets.a}${secrets.b-2}y': [literal('x'), secret('a'), secret('b-2'), literal('y')],
    'a $${secrets.a} b': [literal('a ${secrets.a} b')],
    '$$${secrets.a}': [literal('$${secrets.a}')],
    'cost: 5$ $x $(y) }': [literal('cost: 5$ $x $(y) }')],
  }
  for (const [text, parts] of Object.entries(cases)) {
    it(`splits ${JSON.stringify(text)}`, () => expect(parseTemplate(text)).to.deep.equal(parts))
  }

  for (const text of ['${config.x}', '${secrets.A}', '${secrets.}', 'a ${secrets.a', '${}', '${']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseTemplate(text)).to.throw(ManifestError, /unknown reference|no closing/)
    })
  }
})

describe('secretReferences', () => {
  it('lists each name once', () => {
    expect(secretReferences('${secrets.a}:${secrets.b}:${secrets.a} $${secrets.c}')).to.deep.equal([
      'a',
      'b',
    ])
  })
})
