import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { generateKey } from '../../../../../catalog/publish/keys/key-file.ts'
import { parsePublicKey } from '../../../../../catalog/publish/keys/public-key.ts'
import { publicKeyOf } from '../../../../../catalog/trust/key.ts'

describe('the public half of a key in a file', () => {
  for (const type of ['ed25519', 'p256'] as const) {
    it(`is read as this program writes it, and as other tools do: ${type}`, () => {
      const key = createPublicKey(generateKey(type))
      const expected = publicKeyOf(key)
      const forms = [
        Buffer.from(`${JSON.stringify(expected)}\n`),
        Buffer.from(key.export({ format: 'pem', type: 'spki' })),
        key.export({ format: 'der', type: 'spki' }),
      ]
      for (const form of forms) expect(parsePublicKey('x', form)).to.deep.equal(expected)
    })
  }

  it('is refused when it is none, or of a kind that signs nothing here', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
    const other = publicKey.export({ format: 'pem', type: 'spki' })
    for (const text of [other, '', '{}', '-----BEGIN PUBLIC KEY-----\nAAAA\n', '\u0000\u0001']) {
      expect(() => parsePublicKey('alice.pem', Buffer.from(text)))
        .to.throw(/alice\.pem is no public key/)
        .with.property('code', 'KEY_REFUSED')
    }
  })
})
