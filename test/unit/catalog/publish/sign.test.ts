import { expect } from 'chai'
import { generateKey } from '../../../../catalog/publish/keys/key-file.ts'
import { signerOf } from '../../../../catalog/publish/keys/signer.ts'
import { firstRoot } from '../../../../catalog/publish/sign.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const role = (count = 1, threshold = 1) => ({
  keys: Array.from({ length: count }, () => signerOf(generateKey('ed25519')).publicKey),
  threshold,
})
const roles = { root: role(2), targets: role(2), snapshot: role(), timestamp: role() }

describe('the first root', () => {
  it('gives every role its own keys, a year, and the policy of the origin', () => {
    const root = firstRoot({ name: 'home', roles }, NOW_MS)
    const ids = Object.values(root.roles).flatMap(({ keyids }) => keyids)
    expect(new Set(ids).size).to.equal(6)
    expect(root.expires).to.equal('2027-01-01T00:00:00Z')
    expect(root['x-catalog']).to.include({ name: 'home', staleGraceDays: 30, maxTimestampDays: 14 })
  })

  it('refuses thresholds that cannot be reached, or that one lost key would make so', () => {
    for (const [count, threshold] of [
      [1, 2],
      [2, 2],
      [1, 0],
    ] as const) {
      const wrong = { name: 'home', roles: { ...roles, root: role(count, threshold) } }
      expect(() => firstRoot(wrong, NOW_MS))
        .to.throw()
        .with.property('code', 'THRESHOLD_UNMET')
    }
    const three = { name: 'home', roles: { ...roles, root: role(3, 2) } }
    expect(firstRoot(three, NOW_MS).roles.root.threshold).to.equal(2)
  })
})
