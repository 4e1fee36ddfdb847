import { expect } from 'chai'
import { learnSecrets, solveTemplate } from '../../../../orchestrator/adopt/learn-secrets.ts'
import { forRender } from '../../../support/orchestrator/manifest.ts'

const MANIFEST = forRender(`
apiVersion: archy.app/v1
id: duo
version: "1"
title: Duo
images: { a: { oci: a } }
secrets:
  password: { generate: { kind: hex } }
  token: { generate: { kind: hex } }
components:
  db: { image: a, env: { PASSWORD: "\${secrets.password}" } }
  web:
    image: a
    env: { URL: "postgres://duo:\${secrets.password}@db/duo" }
    secretFiles: [{ secret: token, path: /run/token }]
`)

const env = (db: Record<string, string>, web: Record<string, string>) =>
  new Map([
    ['db', new Map(Object.entries(db))],
    ['web', new Map(Object.entries(web))],
  ])
const TOKEN = new Map([['web /run/token', 't0k\n']])

describe('learnSecrets', () => {
  it('reads values from variables, from texts around them, and from files', () => {
    const url = { URL: 'postgres://duo:p@ss@db/duo' }
    const learned = learnSecrets(MANIFEST, { env: env({}, url), files: TOKEN })
    expect(learned.problems).to.deep.equal([])
    expect([...learned.values]).to.deep.equal([
      ['password', 'p@ss'],
      ['token', 't0k'],
    ])
  })

  it('refuses a secret with two values, and one that nobody knows, and never says a value', () => {
    const known = {
      env: env({ PASSWORD: 'one' }, { URL: 'postgres://duo:two@db/duo' }),
      files: TOKEN,
    }
    expect(learnSecrets(MANIFEST, known).problems).to.deep.equal([
      'the secret password has another value in web URL than elsewhere',
    ])
    const none = learnSecrets(MANIFEST, { env: env({}, {}), files: new Map() }).problems
    expect(none).to.deep.equal([
      'the secret password cannot be told from what the containers were given',
      'the secret token cannot be told from what the containers were given',
    ])
  })
})

describe('solveTemplate', () => {
  it('takes away what is around the secret, and only that', () => {
    expect(solveTemplate('a-${secrets.x}-b', 'a--b-b')).to.deep.equal({ name: 'x', value: '-b' })
    expect(solveTemplate('a-${secrets.x}', 'b-1')).to.equal(undefined)
    expect(solveTemplate('a${secrets.x}a', 'a')).to.equal(undefined)
    expect(solveTemplate('plain', 'plain')).to.equal(undefined)
    expect(solveTemplate('${secrets.x}', '')).to.equal(undefined)
  })

  it('does not guess where one unknown ends and the next begins', () => {
    expect(solveTemplate('${secrets.x}:${secrets.y}', '1:2')).to.equal(undefined)
    expect(solveTemplate('${secrets.x}${config.y}', '12')).to.equal(undefined)
  })
})
