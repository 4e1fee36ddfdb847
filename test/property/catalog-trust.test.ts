/**
 * Random damage and random histories against the verifying core.
 * Goal: no changed byte is ever accepted, and no sequence of sets takes a version back.
 * Method: one checking function per property; fast-check shrinks a failure and prints its seed.
 */
import { type KeyObject, sign } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { createMemoryStore } from '../../catalog/cache.ts'
import { CatalogError } from '../../catalog/errors.ts'
import { encodeFloors, parseFloors } from '../../catalog/floors-file.ts'
import { acceptEmbeddedRoot, acceptTargets, acceptTimestamp } from '../../catalog/trust/accept.ts'
import { noFloors } from '../../catalog/trust/floors.ts'
import { loadTrusted } from '../../catalog/trust/load.ts'
import { matchesPath } from '../../catalog/trust/lookup.ts'
import { refreshTrusted } from '../../catalog/trust/refresh.ts'
import { CanonicalJsonError, olpcJson } from '../../src/core/canonical-json.ts'
import { createSignedOrigin, START_MS } from '../support/catalog/signed-origin.ts'

const rules = { strict: true }

describe('verifying core, at random', () => {
  const origin = createSignedOrigin()
  origin.publishSet(1)
  const rootBytes = origin.files.get('1.root.json') ?? new Uint8Array()
  const root = acceptEmbeddedRoot(rootBytes, rules)
  const timestamp = origin.files.get('timestamp.json') ?? new Uint8Array()

  it('accepts no timestamp with a changed, missing or added byte', () => {
    const index = fc.nat(timestamp.length - 1)
    const damage = fc.oneof(
      fc.tuple(index, fc.integer({ min: 1, max: 255 })).map(([at, xor]) => {
        const bytes = Buffer.from(timestamp)
        bytes[at] = (bytes[at] ?? 0) ^ xor
        return bytes
      }),
      index.map(length => Buffer.from(timestamp.subarray(0, length))),
      fc.uint8Array({ minLength: 1 }).map(more => Buffer.concat([timestamp, more])),
    )
    fc.assert(
      fc.property(damage, bytes => {
        expect(() => acceptTimestamp(root, noFloors, bytes, rules)).to.throw(CatalogError)
      }),
      { numRuns: 300, interruptAfterTimeLimit: 1500 },
    )
  })

  it('never goes back, whatever an origin with the right keys serves, in any order', async () => {
    const step = fc.record({
      timestamp: fc.integer({ min: 1, max: 4 }),
      snapshot: fc.integer({ min: 1, max: 4 }),
      targets: fc.integer({ min: 1, max: 4 }),
      wiped: fc.boolean(),
    })
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 6 }),
      async steps => {
        let store = createMemoryStore(new Map(), noFloors)
        const highest = { timestamp: 0, snapshot: 0, targets: 0 }
        for (const { wiped, ...versions } of steps) {
          if (wiped) store = createMemoryStore(new Map(), store.getFloors())
          origin.files.clear()
          origin.publishSet(1, { versions })
          const trust = { source: origin, store, nowMs: () => START_MS, rules }
          await refreshTrusted(trust, loadTrusted(store, rootBytes, rules)).catch(onlyRefusals)
          const { timestamp, snapshot, targets } = loadTrusted(store, rootBytes, rules)
          for (const [role, model] of Object.entries({ timestamp, snapshot, targets })) {
            if (model === undefined) continue
            const key = role as keyof typeof highest
            expect(model.version, role).to.be.at.least(highest[key])
            highest[key] = model.version
          }
        }
      },
    )
    await fc.assert(property, { numRuns: 10, interruptAfterTimeLimit: 1000 })
  })

  it('refuses with a code, whatever the keys of a role signed', () => {
    const [{ keyId, privateKey }] = origin.keys.targets as [(typeof origin.keys.targets)[number]]
    const json = fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' })
    const name = fc.constantFrom('a', 'root', '__proto__', 'pub-a', '\ud800', '../x', 'é')
    const roleOf = fc.record({
      name: fc.oneof(name, json),
      keyids: fc.oneof(fc.constant([keyId]), json),
      threshold: fc.oneof(fc.integer(), json),
      terminating: fc.boolean(),
      paths: fc.oneof(fc.array(fc.string()), json),
    })
    const document = fc.record(
      {
        _type: fc.constantFrom('targets', 'targets', 'root', 1),
        spec_version: fc.constantFrom('1.0.34', '1.0.34', '2.0', null),
        version: fc.oneof(fc.constant(1), fc.double(), json),
        expires: fc.oneof(fc.constant('2027-01-01T00:00:00Z'), json),
        targets: fc.oneof(
          fc.dictionary(name, fc.record({ length: fc.nat(), hashes: json })),
          fc.constant({}),
          json,
        ),
        delegations: fc.oneof(
          fc.record({ keys: fc.oneof(fc.constant({}), json), roles: fc.array(roleOf) }),
          json,
        ),
        'x-did': json,
        'x-note': json,
      },
      { requiredKeys: ['_type', 'spec_version', 'version', 'expires', 'targets'] },
    )
    const meta = { version: 1, length: undefined, hashes: new Map(), blake3: undefined }
    fc.assert(
      fc.property(document, fc.string({ unit: 'binary' }), (signed, stray) => {
        const signatures = [
          { keyid: keyId, sig: signatureOf(signed, privateKey) },
          { keyid: stray, sig: '' },
        ]
        for (const list of [signatures, signatures.slice(0, 1)]) {
          const bytes = Buffer.from(JSON.stringify({ signatures: list, signed }))
          for (const strict of [true, false]) {
            try {
              acceptTargets('targets', root.roles.targets, meta, undefined, bytes, { strict })
            } catch (error) {
              onlyRefusals(error)
            }
          }
        }
      }),
      { numRuns: 100, interruptAfterTimeLimit: 600 },
    )
  })

  it('reads back the floors that it wrote', () => {
    const version = fc.integer({ min: 1 })
    const floor = fc.record(
      {
        version,
        content: fc.option(fc.string({ maxLength: 64 }), { nil: undefined }),
      },
      { noNullPrototype: true },
    )
    const optional = fc.option(floor, { nil: undefined })
    const floors = fc.record(
      {
        root: version,
        online: fc.string({ maxLength: 64 }),
        issuedMs: fc.nat(),
        timestamp: optional,
        snapshot: optional,
        roles: fc
          .uniqueArray(fc.tuple(fc.string({ maxLength: 20 }), floor), {
            selector: ([role]) => role,
          })
          .map(roles => new Map(roles)),
      },
      { noNullPrototype: true },
    )
    fc.assert(
      fc.property(floors, value => {
        expect(parseFloors(encodeFloors(value))).to.deep.equal(value)
      }),
      { numRuns: 100, interruptAfterTimeLimit: 1000 },
    )
  })

  it('matches patterns as a regular expression does', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 12 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/', '*', '?'), maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, (glob, path) => {
        const source = glob.replaceAll('.', '\\.').replaceAll('*', '[^/]*').replaceAll('?', '[^/]')
        expect(matchesPath(glob, path)).to.equal(new RegExp(`^${source}$`).test(path))
      }),
      { numRuns: 500, interruptAfterTimeLimit: 1000 },
    )
  })
})

/** What has no canonical form cannot be signed; a verifier meets it all the same. */
function signatureOf(signed: object, key: KeyObject): string {
  try {
    return sign(null, olpcJson(signed), key).toString('hex')
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error
    return '00'.repeat(64)
  }
}

function onlyRefusals(error: unknown): void {
  if (!(error instanceof CatalogError)) throw error
}
