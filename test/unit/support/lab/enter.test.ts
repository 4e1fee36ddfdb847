import { expect } from 'chai'
import { enterArgv, lostCapabilities } from '../../../support/lab/enter.ts'

/** What a node's pid 1 holds: nspawn's default set and CAP_NET_ADMIN. */
const NODE_BOUNDING = '00000000d5ec35ff'

describe('entering a node', () => {
  it('takes away every capability that the node does not have', () => {
    const lost = lostCapabilities(NODE_BOUNDING, 40).split(',')
    expect(lost).to.include.members(['-cap_16', '-cap_25', '-cap_39', '-cap_40'])
    expect(lost).not.to.include.members(['-cap_0'])
  })

  it('refuses a pid 1 that has not dropped the rights of the host', () => {
    expect(() => lostCapabilities('000001ffffffffff', 40)).to.throw('still holds')
  })

  it('gives root no session bus, and the owner of the apps one', () => {
    expect(enterArgv(7, '-cap_16', 'root', ['id']).join(' ')).not.to.match(/DBUS|reuid/)
    expect(enterArgv(7, '-cap_16', 'archy', ['id']).join(' ')).to.match(/reuid archy .*DBUS.* id$/)
  })
})
