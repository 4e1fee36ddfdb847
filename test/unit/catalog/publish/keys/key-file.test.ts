import type { KeyObject } from 'node:crypto'
import { expect } from 'chai'
import {
  encodeKeyFile,
  generateKey,
  parseKeyFile,
} from '../../../../../catalog/publish/keys/key-file.ts'
import { keyIdOf, publicKeyOf } from '../../../../../catalog/trust/key.ts'
import { codeOf } from '../../../../../src/core/errors.ts'

const COST = 2 ** 14
const PASSPHRASE = 'five random words are good'
const asked = async (): Promise<string> => PASSPHRASE
const neverAsked = async (): Promise<string> => {
  throw new Error('nobody is to be asked')
}
const idOf = (key: KeyObject): string => keyIdOf(publicKeyOf(key))
const open = (bytes: Uint8Array, passphrase = asked): Promise<KeyObject> =>
  Promise.resolve().then(() => parseKeyFile('a.key', bytes).open(passphrase))
const failure = async (bytes: Uint8Array, passphrase = asked): Promise<string | undefined> =>
  codeOf(await open(bytes, passphrase).catch((error: unknown) => error))

describe('key files', () => {
  for (const type of ['ed25519', 'p256'] as const) {
    it(`keep a ${type} key behind a passphrase, and open without one where none was set`, async () => {
      const key = generateKey(type)
      const guarded = encodeKeyFile(key, { passphrase: PASSPHRASE, cost: COST })
      expect(parseKeyFile('a.key', guarded)).to.include({ isEncrypted: true, keyId: idOf(key) })
      expect(idOf(await open(guarded))).to.equal(idOf(key))
      const plain = encodeKeyFile(key, undefined)
      expect(idOf(await open(plain, neverAsked))).to.equal(idOf(key))
    })
  }

  const key = generateKey('ed25519')
  const bytes = encodeKeyFile(key, { passphrase: PASSPHRASE, cost: COST })
  const text = Buffer.from(bytes).toString('utf8')

  it('do not show the secret', () => {
    const secret = key.export({ format: 'der', type: 'pkcs8' }).toString('base64')
    expect(text).to.not.include(secret.slice(24, 60))
  })

  it('stay shut for another passphrase', async () => {
    expect(await failure(bytes, async () => 'another passphrase')).to.equal('PASSPHRASE_WRONG')
  })

  it('open for one passphrase however its letters are composed', async () => {
    const composed = encodeKeyFile(key, { passphrase: 'caf\u00e9 caf\u00e9', cost: COST })
    expect(idOf(await open(composed, async () => 'cafe\u0301 cafe\u0301'))).to.equal(idOf(key))
  })

  it('stay shut when any character of them was changed', async () => {
    const harmless = (index: number): boolean => /[\s":,{}[\]]/.test(text[index] ?? '')
    for (let index = 0; index < text.length; index += 7) {
      if (harmless(index)) continue
      const other = text[index] === 'A' ? 'B' : 'A'
      const changed = Buffer.from(text.slice(0, index) + other + text.slice(index + 1))
      const code = await failure(changed)
      expect(code, `character ${index}`).to.be.oneOf(['PASSPHRASE_WRONG', 'KEY_FILE_DAMAGED'])
    }
    // Some dozens of slow derivations.
  }).timeout(20_000)

  it('stay shut when a bit of them was changed that no byte is made of', async () => {
    const file = JSON.parse(text)
    const last = String(file.cipher.tag).at(-3) ?? ''
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    const other = digits[digits.indexOf(last) ^ 1] ?? ''
    file.cipher.tag = `${file.cipher.tag.slice(0, -3)}${other}==`
    expect(await failure(Buffer.from(JSON.stringify(file)))).to.equal('KEY_FILE_DAMAGED')
  })

  it('stay shut when another public key was put before the secret, guarded or not', async () => {
    const other = publicKeyOf(generateKey('ed25519')).keyval.public
    const swap = (file: string) => Buffer.from(file.replace(publicKeyOf(key).keyval.public, other))
    expect(await failure(swap(text))).to.equal('PASSPHRASE_WRONG')
    const plain = Buffer.from(encodeKeyFile(key, undefined)).toString('utf8')
    expect(await failure(swap(plain))).to.equal('KEY_FILE_DAMAGED')
  })

  it('cannot ask for all memory, or be cheap to guess', async () => {
    for (const cost of [2 ** 21, 2 ** 13]) {
      const changed = Buffer.from(text.replace(`"n":${COST}`, `"n":${cost}`))
      expect(await failure(changed)).to.equal('KEY_FILE_DAMAGED')
    }
  })

  it('that are cut off are damaged', async () => {
    expect(await failure(bytes.subarray(0, 100))).to.equal('KEY_FILE_DAMAGED')
  })

  it('take no passphrase that is too short', () => {
    expect(() => encodeKeyFile(key, { passphrase: 'short', cost: COST }))
      .to.throw()
      .with.property('code', 'PASSPHRASE_WEAK')
  })
})
