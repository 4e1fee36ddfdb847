import { expect } from 'chai'
import type { CatalogError } from '../../../../catalog/errors.ts'
import {
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
} from '../../../../catalog/trust/structure.ts'
import { digestOf } from '../../../../src/core/digest.ts'
import { codeFrom } from '../../../support/catalog/code-from.ts'

const time = '2027-01-01T00:00:00Z'
const timeMs = Date.UTC(2027, 0, 1)
const sha256 = 'ab'.repeat(32)
const blake3 = digestOf(new Uint8Array())
const peer = `/ip4/9.9.9.9/tcp/4001/p2p/12D3KooW${'A'.repeat(44)}`
const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'cd'.repeat(32) } }
const roleKeys = { keyids: ['k'], threshold: 1 }
const common = { spec_version: '1.0.34', version: 3, expires: time }
const meta = { version: 2, length: 5, hashes: { sha256 }, 'x-blake3': blake3 }
const policy = {
  profile: 'tuf-swarm/1',
  name: 'An origin',
  origins: ['https://example.org/'],
  staleGraceDays: 30,
  maxTimestampDays: 14,
}

const documents = {
  root: {
    ...common,
    _type: 'root',
    'x-catalog': policy,
    consistent_snapshot: true,
    keys: { k: key },
    roles: { root: roleKeys, timestamp: roleKeys, snapshot: roleKeys, targets: roleKeys },
  },
  timestamp: {
    ...common,
    _type: 'timestamp',
    'x-issued': time,
    'x-prev': { version: 2, sha256 },
    meta: { 'snapshot.json': meta },
  },
  snapshot: { ...common, _type: 'snapshot', meta: { 'targets.json': meta } },
  targets: {
    ...common,
    _type: 'targets',
    'x-did': 'did:key:zA',
    'x-next': sha256,
    'x-rotations': [{ key: 'did:key:zA', next: sha256, sig: '00' }],
    'x-revoked-dids': ['did:key:zB'],
    'x-ack-forks': [[sha256, sha256]],
    'x-bootstrap': [peer],
    targets: { 'a/b': { length: 0, hashes: { sha256 }, custom: { a: 1 } } },
    delegations: {
      keys: { k: key },
      roles: [{ name: 'pub-a', ...roleKeys, terminating: true, paths: ['a/*'] }],
    },
  },
}
type Kind = keyof typeof documents

function parse(kind: Kind, signed: unknown): unknown {
  if (kind === 'root') return parseRoot('x.json', signed)
  const authentic = { signed, content: 'ee' }
  if (kind === 'timestamp') return parseTimestamp('x.json', authentic)
  return kind === 'snapshot'
    ? parseSnapshot('x.json', authentic)
    : parseTargets('x.json', authentic)
}

/** The document with another value at a place; `undefined` leaves the member out. */
function change(value: unknown, [first, ...rest]: readonly string[], to: unknown): unknown {
  if (first === undefined) return to
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) }
  const record = copy as Record<string, unknown>
  record[first] = change(record[first], rest, to)
  return copy
}

const model = { version: 3, expiresMs: timeMs }
const metaModel = { version: 2, length: 5, hashes: new Map([['sha256', sha256]]), blake3 }
const roleModel = { keys: new Map([['k', key]]), threshold: 1 }

describe('reading documents', () => {
  it('reads every field of a root', () => {
    expect(parse('root', documents.root)).to.deep.equal({
      ...model,
      policy,
      consistentSnapshot: true,
      roles: { root: roleModel, timestamp: roleModel, snapshot: roleModel, targets: roleModel },
    })
  })
  it('reads every field of a timestamp', () => {
    expect(parse('timestamp', documents.timestamp)).to.deep.equal({
      ...model,
      snapshot: metaModel,
      issuedMs: timeMs,
      previous: { version: 2, content: sha256 },
      content: 'ee',
    })
  })
  it('reads every field of a snapshot', () => {
    expect(parse('snapshot', documents.snapshot)).to.deep.equal({
      ...model,
      meta: new Map([['targets', metaModel]]),
      content: 'ee',
    })
  })
  it('reads every field of targets', () => {
    expect(parse('targets', documents.targets)).to.deep.equal({
      ...model,
      targets: new Map([['a/b', { length: 0, hashes: { sha256 }, custom: { a: 1 } }]]),
      delegations: [
        { ...roleModel, name: 'pub-a', terminating: true, paths: ['a/*'], pathHashPrefixes: [] },
      ],
      revokedDids: ['did:key:zB'],
      acknowledgedForks: [[sha256, sha256]],
      bootstrap: { addresses: [peer], problems: [] },
      publisher: {
        did: 'did:key:zA',
        next: sha256,
        rotations: [{ key: 'did:key:zA', next: sha256, sig: '00' }],
      },
      content: 'ee',
    })
  })

  const optional: readonly (readonly [Kind, string])[] = [
    ['root', 'x-catalog'],
    ['root', 'x-catalog.origins'],
    ['timestamp', 'x-issued'],
    ['timestamp', 'x-prev'],
    ['timestamp', 'meta.snapshot~json.length'],
    ['timestamp', 'meta.snapshot~json.hashes'],
    ['timestamp', 'meta.snapshot~json.x-blake3'],
    ['targets', 'delegations'],
    ['targets', 'x-did'],
    ['targets', 'x-next'],
    ['targets', 'x-rotations'],
    ['targets', 'x-revoked-dids'],
    ['targets', 'x-ack-forks'],
    ['targets', 'x-bootstrap'],
    ['targets', 'targets.a/b.custom'],
  ]
  const placeOf = (path: string) => path.split('.').map(part => part.replace('~', '.'))
  for (const [kind, path] of optional) {
    it(`does without ${path} of ${kind}`, () => {
      const without = change(documents[kind], placeOf(path), undefined)
      expect(codeFrom(() => parse(kind, JSON.parse(JSON.stringify(without))))).to.equal(undefined)
    })
  }

  const missing = Symbol('missing')
  const wrong: readonly (readonly [Kind, string, readonly unknown[], CatalogError['code']?])[] = [
    ['root', '_type', [missing, 'targets', 1, 'Root', '']],
    ['root', 'spec_version', [missing, 1, '', '2.0.0', '1', '10.0', '1.', '1.0.0.0', '1.1234567']],
    ['root', 'version', [missing, 0, -1, 1.5, 2 ** 53, '3', null, true]],
    ['root', 'expires', [missing, 1798761600, null]],
    [
      'root',
      'expires',
      [
        ...['never', '', '2027-01-01', '2027-01-01T00:00:00', '2027-01-01T00:00:00z'],
        ...['2027-01-01T00:00:00+00:00', '2027-01-01T00:00:00.000Z', '10000-01-01T00:00:00Z'],
        ...['2027-13-01T00:00:00Z', '2027-02-30T00:00:00Z', '2027-01-01T24:00:00Z'],
        ...['2027-01-01 00:00:00Z', ' 2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z\n'],
      ],
      'TIME_MALFORMED',
    ],
    ['root', 'consistent_snapshot', [missing, 'true', 1]],
    ['root', 'keys', [missing, [], null, 'k']],
    ['root', 'keys.k', [null, 'k', []]],
    ['root', 'keys.k.keytype', [missing, 1]],
    ['root', 'keys.k.scheme', [missing, 1]],
    ['root', 'keys.k.keyval', [missing, 'ab']],
    ['root', 'keys.k.keyval.public', [missing, 1]],
    ['root', 'roles', [missing, []]],
    ['root', 'roles.root', [missing, null]],
    ['root', 'roles.timestamp', [missing, null]],
    ['root', 'roles.snapshot', [missing, null]],
    ['root', 'roles.targets', [missing, null]],
    ['root', 'roles.targets.threshold', [missing, 0, -1, '1', 1.5]],
    ['root', 'roles.targets.keyids', [missing, 'k', [1], ['k', 'k']]],
    ['root', 'x-catalog', [null, 1]],
    ['root', 'x-catalog.profile', [missing, 'tuf-swarm/2']],
    ['root', 'x-catalog.name', [missing, 1]],
    ['root', 'x-catalog.origins', ['https://example.org/', [1]]],
    ['root', 'x-catalog.staleGraceDays', [missing, -1, '1']],
    ['root', 'x-catalog.maxTimestampDays', [missing, 0, '1']],
    ['timestamp', '_type', ['root']],
    ['timestamp', 'meta', [missing, []]],
    ['timestamp', 'meta.snapshot~json', [missing, null]],
    ['timestamp', 'meta.snapshot~json.version', [missing, 0]],
    ['timestamp', 'meta.snapshot~json.length', [0, -1, '5', 1.5]],
    ['timestamp', 'meta.snapshot~json.hashes', [{}, [], { sha256: 1 }]],
    [
      'timestamp',
      'meta.snapshot~json.hashes.sha256',
      ['', 'AB'.repeat(32), 'ab'.repeat(15), 'ab'.repeat(65), `${'ab'.repeat(31)}a`, 'xy'],
    ],
    ['timestamp', 'meta.snapshot~json.x-blake3', [1, sha256, 'blake3:ab']],
    ['timestamp', 'x-issued', [1, null]],
    ['timestamp', 'x-issued', ['never'], 'TIME_MALFORMED'],
    ['timestamp', 'x-prev', [1, null]],
    ['timestamp', 'x-prev.version', [missing, 0]],
    ['timestamp', 'x-prev.sha256', [missing, 'AB'.repeat(32), 'ab', 1]],
    ['snapshot', '_type', ['timestamp']],
    ['snapshot', 'meta', [missing, []]],
    ['snapshot', 'meta.targets', [meta]],
    ['snapshot', 'meta.targets~json', [null]],
    ['snapshot', 'meta.~json', [meta], 'ROLE_NAME_REFUSED'],
    [`snapshot`, `meta.${'a'.repeat(129)}~json`, [meta], 'ROLE_NAME_REFUSED'],
    ['targets', '_type', ['snapshot']],
    ['targets', 'targets', [missing, []]],
    ['targets', 'targets.a/b.length', [missing, -1, '1']],
    ['targets', 'targets.a/b.hashes', [missing, {}, { sha256: 'ab' }]],
    ['targets', 'targets.a/b.custom', [null, [], 1]],
    ['targets', 'x-did', [1]],
    ['targets', 'x-next', [1, 'ab']],
    ['targets', 'x-rotations', [{}, [1]]],
    ['targets', 'x-rotations.0.key', [missing, 1]],
    ['targets', 'x-rotations.0.next', [missing, 'ab']],
    ['targets', 'x-rotations.0.sig', [missing, 1]],
    ['targets', 'x-revoked-dids', [{}, [1]]],
    ['targets', 'x-ack-forks', [{}, [1], [['ab']]]],
    ['targets', 'delegations', [null, []]],
    ['targets', 'delegations.keys', [missing, []]],
    ['targets', 'delegations.roles', [missing, {}]],
    ['targets', 'delegations.roles.0.name', [missing, 1]],
    [
      'targets',
      'delegations.roles.0.name',
      ['', 'root', 'a'.repeat(129), '\ud800'],
      'ROLE_NAME_REFUSED',
    ],
    ['targets', 'delegations.roles.0.terminating', [missing, 1]],
    ['targets', 'delegations.roles.0.paths', [missing, 'a', [1]]],
    ['targets', 'delegations.roles.0.path_hash_prefixes', [['ab']]],
    ['targets', 'delegations.roles.0.threshold', [missing, 0]],
    ['targets', 'delegations.roles.0.keyids', [missing, ['k', 'k']]],
  ]
  for (const [kind, path, values, code = 'METADATA_MALFORMED'] of wrong) {
    for (const value of values) {
      const shown = value === missing ? 'nothing' : JSON.stringify(value)
      it(`refuses ${shown.slice(0, 40)} at ${path.slice(0, 40)} of ${kind}`, () => {
        const to = value === missing ? undefined : value
        const signed = JSON.parse(
          JSON.stringify(change(documents[kind], placeOf(path), to)),
        ) as unknown
        expect(codeFrom(() => parse(kind, signed))).to.equal(code)
      })
    }
  }

  it('refuses anything but an object', () => {
    for (const kind of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
      for (const value of [undefined, null, 1, 'x', [], true]) {
        expect(codeFrom(() => parse(kind, value))).to.equal('METADATA_MALFORMED')
      }
    }
  })

  it('takes as many keys of a role as can sign, and no more', () => {
    const withIds = (count: number) =>
      change(documents.root, ['roles', 'root', 'keyids'], [...Array(count).keys()].map(String))
    expect(codeFrom(() => parse('root', withIds(64)))).to.equal(undefined)
    expect(codeFrom(() => parse('root', withIds(65)))).to.equal('METADATA_MALFORMED')
  })

  it('leaves out a key id without a key, so that it counts for nothing', () => {
    const signed = change(documents.root, ['roles', 'root', 'keyids'], ['k', 'none', '__proto__'])
    const root = parseRoot('x.json', signed)
    expect([...root.roles.root.keys.keys()]).to.deep.equal(['k'])
  })

  it('takes every 1.x of TUF', () => {
    for (const version of ['1.0', '1.0.34', '1.999999.0']) {
      const signed = change(documents.targets, ['spec_version'], version)
      expect(
        codeFrom(() => parse('targets', signed)),
        version,
      ).to.equal(undefined)
    }
  })

  it('says where in which file something is wrong', () => {
    const where = (path: string, value: unknown) => () =>
      parse('targets', change(documents.targets, placeOf(path), value))
    expect(where('version', 0)).to.throw('x.json is not valid metadata: version must be')
    expect(where('delegations.roles.0.threshold', 0)).to.throw(
      'delegations.roles[0].threshold must be an integer from 1 to 2^53-1',
    )
    expect(where(`targets.${'p'.repeat(200)}`, 1)).to.throw(`targets.${'p'.repeat(80)} must be`)
    expect(() => parse('root', 1)).to.throw('the document must be an object')
  })

  it('never sees a member of a prototype', () => {
    const odd = Object.create(documents.targets) as object
    expect(codeFrom(() => parse('targets', odd))).to.equal('METADATA_MALFORMED')
    const named = JSON.parse(
      '{"__proto__":{"length":1,"hashes":{"sha256":"HASH"}}}'.replace('HASH', sha256),
    ) as unknown
    const targets = parseTargets('x', {
      signed: change(documents.targets, ['targets'], named),
      content: '',
    })
    expect([...targets.targets.keys()]).to.deep.equal(['__proto__'])
    expect(targets.targets.get('constructor')).to.equal(undefined)
  })
})
