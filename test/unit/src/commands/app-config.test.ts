import { expect } from 'chai'
import { formatSettings, parseSettings } from '../../../../src/commands/app-config.ts'

describe('archy app config', () => {
  it('reads settings, also with "=" in the value, and an empty one', () => {
    expect(parseSettings(['a=1', 'url=https://x/?q=2', 'empty='])).to.deep.equal({
      a: '1',
      url: 'https://x/?q=2',
      empty: '',
    })
  })
  it('refuses what is no setting', () => {
    expect(() => parseSettings(['domain'])).to.throw('write KEY=VALUE')
  })
  it('shows each with its value, its type and what may be done to it', () => {
    const domain = { name: 'domain', type: 'host', isDefault: true, isImmutable: true }
    const mode = { ...domain, name: 'mode', value: 'a', values: ['a', 'b'], isImmutable: false }
    expect(formatSettings([domain, { ...mode, title: 'Mode' }])).to.equal(
      [
        'domain  (none yet)  host   default, fixed once installed',
        'mode    a           a | b  default                        Mode',
      ].join('\n'),
    )
    expect(formatSettings([])).to.equal('This app has no settings.')
  })
})
