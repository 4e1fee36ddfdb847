import { expect } from 'chai'
import { encodeFloors, parseFloors } from '../../../../catalog/floors-file.ts'
import { acceptEmbeddedRoot } from '../../../../catalog/trust/accept.ts'
import {
  type Floors,
  floorsUnder,
  noFloors,
  raiseByRole,
  raiseBySnapshot,
  raiseByTimestamp,
} from '../../../../catalog/trust/floors.ts'
import type {
  MetaModel,
  RootModel,
  SnapshotModel,
  TargetsModel,
  TimestampModel,
} from '../../../../catalog/trust/model.ts'
import {
  createSignedOrigin,
  type Keys,
  makeKey,
  makeKeys,
  type RootOptions,
} from '../../../support/catalog/signed-origin.ts'

const meta = (version: number): MetaModel => ({
  version,
  length: undefined,
  hashes: new Map(),
  blake3: undefined,
})
const timestamp = (version: number, snapshot: number, content: string, issuedMs?: number) =>
  ({ version, snapshot: meta(snapshot), content, issuedMs }) as TimestampModel
const snapshot = (version: number, roles: Record<string, number>, content: string) =>
  ({
    version,
    content,
    meta: new Map(Object.entries(roles).map(([role, seen]) => [role, meta(seen)])),
  }) as unknown as SnapshotModel
const role = (version: number, content: string) => ({ version, content }) as TargetsModel

function rootOf(version: number, keys: Keys, options: RootOptions = {}): RootModel {
  const bytes = createSignedOrigin(keys).publishRoot(version, options)
  return acceptEmbeddedRoot(bytes, { strict: true })
}

describe('floors', () => {
  it('rise with what was seen', () => {
    const floors = raiseByTimestamp(noFloors, timestamp(3, 2, 'aa', 1000))
    expect(floors.timestamp).to.deep.equal({ version: 3, content: 'aa' })
    expect(floors.snapshot).to.deep.equal({ version: 2, content: undefined })
    expect(floors.issuedMs).to.equal(1000)
    const more = raiseBySnapshot(floors, snapshot(2, { targets: 7, 'pub-a': 1 }, 'bb'))
    expect(more.snapshot).to.deep.equal({ version: 2, content: 'bb' })
    expect([...more.roles]).to.deep.equal([
      ['targets', { version: 7, content: undefined }],
      ['pub-a', { version: 1, content: undefined }],
    ])
    expect(more.timestamp).to.deep.equal(floors.timestamp)
    const last = raiseByRole(more, 'targets', role(7, 'cc'))
    expect(last.roles.get('targets')).to.deep.equal({ version: 7, content: 'cc' })
    expect(last.roles.get('pub-a')).to.deep.equal({ version: 1, content: undefined })
    expect(more.roles.get('targets')?.content).to.equal(undefined)
  })

  it('never fall, and keep the content that was seen first', () => {
    const high = raiseByTimestamp(noFloors, timestamp(3, 3, 'aa', 1000))
    const same = raiseByTimestamp(high, timestamp(3, 3, 'zz', 900))
    expect(same).to.deep.equal(high)
    expect(raiseByTimestamp(high, timestamp(2, 2, 'zz'))).to.deep.equal(high)
    const listed = raiseBySnapshot(high, snapshot(3, { targets: 5 }, 'bb'))
    const lower = raiseBySnapshot(listed, snapshot(2, { targets: 4 }, 'zz'))
    expect(lower).to.deep.equal(listed)
    const known = raiseByRole(listed, 'targets', role(5, 'cc'))
    expect(raiseBySnapshot(known, snapshot(3, { targets: 5 }, 'bb'))).to.deep.equal(known)
    expect(raiseByRole(known, 'targets', role(4, 'zz'))).to.deep.equal(known)
  })

  describe('under another root', () => {
    const keys = makeKeys()
    const seen: Floors = {
      ...floorsUnder(rootOf(3, keys), noFloors),
      issuedMs: 1000,
      timestamp: { version: 9, content: 'aa' },
      roles: new Map([['targets', { version: 9, content: 'aa' }]]),
    }

    it('stay when it has the same online keys', () => {
      const under = floorsUnder(rootOf(4, keys), seen)
      expect(under).to.deep.equal({ ...seen, root: 4 })
    })
    it('stay when only root and targets keys are others', () => {
      const others = { ...keys, root: [makeKey()], targets: [makeKey()] }
      expect(floorsUnder(rootOf(4, others), seen)).to.deep.equal({ ...seen, root: 4 })
    })
    for (const which of ['timestamp', 'snapshot'] as const) {
      it(`go when the ${which} key is another`, () => {
        const under = floorsUnder(rootOf(4, { ...keys, [which]: [makeKey()] }), seen)
        expect(under).to.deep.equal({ ...noFloors, root: 4, online: under.online })
        expect(under.online).not.to.equal(seen.online)
      })
    }
    it('go when a threshold is another', () => {
      const two = { ...keys, timestamp: [...keys.timestamp, makeKey()] }
      const before = floorsUnder(rootOf(3, two), noFloors)
      const after = floorsUnder(rootOf(4, two, { thresholds: { timestamp: 2 } }), before)
      expect(after.online).not.to.equal(before.online)
    })
    it('stay at a root as high as the highest, and are not touched by a lower one', () => {
      expect(floorsUnder(rootOf(3, keys), seen)).to.deep.equal(seen)
      const lower = rootOf(2, { ...keys, timestamp: [makeKey()] })
      expect(floorsUnder(lower, seen)).to.equal(seen)
    })
    it('do not depend on the order or the ids of keys', () => {
      const [a, b] = [makeKey(), makeKey()]
      const one = floorsUnder(rootOf(3, { ...keys, timestamp: [a, b] }), noFloors)
      const renamed = [b, { ...a, keyId: 'ff'.repeat(32) }]
      const two = floorsUnder(rootOf(3, { ...keys, timestamp: renamed }), noFloors)
      expect(two.online).to.equal(one.online)
    })
  })
})

describe('the floors file', () => {
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
  const least = { root: 1, online: '', roles: [] }

  it('is read without the fields that older files lack', () => {
    expect(parseFloors(bytes(least))).to.deep.equal(noFloors)
  })
  it('has room for every role name that a snapshot may list', () => {
    const name = 'a'.repeat(128)
    const floors = raiseBySnapshot(noFloors, snapshot(1, { [name]: 1 }, 'aa'))
    expect(parseFloors(encodeFloors(floors))?.roles.get(name)?.version).to.equal(1)
  })
  const damaged: readonly unknown[] = [
    '{',
    { ...least, root: 0 },
    { ...least, issuedMs: -1 },
    { ...least, timestamp: { version: 0 } },
    { ...least, roles: [['targets', { version: 1.5 }]] },
    { ...least, more: 1 },
    { root: 1, online: '' },
  ]
  for (const value of damaged) {
    it(`is damaged when it is ${JSON.stringify(value)}`, () => {
      const text = typeof value === 'string' ? Buffer.from(value) : bytes(value)
      expect(parseFloors(text)).to.equal(undefined)
    })
  }
})
