import { expect } from 'chai'
import {
  didKeyOf,
  parseDidKey,
  pathsOfPublisher,
  publisherIdOf,
  roleOfPublisher,
} from '../../../../catalog/trust/did-key.ts'
import { makeKey } from '../../../support/catalog/signed-origin.ts'

/** Examples of the did:key method specification, W3C CCG. */
const ED25519 = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
const ED25519_HEX = '2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6'
const P256 = 'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169'

describe('did:key', () => {
  it('reads the examples of its specification', () => {
    expect(parseDidKey(ED25519).keyval.public).to.equal(ED25519_HEX)
    expect(parseDidKey(P256)).to.include({ scheme: 'ecdsa-sha2-nistp256' })
  })

  for (const type of ['ed25519', 'p256'] as const) {
    it(`writes and reads ${type} keys`, () => {
      const { publicKey } = makeKey(type)
      expect(parseDidKey(didKeyOf(publicKey))).to.deep.equal(publicKey)
    })
  }

  it('derives names from the text, so that nobody can take another one', () => {
    expect(publisherIdOf(ED25519)).to.match(/^z[0-9a-f]{20}$/)
    expect(publisherIdOf(ED25519)).to.not.equal(publisherIdOf(P256))
    expect(roleOfPublisher(P256)).to.equal(`pub-${publisherIdOf(P256)}`)
    expect(pathsOfPublisher(P256)).to.deep.equal([`apps/${publisherIdOf(P256)}.*/*`])
  })

  const refused = {
    'another method': 'did:web:example.org',
    'another base': ED25519.replace(':z', ':u'),
    'a lost character': ED25519.slice(0, -1),
    'a character too many': `${ED25519}1`,
    'a character that base58 does not have': ED25519.replace('6', '0'),
    'a fragment': `${ED25519}#key-1`,
    'an X25519 key': 'did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc',
    'a secp256k1 key': 'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme',
    nothing: 'did:key:',
    'very long text': `did:key:z${'6'.repeat(10_000)}`,
  }
  for (const [what, did] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      expect(() => parseDidKey(did))
        .to.throw()
        .with.property('code', 'DID_MALFORMED')
    })
  }

  it('refuses a key of small order, which accepts forged signatures in some OpenSSL versions', () => {
    const small = {
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: `01${'00'.repeat(31)}` },
    }
    expect(() => parseDidKey(didKeyOf(small)))
      .to.throw()
      .with.property('code', 'DID_MALFORMED')
  })
})
