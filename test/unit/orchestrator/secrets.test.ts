import { expect } from 'chai'
import fc from 'fast-check'
import { fillSecrets } from '../../../orchestrator/fill-secrets.ts'
import { secretInside } from '../../../orchestrator/secrets.ts'

describe('secretInside', () => {
  it('takes one secret back out of what it was filled into', () => {
    const template = 'postgres://notes:${secrets.db}@db/notes'
    expect(secretInside(template, 'postgres://notes:s3cret@db/notes')).to.deep.equal({
      name: 'db',
      value: 's3cret',
    })
  })

  for (const [why, template, filled] of [
    ['two secrets', '${secrets.a}${secrets.b}', 'xy'],
    ['a need beside it', '${secrets.a}@${needs.db.host}', 'x@y'],
    ['another text', 'a${secrets.a}b', 'axc'],
    ['a text that is too short', 'ab${secrets.a}bc', 'abc'],
    ['no secret', 'plain', 'plain'],
  ] as const) {
    it(`finds none with ${why}`, () => {
      expect(secretInside(template, filled)).to.equal(undefined)
    })
  }

  it('is the inverse of filling in', () => {
    const text = fc.string().map(part => part.replaceAll(/[${}]/g, ''))
    fc.assert(
      fc.property(text, fc.string({ minLength: 1 }), text, (before, value, after) => {
        const template = `${before}\${secrets.a}${after}`
        const filled = fillSecrets(template, new Map([['a', value]]), new Map())
        expect(secretInside(template, filled)).to.deep.equal({ name: 'a', value })
      }),
    )
  })
})

describe('fillSecrets', () => {
  it('names what it has no value for', () => {
    expect(() => fillSecrets('${needs.db.password}', new Map(), new Map()))
      .to.throw('needs.db.password')
      .with.property('code', 'VALUE_MISSING')
  })
})
