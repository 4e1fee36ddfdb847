import { expect } from 'chai'
import { secretName } from '../../../../orchestrator/names.ts'
import {
  ownValues,
  providedValues,
  secretTemplates,
} from '../../../../orchestrator/units/app-values.ts'
import { absentNeed, fillIn } from '../../../../orchestrator/units/values.ts'
import { forRender } from '../../../support/orchestrator/manifest.ts'

const MANIFEST = forRender(`
apiVersion: archy.app/v1
id: shop
version: "2.1"
title: Shop
images: { a: { oci: a } }
secrets: { key: { generate: { kind: hex } } }
config: { user: { type: string, default: u } }
networks: { back: {} }
needs:
  db: { app: postgres, export: sql }
provides:
  api: { component: web, values: { url: "http://\${component.web.host}:80/\${app.id}", token: "\${secrets.key}" } }
components:
  web:
    image: a
    aliases: [www, web]
    env:
      PLAIN: "\${config.user}"
      MIXED: "\${config.user}:\${secrets.key}"
      NEED: "\${needs.db.password}"
    files: [{ path: /etc/a, content: "k=\${secrets.key}\\n" }, { path: /etc/b, content: "h=\${component.worker.host}" }]
    secretFiles: [{ secret: key, path: /run/key }]
  worker: { image: a, networks: { back: { aliases: [w1] } } }
`)

describe('values of manifests', () => {
  const values = ownValues(MANIFEST, new Map([['config.user', 'a$' + '{b}']]))

  it('know components by the first name that they have on their first network', () => {
    expect(values.get('component.web.host')).to.equal('www')
    expect(values.get('component.worker.host')).to.equal('w1')
    expect([values.get('app.id'), values.get('app.version')]).to.deep.equal(['shop', '2.1'])
  })

  it('stay templates of nothing but secrets where a secret is in them', () => {
    const filled = fillIn('${config.user}:${secrets.key}', values)
    expect(filled).to.deep.equal({ kind: 'secret', template: 'a$${b}:${secrets.key}' })
    const again = fillIn('a$${b}:${secrets.key}', values)
    expect(again, 'it is the template of itself').to.deep.equal(filled)
  })

  it('give a secret another name when a value around it changes', () => {
    const names = ['x', 'y'].map(user =>
      secretTemplates(MANIFEST, new Map([['config.user', user]])).map(template =>
        secretName('shop', template),
      ),
    )
    const common = names[0]?.filter(name => names[1]?.includes(name))
    expect(names.map(each => each.length)).to.deep.equal([4, 4])
    expect(common).to.have.length(3)
  })

  it('are secrets of the other app while nobody says what a need is', () => {
    expect(fillIn('${needs.db.password}', values).kind).to.equal('secret')
    const known = new Map([...values, ['needs.db.password', 'pw']])
    expect(fillIn('${needs.db.password}', known)).to.deep.equal({ kind: 'plain', text: 'pw' })
  })

  it('are empty for an optional need that is not there', () => {
    const without = new Map([...values, [absentNeed('db'), '']])
    expect(fillIn('[${needs.db.password}]', without)).to.deep.equal({ kind: 'plain', text: '[]' })
  })

  it('must be known, or the name of the reference is told', () => {
    expect(() => fillIn('${node.tz}', values))
      .to.throw('${node.tz}')
      .with.property('code', 'VALUE_MISSING')
  })

  it('that are provided name the component as other apps reach it', () => {
    expect([...providedValues(MANIFEST, 'api', values)]).to.deep.equal([
      ['url', { kind: 'plain', text: 'http://web.app-shop:80/shop' }],
      ['token', { kind: 'secret', template: '${secrets.key}' }],
    ])
    expect([...providedValues(MANIFEST, 'nothing', values)]).to.deep.equal([])
  })
})
