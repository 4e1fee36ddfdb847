import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { expect } from 'chai'
import type { PublicKey } from '../../../../catalog/trust/document.ts'
import { isSignedBy, keyIdOf, openKey, publicKeyOf } from '../../../../catalog/trust/key.ts'
import { isSoundEd25519 } from '../../../../catalog/trust/key-gate.ts'

const bytes = Buffer.from('what is signed')
const ed = generateKeyPairSync('ed25519')
const p256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
const k256 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }).toString()
const edHex = publicKeyOf(ed.publicKey).keyval.public

function keyOf(keytype: string, scheme: string, text: string): PublicKey {
  return { keytype, scheme, keyval: { public: text } }
}
const ecdsa = (text: string) => keyOf('ecdsa', 'ecdsa-sha2-nistp256', text)

function holds(key: PublicKey, sig: string, over: Uint8Array = bytes): boolean {
  const opened = openKey(key)
  return opened !== undefined && isSignedBy(opened, over, sig)
}

describe('public keys', () => {
  const edSig = sign(null, bytes, ed.privateKey).toString('hex')
  const ecSig = sign('sha256', bytes, p256.privateKey).toString('hex')

  it('are of a known scheme, or open nothing', () => {
    expect(openKey(keyOf('ecdsa', 'ecdsa-sha2-nistp256', pem(p256.publicKey)))).to.not.equal(
      undefined,
    )
    expect(openKey(keyOf('ecdsa', 'ecdsa-sha2-nistp521', pem(p256.publicKey)))).to.equal(undefined)
  })

  it('check the signatures of Ed25519, ECDSA P-256 and RSA-PSS', () => {
    const pss = (saltLength: number) =>
      sign('sha256', bytes, { key: rsa.privateKey, padding: 6, saltLength }).toString('hex')
    expect(holds(publicKeyOf(ed.publicKey), edSig)).to.equal(true)
    expect(holds(publicKeyOf(ed.privateKey), edSig)).to.equal(true)
    expect(holds(publicKeyOf(p256.publicKey), ecSig)).to.equal(true)
    const old = keyOf('ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256', pem(p256.publicKey))
    expect(holds(old, ecSig)).to.equal(true)
    const rsaKey = keyOf('rsa', 'rsassa-pss-sha256', pem(rsa.publicKey))
    for (const saltLength of [32, 222]) {
      expect(holds(rsaKey, pss(saltLength)), `salt of ${saltLength}`).to.equal(true)
    }
    const pkcs1 = sign('sha256', bytes, { key: rsa.privateKey, padding: 1 }).toString('hex')
    expect(holds(rsaKey, pkcs1)).to.equal(false)
  })

  it('refuse another message, an empty signature and one in capitals', () => {
    const key = publicKeyOf(ed.publicKey)
    expect(holds(key, edSig, Buffer.from('other'))).to.equal(false)
    for (const sig of ['', edSig.toUpperCase(), `${edSig}0`, ` ${edSig}`, `${edSig}00`, 'xy']) {
      expect(holds(key, sig), sig).to.equal(false)
    }
    expect(holds(key, '00'.repeat(100_000))).to.equal(false)
  })

  it('refuse an Ed25519 signature whose S is not reduced', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const s = BigInt(`0x${Buffer.from(edSig.slice(64), 'hex').reverse().toString('hex')}`)
    const more = Buffer.from((s + order).toString(16).padStart(64, '0'), 'hex').reverse()
    const sig = edSig.slice(0, 64) + more.toString('hex')
    expect(holds(publicKeyOf(ed.publicKey), sig)).to.equal(false)
  })

  it('refuse an ECDSA signature that is not strict DER, or raw', () => {
    const key = publicKeyOf(p256.publicKey)
    const raw = sign('sha256', bytes, { key: p256.privateKey, dsaEncoding: 'ieee-p1363' })
    const long = `3081${ecSig.slice(2)}`
    for (const sig of [raw.toString('hex'), long, `${ecSig}00`, ecSig.slice(0, -2)]) {
      expect(holds(key, sig), sig).to.equal(false)
    }
  })

  const unusable: readonly (readonly [string, PublicKey])[] = [
    ['a P-384 key under a P-256 scheme', ecdsa(pem(p384.publicKey))],
    ['a secp256k1 key', ecdsa(pem(k256.publicKey))],
    ['an Ed25519 key under a P-256 scheme', ecdsa(pem(ed.publicKey))],
    ['an RSA key under a P-256 scheme', ecdsa(pem(rsa.publicKey))],
    ['a P-256 key under RSA', keyOf('rsa', 'rsassa-pss-sha256', pem(p256.publicKey))],
    ['a kind that fits no scheme', keyOf('rsa', 'ed25519', edHex)],
    ['a scheme that fits no kind', keyOf('ed25519', 'rsassa-pss-sha256', edHex)],
    ['an unknown scheme', keyOf('ecdsa', 'ecdsa-sha2-nistp384', pem(p384.publicKey))],
    ['an RSA key that says it is ECDSA', keyOf('ecdsa', 'rsassa-pss-sha256', pem(rsa.publicKey))],
    [
      'a P-256 key under a P-384 scheme',
      keyOf('ecdsa', 'ecdsa-sha2-nistp384', pem(p256.publicKey)),
    ],
    ['the kind of a prototype', keyOf('constructor', '__proto__', edHex)],
    ['half an Ed25519 key', keyOf('ed25519', 'ed25519', edHex.slice(0, 32))],
    ['more than an Ed25519 key', keyOf('ed25519', 'ed25519', `${edHex}00`)],
    ['no key at all', keyOf('ed25519', 'ed25519', '')],
    ['text that is no PEM', ecdsa('-----BEGIN PUBLIC KEY-----\nnonsense\n')],
    ['a private key', ecdsa(p256.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())],
    ['too much text', ecdsa(`${pem(p256.publicKey)}${'\n'.repeat(2048)}`)],
  ]
  for (const [what, key] of unusable) {
    it(`does not open ${what}`, () => expect(openKey(key)).to.equal(undefined))
  }

  it('opens text of exactly the longest length', () => {
    const text = pem(p256.publicKey)
    expect(openKey(ecdsa(text + '\n'.repeat(2048 - text.length)))).not.to.equal(undefined)
    expect(openKey(ecdsa(text + '\n'.repeat(2049 - text.length)))).to.equal(undefined)
  })

  it('has one material for every spelling of a key', () => {
    const text = pem(p256.publicKey)
    const materials = [text, text.replaceAll('\n', '\r\n'), text.trimEnd(), `${text}\n\n`].map(
      each => openKey(ecdsa(each))?.material,
    )
    expect(new Set(materials).size).to.equal(1)
    expect(materials[0]).to.match(/^[0-9a-f]{64}$/)
    expect(openKey(publicKeyOf(ed.publicKey))?.material).not.to.equal(materials[0])
  })

  it('has an id that is the hash of its canonical form', () => {
    const key = keyOf('ed25519', 'ed25519', 'ab'.repeat(32))
    const form = `{"keytype":"ed25519","keyval":{"public":"${'ab'.repeat(32)}"},"scheme":"ed25519"}`
    expect(keyIdOf(key)).to.equal(createHash('sha256').update(form).digest('hex'))
  })
})

describe('the gate for Ed25519 keys', () => {
  const small = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ]
  for (const text of small) {
    it(`refuses ${text}, which is of small order or no proper point`, () =>
      expect(isSoundEd25519(text)).to.equal(false))
  }
  it('takes a key that was generated, in small letters and in full only', () => {
    expect(isSoundEd25519(edHex)).to.equal(true)
    expect(isSoundEd25519(edHex.toUpperCase())).to.equal(/^[0-9]+$/.test(edHex))
    expect(isSoundEd25519(edHex.slice(2))).to.equal(false)
    expect(isSoundEd25519(`${edHex}00`)).to.equal(false)
  })
  it('refuses a point of the whole group that is not of the prime order', async () => {
    const { ed25519 } = await import('@noble/curves/ed25519.js')
    const torsion = ed25519.Point.fromHex(small[6] ?? '', true)
    const mixed = ed25519.Point.fromHex(edHex).add(torsion)
    expect(isSoundEd25519(mixed.toHex())).to.equal(false)
    expect(mixed.isSmallOrder()).to.equal(false)
  })
})
