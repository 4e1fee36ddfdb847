import { expect } from 'chai'
import { type ConfigField, configValueProblem } from '../../../../catalog/manifest/config-value.ts'

type Value = string | number | boolean

const GOOD: Readonly<Record<ConfigField['type'], readonly Value[]>> = {
  string: ['', 'a b', 'ü'],
  integer: [0, -3, '12', '-1'],
  boolean: [true, 'false'],
  enum: ['small', 'large'],
  url: ['https://example.org/a?b', 'postgresql://db:5432/x'],
  host: ['example.org', 'nas', '192.0.2.1', '2001:db8::1', 'a-b.c'],
  port: [1, '65535'],
  email: ['a@example.org', 'a.b+c@localhost'],
}
const BAD: Readonly<Record<ConfigField['type'], readonly Value[]>> = {
  string: ['a\nb', 5, true],
  integer: ['1.5', 1.5, '', ' 1', '1e3', '00', 'ten'],
  boolean: ['yes', 1, ''],
  enum: ['Small', '', 'constructor'],
  url: ['example.org', '', 'a b'],
  host: ['a b', '', '-a', 'a..b', 'http://a', `${'a'.repeat(64)}.org`],
  port: [0, 65_536, '-1', '', 'http'],
  email: ['nobody', '@example.org', 'a b@c', ''],
}

function problemOf(type: ConfigField['type'], value: Value): string | undefined {
  const field = { type, immutable: false, ...(type === 'enum' && { values: ['small', 'large'] }) }
  return configValueProblem(field, value)
}

describe('configValueProblem', () => {
  for (const type of Object.keys(GOOD) as ConfigField['type'][]) {
    it(`takes what a ${type} is, as a value or as text, and nothing else`, () => {
      for (const value of GOOD[type])
        expect(problemOf(type, value), String(value)).to.equal(undefined)
      for (const value of BAD[type]) expect(problemOf(type, value), String(value)).to.be.a('string')
    })
  }

  it('holds texts and integers to their bounds', () => {
    const text: ConfigField = { type: 'string', min: 2, max: 3, immutable: false }
    expect(configValueProblem(text, 'a')).to.equal('must be at least 2 characters')
    expect(configValueProblem(text, 'abcd')).to.equal('must be at most 3 characters')
    const number: ConfigField = { type: 'integer', min: 0, max: 9, immutable: false }
    expect(configValueProblem(number, -1)).to.equal('must be at least 0')
    expect(configValueProblem(number, '10')).to.equal('must be at most 9')
    expect(configValueProblem(number, 0)).to.equal(undefined)
  })
})
