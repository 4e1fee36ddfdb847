/** The verifier without our profile: what the TUF conformance suite asks of any client, beyond the recorded runs. */
import { expect } from 'chai'
import { createMemoryStore } from '../../../../catalog/cache.ts'
import { noFloors } from '../../../../catalog/trust/floors.ts'
import { loadTrusted } from '../../../../catalog/trust/load.ts'
import { findTarget } from '../../../../catalog/trust/lookup.ts'
import { refreshTrusted, type TrustDeps } from '../../../../catalog/trust/refresh.ts'
import type { Store } from '../../../../catalog/trust/store.ts'
import { codeOf } from '../../../../src/core/errors.ts'
import {
  createSignedOrigin,
  makeKey,
  type SetOptions,
  START_MS,
  type TestKey,
  type TestRole,
} from '../../../support/catalog/signed-origin.ts'

const rules = { strict: false }
const target = { length: 1, hashes: { sha256: 'ab'.repeat(32) } }
const key = makeKey()

function role(name: string, paths: readonly string[], more: Partial<TestRole> = {}): TestRole {
  return { name, keys: [key], paths, ...more }
}

/** A client of an origin with these roles; `asked` are the role files that lookups fetched, in order. */
async function clientOf(options: SetOptions) {
  const origin = createSignedOrigin()
  origin.publishSet(1, { targets: {}, ...options })
  const memory = createMemoryStore(new Map(), noFloors)
  const asked: string[] = []
  const opened: string[] = []
  const store: Store = {
    ...memory,
    get(role, version) {
      opened.push(role)
      return memory.get(role, version)
    },
  }
  const deps: TrustDeps = {
    store,
    rules,
    nowMs: () => START_MS,
    source: {
      async get(name) {
        if (/^1\.(?!targets|snapshot)/.test(name)) asked.push(name)
        return origin.files.get(decodeURIComponent(name))
      },
    },
  }
  const embedded = origin.files.get('1.root.json') ?? new Uint8Array()
  const load = () => loadTrusted(store, embedded, rules)
  const trusted = await refreshTrusted(deps, load())
  opened.length = 0
  return {
    opened,
    origin,
    deps,
    trusted,
    asked,
    refresh: async () => refreshTrusted(deps, load()),
    find: async (path: string, within = trusted) => findTarget(deps, within, path),
  }
}

const codeOfAsync = async (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    error => codeOf(error) ?? String(error),
  )

describe('a plain TUF client: delegations', () => {
  const graphs: readonly (readonly [string, readonly TestRole[], string, readonly string[]])[] = [
    ['asks nobody when nobody is delegated', [], 'f', []],
    [
      'visits roles of one level in their order',
      [role('B', ['*']), role('A', ['*']), role('C', ['*'])],
      'f',
      ['B', 'A', 'C'],
    ],
    [
      'goes deep before it goes on',
      [
        role('A', ['*']),
        role('C', ['*'], { by: 'A' }),
        role('D', ['*'], { by: 'C' }),
        role('B', ['*']),
      ],
      'f',
      ['A', 'C', 'D', 'B'],
    ],
    [
      'stops behind a terminating role that matches',
      [role('A', ['*'], { terminating: true }), role('C', ['*'], { by: 'A' }), role('B', ['*'])],
      'f',
      ['A', 'C'],
    ],
    [
      'stops for all levels, also when the terminating role is deep',
      [
        role('A', ['*']),
        role('C', ['*'], { by: 'A', terminating: true }),
        role('E', ['*'], { by: 'A' }),
        role('D', ['*'], { by: 'C' }),
        role('B', ['*']),
      ],
      'f',
      ['A', 'C', 'D'],
    ],
    [
      'is not stopped by a terminating role that does not match',
      [role('A', ['other'], { terminating: true }), role('B', ['*'])],
      'f',
      ['B'],
    ],
    [
      'leaves out branches that do not match',
      [role('A', ['x*']), role('C', ['*'], { by: 'A' }), role('B', ['f'])],
      'f',
      ['B'],
    ],
    [
      'visits a role once, however many lead to it',
      [
        role('A', ['*']),
        role('B', ['*']),
        role('C', ['*'], { by: 'A' }),
        role('C', ['*'], { by: 'B' }),
      ],
      'f',
      ['A', 'C', 'B'],
    ],
    [
      'ends when roles delegate to each other',
      [role('A', ['*']), role('B', ['*'], { by: 'A' }), role('A', ['*'], { by: 'B' })],
      'f',
      ['A', 'B'],
    ],
    ['does not let a wildcard cross a slash', [role('A', ['*']), role('B', ['*/*'])], 'd/f', ['B']],
    [
      'takes a question mark for one character',
      [role('A', ['f?']), role('B', ['f??'])],
      'fa',
      ['A'],
    ],
    ['keeps capitals apart', [role('A', ['F']), role('B', ['f'])], 'f', ['B']],
    ['matches a slash with nothing but a slash', [role('A', ['d?f'])], 'd/f', []],
  ]
  for (const [what, roles, path, visited] of graphs) {
    it(what, async () => {
      const { find, asked, opened } = await clientOf({ roles })
      expect(await find(path)).to.equal(undefined)
      expect(opened).to.deep.equal(visited)
      expect(asked).to.deep.equal(visited.map(name => `1.${name}.json`))
    })
  }

  it('finds a target at the first role that has it', async () => {
    const roles = [
      role('A', ['*']),
      role('B', ['*'], { targets: { f: target } }),
      role('C', ['*'], { targets: { f: { ...target, length: 2 } } }),
    ]
    const { find, asked } = await clientOf({ roles })
    expect(await find('f')).to.deep.equal({ role: 'B', target })
    expect(asked).to.deep.equal(['1.A.json', '1.B.json'])
  })

  it('believes the top-level targets before any delegation', async () => {
    const roles = [role('A', ['*'], { targets: { f: { ...target, length: 2 } } })]
    const { find, asked } = await clientOf({ roles, targets: { f: target } })
    expect(await find('f')).to.deep.equal({ role: 'targets', target })
    expect(asked).to.deep.equal([])
  })

  it('does not believe a role for a path that is not delegated by all before it', async () => {
    const roles = [
      role('A', ['a*']),
      role('B', ['*'], { by: 'A', targets: { f: target, af: target } }),
    ]
    const { find } = await clientOf({ roles })
    expect(await find('f')).to.equal(undefined)
    expect((await find('af'))?.role).to.equal('B')
  })

  for (const path of ['constructor', '__proto__', '', '..', '/f', 'f/', 'toString']) {
    it(`finds nothing at ${JSON.stringify(path)}`, async () => {
      const { find } = await clientOf({ roles: [role('A', ['f'], { targets: { f: target } })] })
      expect(await find(path)).to.equal(undefined)
    })
  }

  it('opens at most 32 delegated roles', async () => {
    const roles = Array.from({ length: 40 }, (_, index) =>
      role(`r${index + 1}`, ['*'], {
        targets: index === 31 ? { last: target } : index === 32 ? { beyond: target } : {},
      }),
    )
    const { find } = await clientOf({ roles })
    expect((await find('last'))?.role).to.equal('r32')
    expect(await find('beyond')).to.equal(undefined)
  })

  it('follows hash prefixes', async () => {
    // SHA-256 of "f" begins with 252f10c8.
    const prefixed = (prefix: string) => ({
      delegations: {
        keys: { [key.keyId]: key.publicKey },
        roles: [
          {
            name: 'A',
            keyids: [key.keyId],
            threshold: 1,
            terminating: false,
            path_hash_prefixes: ['00', prefix],
          },
        ],
      },
    })
    const roles = [role('A', ['*'], { targets: { f: target } })]
    for (const [prefix, found] of [
      ['252f1', 'A'],
      ['252f2', undefined],
      ['52f10', undefined],
    ] as const) {
      const { find } = await clientOf({ roles, extra: { targets: prefixed(prefix) } })
      expect((await find('f'))?.role, prefix).to.equal(found)
    }
  })

  for (const name of ['?', '#', '/delegatedrole', '../delegatedrole', 'a b', '%2e', 'ä', 'A.b']) {
    it(`asks for a role named ${name} by a name that is one part of an address`, async () => {
      const { find, asked } = await clientOf({
        roles: [role(name, ['*'], { targets: { f: target } })],
      })
      expect((await find('f'))?.role).to.equal(name)
      expect(asked).to.deep.equal([`1.${encodeURIComponent(name)}.json`])
      expect(asked[0]).to.match(/^[^/?#]+$/)
    })
  }

  it('checks a role that it has against whoever delegates it now', async () => {
    const [a, b] = [makeKey(), makeKey()]
    const roles = [
      role('A', ['*']),
      role('B', ['*']),
      role('C', ['a*'], { by: 'A', keys: [a], targets: { af: target, bf: target } }),
      role('C', ['b*'], {
        by: 'B',
        keys: [b],
        signers: [a],
        targets: { af: target, bf: target },
      }),
    ]
    const { find } = await clientOf({ roles })
    expect((await find('af'))?.role).to.equal('C')
    expect(await codeOfAsync(find('bf'))).to.equal('SIGNATURE_THRESHOLD')
  })

  it('refuses a delegated role that the snapshot does not list, or the origin does not have', async () => {
    const { find, trusted } = await clientOf({ roles: [role('A', ['*'])] })
    const meta = new Map([...(trusted.snapshot?.meta ?? [])].filter(([name]) => name !== 'A'))
    const unlisted = { ...trusted, snapshot: trusted.snapshot && { ...trusted.snapshot, meta } }
    expect(await codeOfAsync(find('f', unlisted))).to.equal('METADATA_MISSING')
    const { find: other } = await clientOf({ roles: [role('A', ['*'], { isMissing: true })] })
    expect(await codeOfAsync(other('f'))).to.equal('METADATA_MISSING')
  })

  it('finds nothing before there is a snapshot or targets', async () => {
    const { find, trusted } = await clientOf({ targets: { f: target } })
    expect(await find('f', { ...trusted, targets: undefined })).to.equal(undefined)
    expect(await find('f', { ...trusted, snapshot: undefined })).to.equal(undefined)
  })
})

describe('a plain TUF client: signatures and time', () => {
  it('keeps a timestamp when another one has the same version', async () => {
    const { origin, trusted, refresh } = await clientOf({})
    origin.publishSet(1, { targets: {}, extra: { timestamp: { 'x-note': 'other' } } })
    expect((await refresh()).timestamp?.content).to.equal(trusted.timestamp?.content)
  })

  it('goes back to lower versions after the online keys were replaced', async () => {
    for (const which of ['timestamp', 'snapshot'] as const) {
      const { origin, refresh } = await clientOf({})
      origin.publishSet(Number.MAX_SAFE_INTEGER, { targets: {} })
      expect((await refresh()).timestamp?.version).to.equal(Number.MAX_SAFE_INTEGER)
      origin.publishSet(2, { targets: {} })
      expect(await codeOfAsync(refresh())).to.equal('VERSION_ROLLBACK')
      origin.publishRoot(2, { keys: { [which]: [makeKey()] } })
      origin.publishSet(2, { targets: {} })
      expect((await refresh()).targets?.version, which).to.equal(2)
    }
  })

  it('goes on past roots that are expired, to one that is not', async () => {
    const { origin, refresh } = await clientOf({})
    origin.publishRoot(2, { expiresMs: START_MS - 1000 })
    expect(await codeOfAsync(refresh())).to.equal('METADATA_EXPIRED')
    origin.publishRoot(3)
    expect((await refresh()).root.version).to.equal(3)
  })

  const five = Array.from({ length: 5 }, () => makeKey()) as TestKey[]
  for (const [count, code] of [
    [3, undefined],
    [2, 'SIGNATURE_THRESHOLD'],
    [5, undefined],
  ] as const) {
    it(`judges ${count} signatures of 5 keys where 3 are required`, async () => {
      for (const which of ['timestamp', 'snapshot', 'targets'] as const) {
        const { origin, refresh } = await clientOf({})
        origin.publishRoot(2, { keys: { [which]: five }, thresholds: { [which]: 3 } })
        origin.publishSet(2, { targets: {}, keys: { [which]: five.slice(5 - count) } })
        expect(await codeOfAsync(refresh()), which).to.equal(code)
      }
    })
  }

  it('does not count signatures of keys that were replaced', async () => {
    for (const which of ['timestamp', 'snapshot', 'targets'] as const) {
      const { origin, refresh } = await clientOf({})
      const old = origin.keys[which]
      origin.publishRoot(2, { keys: { [which]: [makeKey()] } })
      origin.publishSet(2, { targets: {}, keys: { [which]: old } })
      expect(await codeOfAsync(refresh()), which).to.equal('SIGNATURE_THRESHOLD')
    }
  })

  const rotations: readonly (readonly [string, number, number, readonly number[], boolean])[] = [
    // Before: keys 0 to 4. After: keys 2 to 6. Each with its threshold; who signs; whether it is taken.
    ['three of both', 3, 3, [2, 3, 4], true],
    ['three of the old and three of the new', 3, 3, [0, 1, 2, 5, 6], true],
    ['too few of the old', 3, 3, [4, 5, 6], false],
    ['too few of the new', 3, 3, [0, 1, 2], false],
    ['a higher threshold that is not reached', 1, 2, [2], false],
    ['a higher threshold that is reached', 1, 2, [2, 3], true],
    ['a lower threshold, with the old one reached', 2, 1, [0, 2], true],
    ['a lower threshold, with the old one not reached', 2, 1, [2], false],
  ]
  const seven = Array.from({ length: 7 }, () => makeKey()) as TestKey[]
  for (const [what, before, after, by, isTaken] of rotations) {
    it(`judges the rotation of a root signed by ${what}`, async () => {
      const origin = createSignedOrigin()
      const first = origin.publishRoot(1, {
        keys: { root: seven.slice(0, 5) },
        signers: seven.slice(0, 5),
        thresholds: { root: before },
      })
      origin.publishRoot(2, {
        keys: { root: seven.slice(2) },
        thresholds: { root: after },
        signers: by.map(index => seven[index] as TestKey),
      })
      origin.publishSet(1, { targets: {} })
      const store = createMemoryStore(new Map(), noFloors)
      const deps = { source: origin, store, rules, nowMs: () => START_MS }
      const code = await codeOfAsync(refreshTrusted(deps, loadTrusted(store, first, rules)))
      expect(code).to.equal(isTaken ? undefined : 'SIGNATURE_THRESHOLD')
    })
  }
})
