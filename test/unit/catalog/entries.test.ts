import { expect } from 'chai'
import { findApp, listApps, type Shelf } from '../../../catalog/entries.ts'
import type { TargetEntry } from '../../../catalog/trust/document.ts'
import { appTarget } from '../../support/catalog/signed-origin.ts'

function shelf(
  targets: Readonly<Record<string, TargetEntry>>,
  speaksFor: Shelf['speaksFor'] = () => true,
): Shelf {
  return {
    role: 'targets',
    tier: 'core',
    did: undefined,
    expiresMs: undefined,
    standing: 'current',
    speaksFor,
    targets: {
      version: 1,
      expiresMs: 0,
      targets: new Map(Object.entries(targets)),
      delegations: [],
      revokedDids: [],
      acknowledgedForks: [],
      bootstrap: { addresses: [], problems: [] },
      publisher: undefined,
      content: '',
    },
  }
}

describe('listApps', () => {
  it('lets the first role that has a path decide over it', () => {
    const path = 'apps/core.hello/stable'
    const list = listApps([
      shelf({ [path]: appTarget(2, '2.0') }),
      shelf({ [path]: appTarget(9, '9.0') }),
    ])
    expect(list.offers.map(offer => offer.head.seq)).to.deep.equal([2])
  })

  it('leaves out paths that a role may not speak for', () => {
    const targets = {
      'apps/core.hello/stable': appTarget(9, '9.0'),
      'apps/zabc.hello/stable': appTarget(1, '1.0'),
    }
    const { offers } = listApps([shelf(targets, path => path.startsWith('apps/zabc.'))])
    expect(offers.map(offer => offer.publisher)).to.deep.equal(['zabc'])
  })

  const good = appTarget(1, '1.0')
  const unusable: Readonly<Record<string, TargetEntry>> = {
    'apps/core.Hello/stable': good,
    'apps/../stable': good,
    'apps/core.hello/Stable': good,
    'apps/core.a/stable': { length: good.length, hashes: good.hashes },
    'apps/core.ab/stable': { ...good, hashes: { sha512: 'aa'.repeat(64) } },
    'apps/core.ac/stable': { ...good, length: 2_000_000 },
  }
  for (const [path, target] of Object.entries(unusable)) {
    it(`has no entry for ${path} ${JSON.stringify(target).slice(0, 40)}`, () => {
      expect(listApps([shelf({ [path]: target })]).offers).to.be.empty
    })
  }
})

describe('findApp', () => {
  const list = listApps([
    shelf({
      'apps/core.hello-web/stable': appTarget(2, '2.0'),
      'apps/core.hello-web/beta': appTarget(3, '3.0'),
      'apps/zabc.notes/stable': appTarget(1, '1.0'),
      'apps/zabc.hello-web/stable': appTarget(9, '9.0'),
    }),
  ])

  it("finds the origin's own app by its bare name, in the channel asked for", () => {
    expect(findApp(list, 'hello-web', 'stable').head.seq).to.equal(2)
    expect(findApp(list, 'hello-web', 'beta').head.seq).to.equal(3)
  })

  it("finds another publisher's app only by its full name", () => {
    expect(findApp(list, 'zabc.notes', 'stable').head.seq).to.equal(1)
    expect(() => findApp(list, 'notes', 'stable'))
      .to.throw()
      .with.property('code', 'APP_UNKNOWN')
  })

  it('names the nearest app, and the nearest channel', () => {
    expect(() => findApp(list, 'helo-web', 'stable')).to.throw('did you mean "hello-web"?')
    expect(() => findApp(list, 'hello-web', 'betta')).to.throw('did you mean "beta"?')
  })

  for (const name of ['constructor', '__proto__', '', '..', '/', 'core.', 'toString']) {
    it(`does not know "${name}"`, () => {
      expect(() => findApp(list, name, 'stable'))
        .to.throw()
        .with.property('code', 'APP_UNKNOWN')
    })
  }
})
