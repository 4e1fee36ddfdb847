import { expect } from 'chai'
import type { CatalogError } from '../../../../catalog/errors.ts'
import {
  acceptEmbeddedRoot,
  acceptNextRoot,
  acceptTargets,
  acceptTimestamp,
} from '../../../../catalog/trust/accept.ts'
import type { RootDocument, TargetsDocument } from '../../../../catalog/trust/document.ts'
import { encodeEnvelope, signDocument } from '../../../../catalog/trust/envelope.ts'
import { noFloors } from '../../../../catalog/trust/floors.ts'
import type { MetaModel, RootModel } from '../../../../catalog/trust/model.ts'
import { codeFrom } from '../../../support/catalog/code-from.ts'
import {
  createSignedOrigin,
  makeKey,
  makeKeys,
  rootDocument,
  type TestKey,
} from '../../../support/catalog/signed-origin.ts'

const strict = { strict: true }
const anyMeta: MetaModel = { version: 1, length: undefined, hashes: new Map(), blake3: undefined }

function open(document: RootDocument, signers: readonly TestKey[]): RootModel {
  return acceptEmbeddedRoot(signDocument(document, signers), strict)
}

function targets(extra: object): TargetsDocument {
  return {
    _type: 'targets',
    spec_version: '1.0.34',
    version: 1,
    expires: '2027-01-01T00:00:00Z',
    targets: {},
    ...extra,
  }
}

describe('accepting a root', () => {
  const keys = makeKeys()
  const root = open(rootDocument(1, keys), keys.root)

  it('takes the next one when old and new keys signed it', () => {
    const next = [makeKey()]
    const document = rootDocument(2, { ...keys, root: next })
    const bytes = signDocument(document, [...keys.root, ...next])
    expect(acceptNextRoot(root, bytes, strict).version).to.equal(2)
  })

  for (const who of ['old', 'new'] as const) {
    it(`refuses the next one when only the ${who} keys signed it`, () => {
      const next = [makeKey()]
      const document = rootDocument(2, { ...keys, root: next })
      const bytes = signDocument(document, who === 'old' ? keys.root : next)
      expect(codeFrom(() => acceptNextRoot(root, bytes, strict))).to.equal('SIGNATURE_THRESHOLD')
    })
  }

  for (const version of [1, 3]) {
    it(`refuses version ${version} where version 2 is due`, () => {
      const bytes = signDocument(rootDocument(version, keys), keys.root)
      expect(codeFrom(() => acceptNextRoot(root, bytes, strict))).to.equal('VERSION_MISMATCH')
    })
  }

  it('needs as many different keys as the threshold says', () => {
    const three = { ...keys, root: [makeKey(), makeKey('p256'), makeKey()] }
    const document = rootDocument(1, three, { thresholds: { root: 2 } })
    const bytes = (count: number) => signDocument(document, three.root.slice(0, count))
    expect(acceptEmbeddedRoot(bytes(2), strict).version).to.equal(1)
    expect(() => acceptEmbeddedRoot(bytes(1), strict)).to.throw(
      /1 valid signatures.* 2 are required/,
    )
  })

  it('counts one key under two ids once', () => {
    const [key = makeKey()] = keys.root
    const twin = { ...key, keyId: 'ff'.repeat(32) }
    const document = rootDocument(1, { ...keys, root: [key, twin] }, { thresholds: { root: 2 } })
    const bytes = signDocument(document, [key, twin])
    for (const rules of [strict, { strict: false }]) {
      expect(() => acceptEmbeddedRoot(bytes, rules)).to.throw(/2 are required|cannot reach/)
    }
  })

  it('counts one P-256 key in two spellings once', () => {
    const key = makeKey('p256')
    const text = key.publicKey.keyval.public.replaceAll('\n', '\r\n')
    const twin = {
      ...key,
      keyId: 'ff'.repeat(32),
      publicKey: { ...key.publicKey, keyval: { public: text } },
    }
    const document = rootDocument(1, { ...keys, root: [key, twin] }, { thresholds: { root: 2 } })
    const bytes = signDocument(document, [key, twin])
    expect(() => acceptEmbeddedRoot(bytes, { strict: false })).to.throw(/2 are required/)
  })

  it('refuses Ed25519 keys of small order', () => {
    const [key = makeKey()] = keys.root
    const weak = {
      ...key,
      keyId: 'ee'.repeat(32),
      publicKey: { ...key.publicKey, keyval: { public: `01${'00'.repeat(31)}` } },
    }
    const document = rootDocument(1, { ...keys, timestamp: [weak] })
    expect(() => open(document, keys.root)).to.throw(/sound Ed25519/)
  })

  it('refuses a huge root that nobody signed without reading what is in it', () => {
    const many = Array.from({ length: 9000 }, (_, index) => [`${index}`, { a: 'x'.repeat(20) }])
    const document = { ...rootDocument(2, keys), keys: Object.fromEntries(many) } as RootDocument
    const [{ keyId } = makeKey()] = keys.root
    const bytes = encodeEnvelope(document, [{ keyid: keyId, sig: '00'.repeat(64) }])
    const started = performance.now()
    expect(codeFrom(() => acceptNextRoot(root, bytes, strict))).to.equal('SIGNATURE_THRESHOLD')
    expect(performance.now() - started).to.be.below(1000)
  })

  it('refuses a root above the size bound', () => {
    const code = codeFrom(() => acceptNextRoot(root, new Uint8Array(512_001), strict))
    expect(code).to.equal('METADATA_TOO_LARGE')
  })

  it('refuses more signatures than its bound, and two with one key id', () => {
    const [{ keyId } = makeKey()] = keys.root
    const signatures = (count: number, id: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => ({ keyid: id(index), sig: '00' }))
    const codeOfMany = (list: ReturnType<typeof signatures>) =>
      codeFrom(() => acceptNextRoot(root, encodeEnvelope(rootDocument(2, keys), list), strict))
    expect(codeOfMany(signatures(65, String))).to.equal('SIGNATURE_LIMIT')
    expect(codeOfMany(signatures(64, String))).to.equal('SIGNATURE_THRESHOLD')
    expect(codeOfMany(signatures(2, () => keyId))).to.equal('METADATA_MALFORMED')
  })
})

describe('accepting other documents', () => {
  const keys = makeKeys()
  const root = open(rootDocument(1, keys), keys.root)
  const role = root.roles.targets

  function verdict(extra: object, rules = strict): string | undefined {
    const bytes = signDocument(targets(extra), keys.targets)
    return codeFrom(() => acceptTargets('targets', role, anyMeta, undefined, bytes, rules))
  }

  it('takes a proper one', () => expect(verdict({})).to.equal(undefined))

  const badFields: readonly object[] = [
    { expires: 'never' },
    { expires: '2027-01-01T00:00:00' },
    { expires: '2027-01-01T00:00:00.5Z' },
    { expires: '2027-01-01T00:00:00+01:00' },
    { expires: '2027-02-30T00:00:00Z' },
    { expires: '10000-01-01T00:00:00Z' },
    { expires: 1798761600 },
    { version: 0 },
    { version: -1 },
    { version: '1' },
    { spec_version: '2.0.0' },
    { spec_version: undefined },
    { _type: 'snapshot' },
    { targets: { a: { length: 1, hashes: {} } } },
    { targets: { a: { length: 1, hashes: { sha256: 'AA'.repeat(32) } } } },
    { targets: { a: { length: 1, hashes: { sha256: 'aa' } } } },
    { targets: [] },
  ]
  for (const fields of badFields) {
    it(`refuses ${JSON.stringify(fields)}`, () => {
      const isTime = 'expires' in fields && typeof fields.expires === 'string'
      const code = isTime ? 'TIME_MALFORMED' : 'METADATA_MALFORMED'
      expect(verdict(fields, { strict: false })).to.equal(code)
    })
  }

  for (const name of ['root', 'timestamp', 'snapshot', 'targets', '']) {
    it(`refuses a delegated role named "${name}"`, () => {
      const delegation = { name, keyids: [], threshold: 1, terminating: false, paths: ['*'] }
      expect(verdict({ delegations: { keys: {}, roles: [delegation] } })).to.equal(
        'ROLE_NAME_REFUSED',
      )
    })
  }

  it('refuses a delegated role that stands there twice', () => {
    const twin = { name: 'a', keyids: [], threshold: 1, terminating: false, paths: ['a'] }
    expect(verdict({ delegations: { keys: {}, roles: [twin, twin] } })).to.equal('DELEGATION_TWICE')
  })

  for (const pattern of ['{a,b}', '!a', '#a', '@(a)', 'a*b', '[ab]', '?']) {
    it(`refuses the delegation pattern ${pattern}`, () => {
      const roles = [{ name: 'a', keyids: [], threshold: 1, terminating: false, paths: [pattern] }]
      expect(verdict({ delegations: { keys: {}, roles } })).to.equal('PATH_PATTERN_REFUSED')
    })
  }

  it('keeps targets with the names of prototype members apart from the prototype', () => {
    const target = { length: 1, hashes: { sha256: 'aa'.repeat(32) } }
    const named = JSON.parse(`{"__proto__": ${JSON.stringify(target)}}`) as object
    const bytes = signDocument(targets({ targets: named }), keys.targets)
    const model = acceptTargets('targets', role, anyMeta, undefined, bytes, strict)
    expect(model.targets.get('__proto__')).to.deep.equal(target)
    expect(model.targets.get('constructor')).to.equal(undefined)
  })

  it('refuses bytes in another spelling, although the signatures hold', () => {
    const bytes = signDocument(targets({}), keys.targets)
    const spaced = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(bytes).toString()), null, 1))
    const accept = (rules: typeof strict) => () =>
      acceptTargets('targets', role, anyMeta, undefined, spaced, rules)
    expect(codeFrom(accept(strict))).to.equal('FILE_NOT_CANONICAL')
    expect(codeFrom(accept({ strict: false }))).to.equal(undefined)
  })

  it('refuses a control character in a text', () => {
    expect(verdict({ 'x-note': 'a\u0007b' })).to.equal('TEXT_NOT_PLAIN')
  })

  it('refuses a number that is not an integer before it looks at the signature', () => {
    const text = Buffer.from(signDocument(targets({ 'x-note': 15 }), keys.targets)).toString()
    const bytes = Buffer.from(text.replace(':15', ':1.5'))
    const code = codeFrom(() => acceptTargets('targets', role, anyMeta, undefined, bytes, strict))
    expect(code).to.equal('METADATA_MALFORMED')
  })

  it('refuses another version than the parent says, at the right address', () => {
    expect(
      codeFrom(() => {
        const bytes = signDocument(targets({ version: 2 }), keys.targets)
        return acceptTargets('targets', role, anyMeta, undefined, bytes, strict)
      }),
    ).to.equal('VERSION_MISMATCH')
  })

  it('refuses a version that jumps far, and a timestamp without length, hash and x-blake3', () => {
    const origin = createSignedOrigin(keys)
    origin.publishSet(20_000)
    const bytes = () => origin.files.get('timestamp.json') ?? new Uint8Array()
    const floors = { ...noFloors, timestamp: { version: 1, content: undefined } }
    expect(codeFrom(() => acceptTimestamp(root, floors, bytes(), strict))).to.equal('VERSION_JUMP')
    origin.publishSet(2, { extra: { timestamp: { meta: { 'snapshot.json': { version: 2 } } } } })
    expect(codeFrom(() => acceptTimestamp(root, noFloors, bytes(), strict))).to.equal(
      'META_INCOMPLETE',
    )
  })

  it('names the field that is wrong', () => {
    const bytes = signDocument(targets({ targets: { x: { length: -1 } } }), keys.targets)
    const accept = () => acceptTargets('targets', role, anyMeta, undefined, bytes, strict)
    expect(accept)
      .to.throw(Error, 'targets.x.length')
      .with.property('code', 'METADATA_MALFORMED' satisfies CatalogError['code'])
  })
})
