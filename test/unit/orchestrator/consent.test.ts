import { expect } from 'chai'
import { compareVersions, permissionsOf } from '../../../orchestrator/consent.ts'
import { forRender } from '../../support/orchestrator/manifest.ts'

const manifest = (component: string, top = '') =>
  forRender(`
apiVersion: archy.app/v1
id: duo
version: "1"
title: Duo
images: { a: { oci: a } }
${top}
components:
  web: { image: a, ${component} }
`)
const change = (before: string, after: string, top = '') =>
  compareVersions(permissionsOf(manifest(before)), permissionsOf(manifest(after, top)), true)
const texts = (before: string, after: string) => change(before, after).added.map(({ text }) => text)

const OPEN = 'ports: [{ container: 80, host: 8080 }]'
const CLOSED = 'ports: [{ container: 80, host: 8080, bind: local }]'

describe('compareVersions', () => {
  it('finds nothing between equals, whatever their order and their components', () => {
    const two = 'security: { capabilities: [CHOWN, KILL] }'
    const same = 'security: { capabilities: [KILL, CHOWN] }'
    expect(change(two, same)).to.deep.equal({ added: [], removed: [], widens: false })
  })

  for (const [what, after, text] of [
    ['a port', OPEN, 'answer the local network on 8080/tcp'],
    [
      'a capability',
      'security: { capabilities: [CHOWN] }',
      'use the capability CHOWN in its container',
    ],
    ['a device', 'devices: [{ path: /dev/video0 }]', 'use the device /dev/video0'],
    [
      'new privileges',
      'security: { noNewPrivileges: false }',
      'gain privileges of its container by programs in it',
    ],
    [
      'a grant, with its reason',
      'grants: { host-network: { why: finds other devices } }',
      'use the network of the machine itself, with every port on it (web: finds other devices)',
    ],
  ] as const) {
    it(`asks for ${what}`, () => {
      expect(texts('init: true', after)).to.deep.equal([text])
      expect(change('init: true', after).widens).to.equal(true)
      expect(change(after, 'init: true')).to.deep.include({ added: [], widens: false })
      expect(change(after, 'init: true').removed).to.have.length(1)
    })
  }

  it('asks when a port opens to the network, and not when it closes', () => {
    expect(change(CLOSED, OPEN).widens).to.equal(true)
    expect(change(OPEN, CLOSED).widens).to.equal(false)
  })

  it('asks before an app uses another one', () => {
    const needs = 'needs: { bitcoin: { app: bitcoin, export: rpc } }'
    const { added, widens } = change('init: true', 'init: true', needs)
    expect(added.map(({ text }) => text)).to.deep.equal(['use "rpc" of the app bitcoin'])
    expect(widens).to.equal(true)
  })

  it('tells of new data sets and settings without asking', () => {
    const top = 'data: { media: { class: user } }\nconfig: { mode: { type: string, title: Mode } }'
    const { added, widens } = change('init: true', 'init: true', top)
    expect(added.map(({ text }) => text)).to.deep.equal([
      'have the setting "mode": Mode',
      'keep the data set "media" (user)',
    ])
    expect(widens).to.equal(false)
  })

  it('asks before a version after which nothing older runs', () => {
    const permissions = permissionsOf(manifest('init: true'))
    expect(compareVersions(permissions, permissions, false).widens).to.equal(true)
  })
})
