/** Files made to hurt: nothing in them is read before somebody signed it, and refusing them costs little. */
import { sign } from 'node:crypto'
import { expect } from 'chai'
import {
  acceptEmbeddedRoot,
  acceptNextRoot,
  acceptTargets,
} from '../../../../catalog/trust/accept.ts'
import { checkBytes } from '../../../../catalog/trust/bytes.ts'
import type { RootDocument, TargetsDocument } from '../../../../catalog/trust/document.ts'
import { parseEnvelope, signDocument } from '../../../../catalog/trust/envelope.ts'
import { ROOT_BYTES_MAX } from '../../../../catalog/trust/limits.ts'
import type { MetaModel, RoleModel } from '../../../../catalog/trust/model.ts'
import { checkSignatures } from '../../../../catalog/trust/signatures.ts'
import { olpcJson } from '../../../../src/core/canonical-json.ts'
import { digestOf } from '../../../../src/core/digest.ts'
import { codeFrom } from '../../../support/catalog/code-from.ts'
import {
  makeKey,
  makeKeys,
  rootDocument,
  type TestKey,
} from '../../../support/catalog/signed-origin.ts'

const strict = { strict: true }
const plain = { strict: false }
const keys = makeKeys()
const root = acceptEmbeddedRoot(signDocument(rootDocument(1, keys), keys.root), strict)
const [signer] = keys.root as [TestKey]
const anyMeta: MetaModel = { version: 1, length: undefined, hashes: new Map(), blake3: undefined }

/** A file whose signed part is `signed` as it stands, under signatures of these key ids that nobody made. */
function forged(signed: string, keyids: readonly string[] = [signer.keyId]): Uint8Array {
  const signatures = keyids.map(keyid => ({ keyid, sig: '00'.repeat(64) }))
  return Buffer.from(`{"signatures":${JSON.stringify(signatures)},"signed":${signed}}`)
}

const take = (bytes: Uint8Array, rules = strict) =>
  codeFrom(() => acceptNextRoot(root, bytes, rules))

describe('bytes that nobody signed', () => {
  it('are not put into canonical form when no key of the role is named', () => {
    // 1.5 has no canonical form: had anybody tried, the code would be another.
    const signed = '{"a":1.5}'
    expect(take(forged(signed, ['ff'.repeat(32)]))).to.equal('SIGNATURE_THRESHOLD')
    expect(take(forged(signed, ['__proto__', 'constructor']))).to.equal('SIGNATURE_THRESHOLD')
    expect(take(forged(signed, []))).to.equal('SIGNATURE_THRESHOLD')
    expect(take(forged(signed))).to.equal('METADATA_MALFORMED')
  })
  it('are not put into canonical form when fewer keys are named than must sign', () => {
    const [a, b] = [makeKey(), makeKey()]
    const role: RoleModel = {
      threshold: 2,
      keys: new Map([a, b].map(({ keyId, publicKey }) => [keyId, publicKey])),
    }
    const check = (keyids: readonly string[]) =>
      codeFrom(() =>
        checkSignatures('x', parseEnvelope('x', forged('{"a":1.5}', keyids), 9999), role),
      )
    expect(check([a.keyId])).to.equal('SIGNATURE_THRESHOLD')
    expect(check([a.keyId, b.keyId])).to.equal('METADATA_MALFORMED')
  })
  it('are not read into a model', () => {
    for (const signed of ['{}', '{"keys":1}', '{"_type":"targets","version":-1}']) {
      expect(take(forged(signed))).to.equal('SIGNATURE_THRESHOLD')
    }
  })
  it('cost little as a root of the largest size with 10,000 keys', () => {
    const entry = (index: number) =>
      `"${String(index).padStart(20, '0')}":{"keytype":"a","scheme":"b"}`
    const all = Array.from({ length: 9500 }, (_, index) => entry(index)).join(',')
    const document = JSON.stringify({ ...rootDocument(2, keys), keys: {} })
    const signed = document.replace('"keys":{}', `"keys":{${all}}`)
    const bytes = forged(signed)
    expect(bytes.length).to.be.within(480_000, ROOT_BYTES_MAX)
    const startMs = performance.now()
    expect(take(bytes)).to.equal('SIGNATURE_THRESHOLD')
    expect(performance.now() - startMs).to.be.below(1000)
  })
  it('are refused at any depth, and the stack holds', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const depth = Math.floor(400_000 / (open.length + close.length))
      const deep = `${open.repeat(depth)}1${close.repeat(depth)}`
      expect(take(forged(`{"a":${deep}}`))).to.equal('METADATA_MALFORMED')
      expect(take(forged(`{"a":${deep}}`), plain)).to.equal('METADATA_MALFORMED')
      expect(take(forged(`{"a":${deep}}`, []))).to.equal('SIGNATURE_THRESHOLD')
      expect(take(Buffer.from(open.repeat(depth)))).to.equal('METADATA_MALFORMED')
    }
  })
  it('may name as many signatures as are looked at, and no more', () => {
    const ids = (count: number) => Array.from({ length: count }, (_, index) => String(index))
    expect(take(forged('{}', ids(64)))).to.equal('SIGNATURE_THRESHOLD')
    expect(take(forged('{}', ids(65)))).to.equal('SIGNATURE_LIMIT')
    expect(take(forged('{}', ids(3000)), plain)).to.equal('SIGNATURE_LIMIT')
  })
  const shapes = [
    ...['', 'null', '1', '[]', '{}', '{"signed":{}}', '{"signatures":[]}', '"x"', '{', '\0'],
    ...['{"signed":[],"signatures":[]}', '{"signed":null,"signatures":[]}'],
    ...['{"signed":{},"signatures":{}}', '{"signed":{},"signatures":[1]}'],
    ...['{"signed":{},"signatures":[{"keyid":1,"sig":""}]}'],
    ...['{"signed":{},"signatures":[{"keyid":"a"}]}', '{"signed":{},"signatures":[null]}'],
    ...['{"__proto__":{"signed":{},"signatures":[]}}', '{"signed":{},"signatures":[]}x'],
    ...['{"signed":{},"signatures":[{"keyid":"a","sig":""},{"keyid":"a","sig":"00"}]}'],
  ]
  for (const text of shapes) {
    it(`are malformed when they are ${JSON.stringify(text)}`, () => {
      expect(take(Buffer.from(text))).to.equal('METADATA_MALFORMED')
      expect(take(Buffer.from(text), plain)).to.equal('METADATA_MALFORMED')
    })
  }
  it('are malformed when they are not UTF-8', () => {
    const text = Buffer.from('{"signed":{"a":"?"},"signatures":[]}')
    text[text.indexOf('?')] = 0xff
    expect(take(text)).to.equal('METADATA_MALFORMED')
    expect(take(text, plain)).to.equal('METADATA_MALFORMED')
  })
  it('cannot hide in the key id of a signature that was added to a good file', () => {
    const good = Buffer.from(signDocument(rootDocument(2, keys), keys.root)).toString()
    for (const id of ['"\\ud800"', '"\\u0000"', '"zz"', '"__proto__"', '""']) {
      const bytes = Buffer.from(good.replace('}],"signed"', `},{"keyid":${id},"sig":""}],"signed"`))
      expect(take(bytes), id).to.be.oneOf(['FILE_NOT_CANONICAL', 'SIGNATURE_STRAY'])
      expect(take(bytes, plain), id).to.equal(undefined)
    }
  })
  it('are malformed when a text is half a character', () => {
    for (const text of ['"\\ud800"', '"\\udc00a"']) {
      expect(take(forged(`{"a":${text}}`))).to.equal('METADATA_MALFORMED')
      expect(take(forged(`{"a":${text}}`), plain)).to.equal('METADATA_MALFORMED')
    }
  })
})

describe('bytes that were signed by a key that went bad', () => {
  const role = root.roles.targets
  const targets = (extra: object) =>
    ({
      _type: 'targets',
      spec_version: '1.0.34',
      version: 1,
      expires: '2027-01-01T00:00:00Z',
      targets: {},
      ...extra,
    }) as TargetsDocument
  const takeTargets = (extra: object, rules = strict) =>
    codeFrom(() =>
      acceptTargets(
        'targets',
        role,
        anyMeta,
        undefined,
        signDocument(targets(extra), keys.targets),
        rules,
      ),
    )

  it('may hold 64 levels and no more, with and without a line break, and are refused with a code', () => {
    const nest = (levels: number) => Array.from({ length: levels }).reduce(inner => [inner], 1)
    expect(takeTargets({ 'x-note': nest(62) })).to.equal(undefined)
    const [{ keyId, privateKey }] = keys.targets as [TestKey]
    const takeDeep = (levels: number, text: string) => {
      const signed = targets({ 'x-a': text, 'x-note': nest(levels) })
      const sig = sign(null, olpcJson(signed), privateKey).toString('hex')
      const file = Buffer.from(JSON.stringify({ signatures: [{ keyid: keyId, sig }], signed }))
      return codeFrom(() => acceptTargets('targets', role, anyMeta, undefined, file, strict))
    }
    expect(takeDeep(63, 'a\nb')).to.equal('FILE_NOT_CANONICAL')
  })
  it('keep two spellings of one letter apart', () => {
    const target = { length: 1, hashes: { sha256: 'ab'.repeat(32) } }
    const bytes = signDocument(
      targets({ targets: { 'apps/é': target, 'apps/e\u0301': target } }),
      keys.targets,
    )
    const model = acceptTargets('targets', role, anyMeta, undefined, bytes, plain)
    expect(model.targets.size).to.equal(2)
    expect(
      codeFrom(() => acceptTargets('targets', role, anyMeta, undefined, bytes, strict)),
    ).to.equal('TEXT_NOT_PLAIN')
  })
  it('do not reach a role under another id of its key', () => {
    const role: RoleModel = { threshold: 1, keys: new Map([['other', signer.publicKey]]) }
    const bytes = signDocument(targets({}), keys.root)
    const act = () => acceptTargets('pub-a', role, anyMeta, undefined, bytes, plain)
    expect(codeFrom(act)).to.equal('SIGNATURE_THRESHOLD')
  })
  it('are not taken when the signature is over other content', () => {
    const text = Buffer.from(signDocument(targets({ 'x-note': 'a' }), keys.targets)).toString()
    const bytes = Buffer.from(text.replace('"x-note":"a"', '"x-note":"b"'))
    for (const rules of [strict, plain]) {
      const act = () => acceptTargets('targets', role, anyMeta, undefined, bytes, rules)
      expect(codeFrom(act)).to.equal('SIGNATURE_THRESHOLD')
    }
  })
})

describe('thresholds', () => {
  const five = Array.from({ length: 5 }, (_, index) => makeKey(index % 2 ? 'p256' : 'ed25519'))
  const roleOf = (threshold: number): RoleModel => ({
    threshold,
    keys: new Map(five.map(({ keyId, publicKey }) => [keyId, publicKey])),
  })
  const check = (threshold: number, signers: readonly TestKey[]) => {
    const envelope = parseEnvelope('x', signDocument(rootDocument(1, keys), signers), 99_999)
    return checkSignatures('x', envelope, roleOf(threshold)).valid.size
  }
  it('are reached by exactly as many keys', () => {
    for (const threshold of [1, 2, 3, 4, 5]) {
      expect(check(threshold, five.slice(0, threshold))).to.equal(threshold)
      expect(check(threshold, five)).to.equal(5)
    }
  })
  it('are missed by one less', () => {
    for (const threshold of [2, 3, 4, 5]) {
      const act = () => check(threshold, [...five.slice(0, threshold - 1), makeKey()])
      expect(act).to.throw(`at most ${threshold - 1} valid signatures of the 5 keys`)
    }
  })
  it('are missed when a key signs twice under two ids', () => {
    const [a] = five as [TestKey]
    const twin = { ...a, keyId: 'twin' }
    const role: RoleModel = {
      threshold: 2,
      keys: new Map([a, twin].map(({ keyId, publicKey }) => [keyId, publicKey])),
    }
    const envelope = parseEnvelope('x', signDocument(rootDocument(1, keys), [a, twin]), 99_999)
    expect(() => checkSignatures('x', envelope, role)).to.throw('at most 1 valid')
    expect(checkSignatures('x', envelope, { ...role, threshold: 1 }).valid.size).to.equal(2)
  })
  it('are missed by a key that cannot be opened, and that stops no other', () => {
    const [a] = five as [TestKey]
    const odd = { keytype: 'odd', scheme: 'odd', keyval: { public: '' } }
    const role: RoleModel = {
      threshold: 1,
      keys: new Map([
        ['0', odd],
        [a.keyId, a.publicKey],
      ]),
    }
    const envelope = parseEnvelope(
      'x',
      signDocument(rootDocument(1, keys), [{ ...a, keyId: '0' }, a]),
      99_999,
    )
    expect([...checkSignatures('x', envelope, role).valid].map(({ keyid }) => keyid)).to.deep.equal(
      [a.keyId],
    )
  })
  it('of one content hold for each signing of it', () => {
    const p256 = makeKey('p256')
    const role = { threshold: 1, keys: new Map([[p256.keyId, p256.publicKey]]) }
    const document = { ...rootDocument(1, keys), _type: 'targets', targets: {} }
    const sign = () => signDocument(document as unknown as RootDocument, [p256])
    const [one, two] = [sign(), sign()]
    expect(Buffer.compare(one, two)).not.to.equal(0)
    const contentOf = (bytes: Uint8Array) =>
      acceptTargets('pub-a', role, anyMeta, undefined, bytes, strict).content
    expect(contentOf(one)).to.equal(contentOf(two))
  })
})

describe('bytes against what their parent says', () => {
  const bytes = Buffer.from('abc')
  const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  const sha512 =
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
    '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f'
  const expectBytes = (
    length: number | undefined,
    hashes: Readonly<Record<string, string>>,
    blake3 = digestOf(bytes) as ReturnType<typeof digestOf> | undefined,
  ) =>
    codeFrom(() =>
      checkBytes('x', { length, hashes: new Map(Object.entries(hashes)), blake3 }, bytes),
    )
  it('hold when every statement holds', () => {
    expect(expectBytes(3, { sha256, sha512 })).to.equal(undefined)
    expect(expectBytes(undefined, {}, undefined)).to.equal(undefined)
  })
  it('are refused for each statement that does not hold, whatever the others say', () => {
    expect(expectBytes(2, { sha256, sha512 })).to.equal('LENGTH_MISMATCH')
    expect(expectBytes(4, { sha256, sha512 })).to.equal('LENGTH_MISMATCH')
    expect(expectBytes(3, { sha256: sha256.replace('b', 'c'), sha512 })).to.equal('HASH_MISMATCH')
    expect(expectBytes(3, { sha256, sha512: sha512.replace('d', 'e') })).to.equal('HASH_MISMATCH')
    expect(expectBytes(3, { sha256, md5: '00' })).to.equal('HASH_UNKNOWN')
    expect(expectBytes(3, { blake3: '00' })).to.equal('HASH_UNKNOWN')
    expect(expectBytes(3, { sha256 }, digestOf(Buffer.from('abd')))).to.equal('HASH_MISMATCH')
  })
})
