import { expect } from 'chai'
import {
  acceptEmbeddedRoot,
  acceptNextRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  checkExpiry,
  readTimestamp,
} from '../../../../catalog/trust/accept.ts'
import { formatTime } from '../../../../catalog/trust/document.ts'
import { type Floor, type Floors, noFloors } from '../../../../catalog/trust/floors.ts'
import {
  ROOT_BYTES_MAX,
  SNAPSHOT_BYTES_MAX,
  TARGETS_BYTES_MAX,
  TIMESTAMP_BYTES_MAX,
  VERSION_STEP_MAX,
} from '../../../../catalog/trust/limits.ts'
import type { MetaModel } from '../../../../catalog/trust/model.ts'
import { codeFrom } from '../../../support/catalog/code-from.ts'
import {
  createSignedOrigin,
  DAY_MS,
  type SetOptions,
  START_MS,
} from '../../../support/catalog/signed-origin.ts'

const strict = { strict: true }
const plain = { strict: false }
const unknown = { length: undefined, hashes: new Map(), blake3: undefined }
const at = (version: number, content?: string): Floor => ({ version, content })

/** A set in one version, and its documents as they are accepted under given floors. */
function setOf(version: number, options: SetOptions = {}) {
  const origin = createSignedOrigin()
  const bytes = (name: string) => origin.files.get(name) ?? new Uint8Array()
  const root = acceptEmbeddedRoot(bytes('1.root.json'), strict)
  origin.publishSet(version, options)
  const timestamp = readTimestamp(root, bytes('timestamp.json'), strict)
  const snapshotBytes = bytes(`${timestamp.snapshot.version}.snapshot.json`)
  const snapshot = acceptSnapshot(root, timestamp.snapshot, noFloors, snapshotBytes, plain)
  const targetsMeta = snapshot.meta.get('targets') as MetaModel
  return {
    origin,
    root,
    timestamp,
    snapshot,
    takeTimestamp: (floors: Partial<Floors>, rules = strict) =>
      codeFrom(() =>
        acceptTimestamp(root, { ...noFloors, ...floors }, bytes('timestamp.json'), rules),
      ),
    takeSnapshot: (floors: Partial<Floors>, rules = strict, expected = timestamp.snapshot) =>
      codeFrom(() =>
        acceptSnapshot(root, expected, { ...noFloors, ...floors }, snapshotBytes, rules),
      ),
    takeTargets: (floor: Floor | undefined, rules = strict, expected = targetsMeta) =>
      codeFrom(() =>
        acceptTargets(
          'targets',
          root.roles.targets,
          expected,
          floor,
          bytes(`${targetsMeta.version}.targets.json`),
          rules,
        ),
      ),
  }
}

describe('versions against floors', () => {
  const version = VERSION_STEP_MAX + 50
  const set = setOf(version)
  const takers = {
    timestamp: (floor: Floor, rules = strict) => set.takeTimestamp({ timestamp: floor }, rules),
    'snapshot in timestamp': (floor: Floor, rules = strict) =>
      set.takeTimestamp({ snapshot: floor }, rules),
    snapshot: (floor: Floor, rules = strict) => set.takeSnapshot({ snapshot: floor }, rules),
    'targets in snapshot': (floor: Floor, rules = strict) =>
      set.takeSnapshot({ roles: new Map([['targets', floor]]) }, rules),
    targets: (floor: Floor, rules = strict) => set.takeTargets(floor, rules),
  }
  for (const [what, take] of Object.entries(takers)) {
    it(`${what}: takes the version that was seen, and one more`, () => {
      expect(take(at(version))).to.equal(undefined)
      expect(take(at(version - 1))).to.equal(undefined)
    })
    it(`${what}: refuses one less`, () => {
      expect(take(at(version + 1))).to.equal('VERSION_ROLLBACK')
      expect(take(at(version + 1), plain)).to.equal('VERSION_ROLLBACK')
    })
    it(`${what}: takes the longest step and refuses one more`, () => {
      expect(take(at(50))).to.equal(undefined)
      expect(take(at(49))).to.equal('VERSION_JUMP')
      expect(take(at(49), plain)).to.equal(undefined)
    })
  }
  const contents: readonly (readonly [string, (floor: Floor) => string | undefined, string])[] = [
    ['timestamp', takers.timestamp, set.timestamp.content],
    ['snapshot', takers.snapshot, set.snapshot.content],
  ]
  for (const [what, take, content] of contents) {
    it(`${what}: refuses other content under a version that was seen, and takes the same`, () => {
      expect(take(at(version, content))).to.equal(undefined)
      expect(take(at(version, 'f'.repeat(64)))).to.equal('VERSION_REUSED')
      expect(take(at(version - 1, 'f'.repeat(64)))).to.equal(undefined)
    })
  }
  it('targets: refuses other content under a version that was seen; a plain client does not look', () => {
    expect(set.takeTargets(at(version, 'f'.repeat(64)))).to.equal('VERSION_REUSED')
    expect(set.takeTargets(at(version, 'f'.repeat(64)), plain)).to.equal(undefined)
  })
})

describe('what a snapshot lists', () => {
  const set = setOf(3)
  it('keeps every role that was seen', () => {
    const roles = new Map([['pub-gone', at(1)]])
    expect(set.takeSnapshot({ roles })).to.equal('VERSION_ROLLBACK')
    expect(set.takeSnapshot({ roles }, plain)).to.equal('VERSION_ROLLBACK')
  })
  it('has targets', () => {
    expect(() => setOf(1, { extra: { snapshot: { meta: {} } } })).to.throw('targets.json')
  })
  it('has length, sha256 and x-blake3 of every role', () => {
    const other = setOf(1, { extra: { snapshot: { meta: { 'targets.json': { version: 1 } } } } })
    expect(other.takeSnapshot({})).to.equal('META_INCOMPLETE')
    expect(other.takeSnapshot({}, plain)).to.equal(undefined)
  })
  it('has names that are plain', () => {
    const meta = { 'a b.json': { version: 1 }, 'targets.json': { version: 1 } }
    const other = setOf(1, { extra: { snapshot: { meta } } })
    expect(other.takeSnapshot({})).to.equal('ROLE_NAME_REFUSED')
    expect(other.takeSnapshot({}, plain)).to.equal(undefined)
  })
})

describe('versions against the parent', () => {
  for (const due of [2, 4]) {
    it(`refuses snapshot and targets 3 where ${due} is due, at the right address`, () => {
      const { takeSnapshot, takeTargets } = setOf(3)
      const expected = { version: due, ...unknown }
      for (const rules of [strict, plain]) {
        expect(takeSnapshot({}, rules, expected)).to.equal('VERSION_MISMATCH')
        expect(takeTargets(undefined, rules, expected)).to.equal('VERSION_MISMATCH')
      }
    })
  }
  it('takes the exact version without length and hashes only as a plain client would', () => {
    const { takeSnapshot, takeTargets } = setOf(3)
    expect(takeSnapshot({}, strict, { version: 3, ...unknown })).to.equal(undefined)
    expect(takeTargets(undefined, plain, { version: 3, ...unknown })).to.equal(undefined)
  })
  it('reports what is wrong with the bytes before anything in them', () => {
    const set = setOf(3)
    const { snapshot: expected } = set.timestamp
    expect(set.takeSnapshot({}, strict, { ...expected, length: 1 })).to.equal('LENGTH_MISMATCH')
    const hashes = new Map([['sha256', '0'.repeat(64)]])
    expect(set.takeSnapshot({}, strict, { ...expected, hashes })).to.equal('HASH_MISMATCH')
    const odd = new Map([['sha999', '0'.repeat(64)]])
    expect(set.takeSnapshot({}, plain, { ...expected, hashes: odd })).to.equal('HASH_UNKNOWN')
  })
})

describe('sizes', () => {
  const { root } = setOf(1)
  const meta = { version: 1, ...unknown }
  const readers: readonly (readonly [string, number, (bytes: Uint8Array) => unknown])[] = [
    ['root', ROOT_BYTES_MAX, bytes => acceptNextRoot(root, bytes, strict)],
    ['timestamp', TIMESTAMP_BYTES_MAX, bytes => acceptTimestamp(root, noFloors, bytes, strict)],
    ['snapshot', SNAPSHOT_BYTES_MAX, bytes => acceptSnapshot(root, meta, noFloors, bytes, strict)],
    [
      'a role',
      TARGETS_BYTES_MAX,
      bytes => acceptTargets('pub-a', root.roles.targets, meta, undefined, bytes, strict),
    ],
  ]
  for (const [what, max, read] of readers) {
    it(`reads ${what} of exactly ${max} bytes, and no more`, () => {
      // White space is JSON's to the bound; above it nobody looks.
      expect(codeFrom(() => read(Buffer.alloc(max, ' ')))).to.equal('METADATA_MALFORMED')
      expect(codeFrom(() => read(Buffer.alloc(max + 1, ' ')))).to.equal('METADATA_TOO_LARGE')
    })
  }
})

describe('expiry', () => {
  const model = { expiresMs: START_MS }
  it('holds until the moment before', () => {
    expect(codeFrom(() => checkExpiry('x', model, START_MS - 1))).to.equal(undefined)
    expect(codeFrom(() => checkExpiry('x', model, START_MS))).to.equal('METADATA_EXPIRED')
  })
})

describe('validity of a timestamp', () => {
  const take = (days: number, extraMs: number, policyDays?: number) => {
    const policy = { profile: 'tuf-swarm/1', name: 'x', origins: [], staleGraceDays: 1 }
    const extra =
      policyDays === undefined
        ? {}
        : { extra: { 'x-catalog': { ...policy, maxTimestampDays: policyDays } } }
    const origin = createSignedOrigin()
    origin.publishRoot(1, extra)
    const root = acceptEmbeddedRoot(origin.files.get('1.root.json') ?? new Uint8Array(), strict)
    origin.publishSet(1, { expiresMs: { timestamp: START_MS + days * DAY_MS + extraMs } })
    const bytes = origin.files.get('timestamp.json') ?? new Uint8Array()
    return (rules: typeof strict) => codeFrom(() => acceptTimestamp(root, noFloors, bytes, rules))
  }
  it('is at most 14 days from its signing where the root says nothing', () => {
    expect(take(14, 0)(strict)).to.equal(undefined)
    expect(take(14, 1000)(strict)).to.equal('VALIDITY_TOO_LONG')
    expect(take(14, 1000)(plain)).to.equal(undefined)
  })
  it('is at most what the root says', () => {
    expect(take(3, 0, 3)(strict)).to.equal(undefined)
    expect(take(3, 1000, 3)(strict)).to.equal('VALIDITY_TOO_LONG')
  })
  it('cannot be judged without the time of signing', () => {
    const set = setOf(1, { extra: { timestamp: { 'x-issued': undefined } } })
    expect(set.takeTimestamp({})).to.equal('METADATA_MALFORMED')
    expect(set.takeTimestamp({}, plain)).to.equal(undefined)
    expect(set.timestamp.issuedMs).to.equal(undefined)
  })
  it('reads the time of signing and the timestamp before', () => {
    const previous = { version: 1, sha256: 'ab'.repeat(32) }
    const set = setOf(2, {
      extra: { timestamp: { 'x-prev': previous, 'x-issued': formatTime(START_MS + 5000) } },
    })
    expect(set.timestamp.issuedMs).to.equal(START_MS + 5000)
    expect(set.timestamp.previous).to.deep.equal({ version: 1, content: previous.sha256 })
    expect(setOf(1).timestamp.previous).to.equal(undefined)
  })
})
