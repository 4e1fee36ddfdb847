import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import {
  acceptEmbeddedRoot,
  acceptNextRoot,
  acceptTargets,
} from '../../../../catalog/trust/accept.ts'
import type { RootDocument, TargetsDocument } from '../../../../catalog/trust/document.ts'
import { encodeEnvelope, signDocument } from '../../../../catalog/trust/envelope.ts'
import type { MetaModel } from '../../../../catalog/trust/model.ts'
import { checkMetaProfile } from '../../../../catalog/trust/profile.ts'
import { canonicalJson } from '../../../../src/core/canonical-json.ts'
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
const anyMeta: MetaModel = { version: 1, length: undefined, hashes: new Map(), blake3: undefined }
const keys = makeKeys()
const root = acceptEmbeddedRoot(signDocument(rootDocument(1, keys), keys.root), strict)
const [signer] = keys.targets as [TestKey]

function targets(extra: object = {}): TargetsDocument {
  return {
    _type: 'targets',
    spec_version: '1.0.34',
    version: 1,
    expires: '2027-01-01T00:00:00Z',
    targets: {},
    ...extra,
  }
}

function take(bytes: Uint8Array, rules = strict, role = root.roles.targets): string | undefined {
  return codeFrom(() => acceptTargets('targets', role, anyMeta, undefined, bytes, rules))
}
const takeSigned = (extra: object, rules = strict) =>
  take(signDocument(targets(extra), keys.targets), rules)
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8')

describe('P1: one form of a file', () => {
  const proper = textOf(signDocument(targets({ 'x-note': 'a' }), keys.targets))
  const respelled: Readonly<Record<string, string>> = {
    'a space': proper.replace(':', ': '),
    'a line break at the end': `${proper}\n`,
    'an escape that is not needed': proper.replace('"x-note":"a"', '"x-note":"\\u0061"'),
    'another order of names': proper.replace(/^\{("signatures":\[.*?\]),(.*)\}$/, '{$2,$1}'),
    'a name twice': proper.replace('"x-note":"a"', '"x-note":"b","x-note":"a"'),
    'the whole twice': proper.replace('{"signatures"', '{"signed":{},"signatures"'),
    'a member beside the two': proper.replace('{"signatures"', '{"a":1,"signatures"'),
    'a member in a signature': proper.replace('{"keyid"', '{"a":1,"keyid"'),
    'a number as 1.0': proper.replace('"version":1', '"version":1.0'),
    'a number as 1e0': proper.replace('"version":1', '"version":1e0'),
  }
  for (const [what, text] of Object.entries(respelled)) {
    it(`refuses ${what}, which a plain client takes`, () => {
      expect(text).not.to.equal(proper)
      expect(take(Buffer.from(text), plain)).to.equal(undefined)
      expect(take(Buffer.from(text))).to.equal('FILE_NOT_CANONICAL')
    })
  }
  it('holds for roots, also for the one that a node is given first', () => {
    const spaced = (bytes: Uint8Array) => Buffer.from(`${textOf(bytes)} `)
    const first = spaced(signDocument(rootDocument(1, keys), keys.root))
    expect(codeFrom(() => acceptEmbeddedRoot(first, strict))).to.equal('ROOT_INVALID')
    expect(acceptEmbeddedRoot(first, plain).version).to.equal(1)
    const next = spaced(signDocument(rootDocument(2, keys), keys.root))
    expect(codeFrom(() => acceptNextRoot(root, next, strict))).to.equal('FILE_NOT_CANONICAL')
    expect(acceptNextRoot(root, next, plain).version).to.equal(2)
  })
  it('refuses a byte order mark', () => {
    expect(take(Buffer.from(`\ufeff${proper}`))).to.equal('FILE_NOT_CANONICAL')
  })
  it('takes a text that the two canonical forms write in different ways', () => {
    expect(takeSigned({ 'x-note': 'line\nbreak "and" \\ slash' })).to.equal(undefined)
  })
  it('refuses the signed form where it is not the form of a file', () => {
    const text = textOf(signDocument(targets({ 'x-note': 'a\nb' }), keys.targets))
    expect(take(Buffer.from(text.replace('a\\nb', 'a\nb')))).to.equal('METADATA_MALFORMED')
  })

  describe('signatures', () => {
    const [a, b] = [makeKey(), makeKey()].sort((x, y) => (x.keyId < y.keyId ? -1 : 1)) as [
      TestKey,
      TestKey,
    ]
    const two = {
      threshold: 1,
      keys: new Map([a, b].map(({ keyId, publicKey }) => [keyId, publicKey])),
    }
    const both = JSON.parse(textOf(signDocument(targets(), [a, b]))) as {
      signed: object
      signatures: { keyid: string; sig: string }[]
    }
    const withSignatures = (signatures: readonly object[]) =>
      canonicalJson({ signatures, signed: both.signed })

    it('are taken when each is valid, whether or not it was needed', () => {
      expect(take(withSignatures(both.signatures), strict, two)).to.equal(undefined)
      expect(take(withSignatures(both.signatures.slice(1)), strict, two)).to.equal(undefined)
    })
    it('stand in the order of their key ids', () => {
      const reversed = withSignatures([...both.signatures].reverse())
      expect(take(reversed, strict, two)).to.equal('FILE_NOT_CANONICAL')
      expect(take(reversed, plain, two)).to.equal(undefined)
    })
    it('are refused when one is of an unknown key', () => {
      const bytes = signDocument(targets(), [a, makeKey()])
      expect(take(bytes, strict, two)).to.equal('SIGNATURE_STRAY')
      expect(take(bytes, plain, two)).to.equal(undefined)
    })
    it('are refused when one that was not needed is invalid', () => {
      const [first, second] = both.signatures
      for (const sig of ['', '00', first?.sig, second?.sig.toUpperCase()]) {
        const bytes = withSignatures([first ?? {}, { ...second, sig }])
        expect(take(bytes, strict, two), sig).to.equal('SIGNATURE_STRAY')
        expect(take(bytes, plain, two), sig).to.equal(undefined)
      }
    })
    it('of a root are those of the old and the new keys, and no other', () => {
      const next = [makeKey()]
      const document = rootDocument(2, { ...keys, root: next })
      const take = (signers: readonly TestKey[], rules = strict) =>
        codeFrom(() => acceptNextRoot(root, signDocument(document, signers), rules))
      expect(take([...keys.root, ...next])).to.equal(undefined)
      expect(take([...keys.root, ...next, makeKey()])).to.equal('SIGNATURE_STRAY')
      expect(take([...keys.root, ...next, makeKey()], plain)).to.equal(undefined)
    })
    it('of the keys before stay in a root that a node is given first', () => {
      const bytes = signDocument(rootDocument(2, keys), [...keys.root, makeKey()])
      expect(acceptEmbeddedRoot(bytes, strict).version).to.equal(2)
    })
  })
})

describe('P2: plain text', () => {
  it('refuses control characters in texts, but for line feeds', () => {
    for (const character of ['\0', '\t', '\r', '\u001f', '\u007f', '\u0085', '\u009f']) {
      expect(takeSigned({ 'x-note': `a${character}` }), escape(character)).to.equal(
        'TEXT_NOT_PLAIN',
      )
      expect(takeSigned({ 'x-note': `a${character}` }, plain)).to.equal(undefined)
    }
    for (const text of ['\n', ' ', '~', 'é', '\u00a0', '\u{1f600}', 'e\u0301', '\ue000']) {
      expect(takeSigned({ 'x-note': text }), text).to.equal(undefined)
    }
  })
  it('looks into lists and objects', () => {
    expect(takeSigned({ 'x-note': [[{ a: '\0' }]] })).to.equal('TEXT_NOT_PLAIN')
    expect(takeSigned({ 'x-note': [null, true, 1, { a: ['ok'] }] })).to.equal(undefined)
  })
  it('refuses names beyond printable ASCII', () => {
    for (const name of ['é', '\u{10000}', '\n', '\u007f', 'a\0']) {
      expect(takeSigned({ 'x-note': { [name]: 1 } }), name).to.equal('TEXT_NOT_PLAIN')
    }
    for (const name of [' ', '~', '', '__proto__', '"\\']) {
      expect(takeSigned({ 'x-note': Object.fromEntries([[name, 1]]) }), name).to.equal(undefined)
    }
  })
  for (const number of ['1.5', '9007199254740992', '-9007199254740992', '1e21', '1e400']) {
    it(`refuses the number ${number}, and so does a plain client`, () => {
      const text = textOf(signDocument(targets({ 'x-note': 77 }), keys.targets))
      const bytes = Buffer.from(text.replace(':77', `:${number}`))
      expect(take(bytes)).to.equal('METADATA_MALFORMED')
      expect(take(bytes, plain)).to.equal('METADATA_MALFORMED')
    })
  }
  it('refuses −0, which has another spelling', () => {
    const text = textOf(signDocument(targets({ 'x-note': 0 }), keys.targets))
    const bytes = Buffer.from(text.replace('"x-note":0', '"x-note":-0'))
    expect(take(bytes)).to.equal('FILE_NOT_CANONICAL')
  })
})

describe('P4: names and patterns that everyone reads alike', () => {
  const delegate = (name: string, paths: readonly string[], rules = strict) =>
    takeSigned(
      {
        delegations: {
          keys: { [signer.keyId]: signer.publicKey },
          roles: [{ name, keyids: [signer.keyId], threshold: 1, terminating: false, paths }],
        },
      },
      rules,
    )
  for (const pattern of ['apps/core.*/*', '*', 'a', 'a-b.c/0*', 'a'.repeat(255), '...']) {
    it(`takes the pattern ${pattern.slice(0, 20)}`, () =>
      expect(delegate('a', [pattern])).to.equal(undefined))
  }
  const refused = [
    ...['', '/a', 'a/', 'a//b', '.', '..', 'a/../b', './a', 'A', 'a b', 'a_b', 'é', 'a\\b'],
    ...['**', '*a', 'a?', '[a]', '{a}', '!a', '#a', '@(a)', 'a*/b*c', 'a'.repeat(256)],
  ]
  for (const pattern of refused) {
    it(`refuses the pattern ${JSON.stringify(pattern.slice(0, 20))}`, () => {
      expect(delegate('a', ['apps/*', pattern])).to.equal('PATH_PATTERN_REFUSED')
      expect(delegate('a', [pattern], plain)).to.equal(undefined)
    })
  }
  it('refuses hash prefixes', () => {
    const roles = [
      { name: 'a', keyids: [], threshold: 1, terminating: false, path_hash_prefixes: ['ab'] },
    ]
    expect(takeSigned({ delegations: { keys: {}, roles } })).to.equal('PATH_PATTERN_REFUSED')
    expect(takeSigned({ delegations: { keys: {}, roles } }, plain)).to.equal(undefined)
  })
  for (const name of ['core', 'pub-z0123456789abcdef0123', 'constructor', '0', 'a'.repeat(128)]) {
    it(`takes the role name ${name.slice(0, 30)}`, () =>
      expect(delegate(name, ['a'])).to.equal(undefined))
  }
  for (const name of ['../a', 'a/b', 'a.b', 'A', '-a', '__proto__', 'a b', 'é', 'ä', 'a\n']) {
    it(`refuses the role name ${JSON.stringify(name)}, which a plain client takes`, () => {
      expect(delegate(name, ['a'])).to.equal('ROLE_NAME_REFUSED')
      expect(delegate(name, ['a'], plain)).to.equal(undefined)
    })
  }
  const tooMuch = ['', 'a'.repeat(129), 'é'.repeat(34), '/'.repeat(67), 'root', 'targets']
  for (const name of tooMuch) {
    it(`refuses the role name ${JSON.stringify(name.slice(0, 20))} (${name.length}) always`, () =>
      expect(delegate(name, ['a'], plain)).to.equal('ROLE_NAME_REFUSED'))
  }
  it('leaves a plain client the longest name that fits a file name', () => {
    expect(delegate('é'.repeat(33), ['a'], plain)).to.equal(undefined)
    expect(delegate(`${'/'.repeat(66)}ab`, ['a'], plain)).to.equal(undefined)
    expect(delegate(`${'/'.repeat(66)}abc`, ['a'], plain)).to.equal('ROLE_NAME_REFUSED')
  })
})

describe('P6 and P7: keys and thresholds', () => {
  const takeRoot = (document: RootDocument, rules = strict) =>
    codeFrom(() => acceptNextRoot(root, signDocument(document, keys.root), rules))
  const weak = { ...signer.publicKey, keyval: { public: `01${'00'.repeat(31)}` } }
  const rsa = {
    keytype: 'rsa',
    scheme: 'rsassa-pss-sha256',
    keyval: {
      public: generateKeyPairSync('rsa', { modulusLength: 2048 })
        .publicKey.export({ format: 'pem', type: 'spki' })
        .toString(),
    },
  }

  for (const [what, key] of Object.entries({ weak, rsa })) {
    it(`refuses a ${what} key in any role, also one that no signature needs`, () => {
      const odd = { ...makeKey(), publicKey: key }
      for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
        const document = rootDocument(2, { ...keys, [role]: [...keys[role], odd] })
        expect(takeRoot(document), role).to.equal('KEY_REFUSED')
        expect(takeRoot(document, plain), role).to.equal(undefined)
      }
    })
  }
  it('refuses a weak key in a root that a node is given first, with the reason', () => {
    const document = rootDocument(1, { ...keys, snapshot: [{ ...makeKey(), publicKey: weak }] })
    expect(() => acceptEmbeddedRoot(signDocument(document, keys.root), strict))
      .to.throw('sound Ed25519')
      .with.property('code', 'ROOT_INVALID')
  })
  it('takes a threshold that all keys of a role together reach, and no more', () => {
    const more = { ...keys, snapshot: [makeKey(), makeKey('p256')] }
    const withThreshold = (snapshot: number) =>
      takeRoot(rootDocument(2, more, { thresholds: { snapshot } }))
    expect(withThreshold(2)).to.equal(undefined)
    expect(withThreshold(3)).to.equal('THRESHOLD_UNREACHABLE')
  })
  it('counts two ids of one key once when it asks whether a threshold can be reached', () => {
    const twin = { ...signer, keyId: 'ff'.repeat(32) }
    const document = rootDocument(
      2,
      { ...keys, targets: [signer, twin] },
      { thresholds: { targets: 2 } },
    )
    expect(takeRoot(document)).to.equal('THRESHOLD_UNREACHABLE')
    expect(takeRoot(document, plain)).to.equal(undefined)
  })
  it('judges the keys of a delegated role where it is used', () => {
    const role = { threshold: 1, keys: new Map([['a', weak]]) }
    expect(take(new Uint8Array(), strict, role)).to.equal('KEY_REFUSED')
    expect(take(new Uint8Array(), plain, role)).to.equal('METADATA_MALFORMED')
    const none = { threshold: 1, keys: new Map() }
    expect(take(new Uint8Array(), strict, none)).to.equal('THRESHOLD_UNREACHABLE')
  })
  it('wants consistent snapshots', () => {
    const document = { ...rootDocument(2, keys), consistent_snapshot: false }
    expect(takeRoot(document)).to.equal('SNAPSHOT_NOT_CONSISTENT')
    expect(takeRoot(document, plain)).to.equal(undefined)
  })
})

describe('P8: what a parent states', () => {
  const hashes = new Map([['sha256', '00'.repeat(32)]])
  const full: MetaModel = { version: 1, length: 1, hashes, blake3: digestOf(new Uint8Array()) }
  const lacking: readonly (readonly [string, MetaModel])[] = [
    ['length', { ...full, length: undefined }],
    ['sha256', { ...full, hashes: new Map([['sha512', '00'.repeat(64)]]) }],
    ['x-blake3', { ...full, blake3: undefined }],
  ]
  it('is enough with length, sha256 and x-blake3', () =>
    expect(codeFrom(() => checkMetaProfile('x', full))).to.equal(undefined))
  for (const [what, meta] of lacking) {
    it(`is too little without ${what}`, () =>
      expect(codeFrom(() => checkMetaProfile('x', meta))).to.equal('META_INCOMPLETE'))
  }
})

describe('signatures of the profile', () => {
  it('are sorted by the writer, whoever signs first', () => {
    const signatures = [
      { keyid: 'b', sig: '00' },
      { keyid: 'a', sig: '00' },
    ]
    expect(encodeEnvelope(targets(), signatures)).to.deep.equal(
      encodeEnvelope(targets(), [...signatures].reverse()),
    )
  })
})
