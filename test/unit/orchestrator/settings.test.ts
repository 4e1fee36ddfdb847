import { expect } from 'chai'
import { changeSettings, settingsInForce, settingViews } from '../../../orchestrator/settings.ts'
import { forRender } from '../../support/orchestrator/manifest.ts'

const { config: FIELDS } = forRender(`
apiVersion: archy.app/v1
id: duo
version: "1"
title: Duo
images: { a: { oci: a } }
config:
  domain: { type: host, title: Domain }
  workers: { type: integer, default: 2, min: 1, max: 8 }
  network: { type: enum, values: [main, test], default: main, immutable: true }
components:
  web: { image: a }
`)
const change = (changes: Record<string, string | null>, owner = {}, isInstalled = true) =>
  changeSettings('duo', FIELDS, owner, changes, isInstalled)

describe('settings', () => {
  it('in force are the defaults and over them what the owner set', () => {
    expect(settingsInForce('duo', FIELDS, { domain: 'a.example', workers: '3' })).to.deep.equal({
      domain: 'a.example',
      workers: '3',
      network: 'main',
    })
  })

  it('that lack a value, or have one that the version no longer takes, are named with the command', () => {
    expect(() => settingsInForce('duo', FIELDS, { workers: '99' }))
      .to.throw(
        'duo: domain has no value yet; workers=99: must be at most 8; set it with "archy app config duo domain=VALUE workers=VALUE"',
      )
      .with.property('code', 'SETTING_INVALID')
  })

  it('change together or not at all', () => {
    const owner = { workers: '3' }
    expect(change({ domain: 'a.example', workers: null }, owner)).to.deep.equal({
      domain: 'a.example',
    })
    expect(owner).to.deep.equal({ workers: '3' })
    expect(() => change({ domain: 'a.example', workers: 'many' }))
      .to.throw('workers=many: must be a whole number')
      .with.property('code', 'SETTING_INVALID')
  })

  it('that are unknown are named with what is near', () => {
    expect(() => change({ domian: 'x' })).to.throw('there is no setting "domian"')
    expect(() => change({ domian: 'x' })).to.throw('domain')
    expect(() => change({ constructor: 'x' })).to.throw('no setting "constructor"')
  })

  it('that are fixed change before the install and never after it', () => {
    expect(change({ network: 'test' }, {}, false)).to.deep.equal({ network: 'test' })
    expect(() => change({ network: 'test' })).to.throw(
      'cannot be changed once the app is installed',
    )
    expect(change({ network: 'main' })).to.deep.equal({ network: 'main' })
  })

  it('without a default cannot be taken back', () => {
    expect(() => change({ domain: null }, { domain: 'a.example' })).to.throw('needs a value')
  })

  it('are shown with where their value comes from', () => {
    const [domain, workers] = settingViews(FIELDS, { domain: 'a.example' })
    expect(domain).to.deep.equal({
      name: 'domain',
      type: 'host',
      title: 'Domain',
      value: 'a.example',
      isDefault: false,
      isImmutable: false,
    })
    expect(workers).to.include({ value: '2', isDefault: true })
  })
})
