import { expect } from 'chai'
import { ManifestError } from '../../../../catalog/errors.ts'
import {
  parseTemplate,
  REFERENCE_FORMS,
  readTemplate,
  referenceText,
  secretReferences,
} from '../../../../catalog/manifest/template.ts'

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
    '${config.site-name}': [{ kind: 'config', name: 'site-name' }],
    'http://${needs.btc.host}:8332': [
      literal('http://'),
      { kind: 'need', alias: 'btc', key: 'host' },
      literal(':8332'),
    ],
    '${app.id}-${app.version}': [
      { kind: 'app', field: 'id' },
      literal('-'),
      { kind: 'app', field: 'version' },
    ],
    '${node.hostname}${node.tz}${node.lan-address}': [
      { kind: 'node', field: 'hostname' },
      { kind: 'node', field: 'tz' },
      { kind: 'node', field: 'lan-address' },
    ],
    '${component.db.host}:5432': [{ kind: 'component', name: 'db' }, literal(':5432')],
  }
  for (const [text, parts] of Object.entries(cases)) {
    it(`splits ${JSON.stringify(text)}`, () => expect(parseTemplate(text)).to.deep.equal(parts))
  }

  const wrong = [
    ...['${secrets.A}', '${secrets.}', 'a ${secrets.a', '${}', '${', '${config.x.y}', '${needs.a}'],
    ...[
      '${needs.a.b.c}',
      '${app.dataDir}',
      '${node.arch}',
      '${component.db}',
      '${component.db.port}',
    ],
    ...['${constructor}', '${ config.x }', '${secret.a}'],
  ]
  for (const text of wrong) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseTemplate(text)).to.throw(ManifestError, /unknown reference|no closing/)
    })
  }
})

describe('referenceText', () => {
  it('gives back what stands between the braces, for every form that messages name', () => {
    for (const form of REFERENCE_FORMS) {
      const text = form.replace(/<\w+>/g, 'x')
      const [part] = readTemplate(`\${${text}}`).parts
      if (part === undefined || part.kind === 'literal') expect.fail(`${text} is no reference`)
      expect(referenceText(part)).to.equal(text)
    }
  })
})

describe('secretReferences', () => {
  it('lists each name once', () => {
    expect(secretReferences('${secrets.a}:${secrets.b}:${secrets.a} $${secrets.c}')).to.deep.equal([
      'a',
      'b',
    ])
  })
})
