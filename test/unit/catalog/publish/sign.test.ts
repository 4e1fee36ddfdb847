import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { signerOf } from '../../../../catalog/publish/keys/signer.ts'
import { signRoot } from '../../../../catalog/publish/sign.ts'

const makeSigner = () => signerOf(generateKeyPairSync('ed25519').privateKey)
const signers = {
  root: makeSigner(),
  targets: makeSigner(),
  snapshot: makeSigner(),
  timestamp: makeSigner(),
}
const NOW_MS = Date.UTC(2026, 0, 1)

describe('signRoot', () => {
  it('gives every role its own key and a threshold of one', async () => {
    const bytes = await signRoot(signers, NOW_MS)
    const root = JSON.parse(Buffer.from(bytes).toString('utf8')).signed
    const ids = Object.values<{ keyids: string[] }>(root.roles).flatMap(role => role.keyids)
    expect(new Set(ids).size).to.equal(4)
    expect(root.expires).to.equal('2027-01-01T00:00:00Z')
    expect(root.keys[root.roles.targets.keyids[0]]).to.deep.equal(signers.targets.publicKey)
  })
})
