import { expect } from 'chai'
import { appPath, appTargetOf, readAppTarget } from '../../../catalog/app-target.ts'
import { isAppId, isLabel, isVersion } from '../../../catalog/manifest/names.ts'
import { appId, label, version } from '../../../catalog/manifest/values.ts'
import { parseDigest, parseSha256 } from '../../../src/core/digest.ts'

const path = appPath('core', 'hello', 'stable')
const HEX = 'ab'.repeat(32)
const manifest = {
  blake3: parseDigest(`blake3:${HEX}`),
  sha256: parseSha256(`sha256:${HEX}`),
  size: 100,
  mediaType: 'application/json',
}
const release = (seq: number) => ({ seq, version: `1.${seq}`, totalSize: 10 * seq, manifest })
const rollout = {
  salt: 'salt',
  startMs: 1_700_000_000_000,
  steps: [
    [0, 1],
    [60, 100],
  ] as const,
  halted: false,
}
const fields = {
  head: release(3),
  next: { release: release(4), rollout },
  older: [release(1), release(2)],
  floor: 1,
  yanked: [{ seq: 2, severity: 'high', action: 'replace', reason: 'loses data' }] as const,
  rollbackTo: { from: [9], to: 3, dataCompatible: true },
}

/** The entry with everything, and `value` at `where` (a path with dots) or, with `undefined`, nothing there. */
function readWith(where: string, value: unknown) {
  const target = JSON.parse(JSON.stringify(appTargetOf(fields)))
  const keys = where.split('.')
  const last = keys.pop() ?? ''
  let place = target
  for (const key of keys) place = place[key]
  if (value === undefined) delete place[last]
  else place[last] = value
  return readAppTarget(path, target)
}

const other = { ...release(1), blake3: manifest.blake3, sha256: HEX, length: 100 }
const yank = fields.yanked[0]
const steps = (count: number) => Array.from({ length: count }, (_, index) => [index, index])
const many = (count: number, item: unknown) => Array.from({ length: count }, () => item)
const MAX = Number.MAX_SAFE_INTEGER
/** Beside each place: what is just allowed there, and what just is not. */
const bounds: readonly (readonly [where: string, allowed: unknown[], refused: unknown[]])[] = [
  ['length', [0, 1024 * 1024], [-1, 1024 * 1024 + 1, 1.5, '1']],
  ['hashes.sha256', [HEX], [undefined, HEX.slice(1), `${HEX}a`, HEX.toUpperCase(), 1]],
  ['custom.v', [1], [undefined, 0, 2, '1']],
  ['custom.blake3', [`blake3:${HEX}`], [undefined, HEX, `blake3:${HEX}a`, `sha256:${HEX}`, null]],
  ['custom.mediaType', ['a', 'a'.repeat(255)], [undefined, '', 'a'.repeat(256), 7]],
  ['custom.release', [{ seq: 1, version: '1', totalSize: 0, more: 1 }], [undefined, null, [], 'a']],
  ['custom.release.seq', [1, MAX], [undefined, 0, MAX + 1, 1.5, '1']],
  ['custom.release.totalSize', [0, MAX], [undefined, -1, MAX + 1, 0.5, null]],
  [
    'custom.release.version',
    ['1', '1'.repeat(64), 'a.B+c_d-1'],
    [undefined, '', '1'.repeat(65), 'a', '-1', '1 ', '1\n', 1],
  ],
  ['custom.older', [undefined, [], many(64, other)], [null, {}, many(65, other)]],
  ['custom.older.1.blake3', [`blake3:${HEX}`], [undefined, HEX]],
  ['custom.older.1.sha256', [HEX], [undefined, `sha256:${HEX}`]],
  ['custom.older.1.length', [0, 1024 * 1024], [undefined, -1, 1024 * 1024 + 1]],
  ['custom.older.1.seq', [1], [undefined, 0]],
  ['custom.older.1.version', ['1'], [undefined, 'a']],
  ['custom.older.1.totalSize', [0], [undefined, -1]],
  ['custom.older.1', [other], [null, 1, []]],
  ['custom.floor', [undefined, 0, MAX], [null, -1, 0.5, MAX + 1]],
  ['custom.next', [undefined, null], [false, [], {}]],
  ['custom.next.blake3', [`blake3:${HEX}`], [undefined, HEX]],
  ['custom.next.rollout', [], [undefined, null, []]],
  ['custom.next.rollout.salt', ['a', 'a'.repeat(64)], [undefined, '', 'a'.repeat(65)]],
  [
    'custom.next.rollout.start',
    ['2026-02-28T00:00:00Z'],
    [undefined, '2026-02-30T00:00:00Z', '2026-02-28', 0],
  ],
  ['custom.next.rollout.halted', [true, false], [undefined, 0, null]],
  ['custom.next.rollout.steps', [steps(1), steps(32)], [undefined, [], steps(33), {}]],
  [
    'custom.next.rollout.steps.1',
    [
      [1, 1],
      [60, 100],
    ],
    [[0, 1], [1, 0], [1, 101], [60], [60, 100, 1], [1.5, 2], [60, '100'], 60, null],
  ],
  ['custom.next.rollout.steps.0', [[0, 0]], [[-1, 0], [0, -1], []]],
  ['custom.yanked', [undefined, [], many(64, yank)], [null, {}, many(65, yank)]],
  ['custom.yanked.0', [yank], [null, 1]],
  ['custom.yanked.0.seq', [1], [undefined, 0]],
  ['custom.yanked.0.severity', ['low', 'high', 'critical'], [undefined, 'medium', 1]],
  ['custom.yanked.0.action', ['warn', 'stop-new', 'replace'], [undefined, 'toString', null]],
  ['custom.yanked.0.reason', ['', 'a'.repeat(500)], [undefined, 'a'.repeat(501), 1]],
  ['custom.rollbackTo', [undefined, null], [[], 3, {}]],
  ['custom.rollbackTo.from', [[1], many(64, 1)], [undefined, [], many(65, 1), [0], 1]],
  ['custom.rollbackTo.to', [1], [undefined, 0]],
  ['custom.rollbackTo.dataCompatible', [true, false], [undefined, 1]],
]

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 40)

describe('readAppTarget', () => {
  it('reads back everything that a target says', () => {
    const place = { publisher: 'core', app: 'hello', channel: 'stable' }
    const entry = (seq: number) => ({ ...place, ...release(seq) })
    expect(readAppTarget(path, JSON.parse(JSON.stringify(appTargetOf(fields))))).to.deep.equal({
      kind: 'offer',
      offer: {
        ...place,
        head: entry(3),
        next: { entry: entry(4), rollout },
        older: [entry(1), entry(2)],
        floor: 1,
        yanked: fields.yanked,
        rollbackTo: fields.rollbackTo,
      },
    })
  })

  it('has defaults for what is left out', () => {
    const read = readAppTarget(path, appTargetOf({ head: release(3) }))
    expect(read.kind === 'offer' && read.offer).to.deep.include({
      next: undefined,
      older: [],
      floor: 0,
      yanked: [],
      rollbackTo: undefined,
    })
  })

  it('leaves out fields that it does not know', () => {
    const read = readWith('custom.yanked', [{ ...yank, more: 1 }])
    expect(read.kind === 'offer' && read.offer.yanked).to.deep.equal(fields.yanked)
  })

  for (const [where, allowed, refused] of bounds) {
    for (const value of allowed) {
      it(`takes ${shown(value)} as ${where}`, () => {
        expect(readWith(where, value)).to.have.property('kind', 'offer')
      })
    }
    for (const value of refused) {
      it(`refuses ${shown(value)} as ${where}, and names the field`, () => {
        const named = where.replaceAll(/\.(\d+)/g, '[$1]')
        const read = readWith(where, value)
        const why = read.kind === 'refused' ? read.why : ''
        expect(why.slice(0, named.length)).to.equal(named)
      })
    }
  }

  it('refuses an entry without anything of ours', () => {
    const read = readAppTarget(path, { length: 1, hashes: { sha256: HEX } })
    expect(read.kind === 'refused' && read.why).to.include('custom must be an object')
  })

  const good = appTargetOf({ head: release(1) })
  const paths: readonly (readonly [path: string, kind: string])[] = [
    [`apps/z${'a'.repeat(63)}.hello/stable`, 'offer'],
    [`apps/z${'a'.repeat(64)}.hello/stable`, 'refused'],
    ['apps/1a.hello/stable', 'refused'],
    ['apps/core.hello-pod/stable', 'refused'],
    ['apps/core.hello/a-', 'refused'],
    ['apps/core.hello', 'other'],
    ['apps/core.hello/stable/more', 'other'],
    ['apps/core.a.b/stable', 'other'],
    ['apps/hello/stable', 'other'],
    ['App/core.hello/stable', 'other'],
  ]
  for (const [each, kind] of paths) {
    it(`reads ${each.slice(0, 40)} (${each.length}) as ${kind}`, () => {
      expect(readAppTarget(each, good)).to.have.property('kind', kind)
    })
  }
})

describe('names of apps, channels and versions', () => {
  const names = ['', 'a', 'ab', 'a'.repeat(32), 'a'.repeat(33), 'a'.repeat(40), 'a'.repeat(41)]
  const odd = ['a-b', 'a--b', 'a-', '-a', '1a', 'a1', 'A1', 'aB', 'x-pod', 'x-infra', 'x-volume']
  const more = ['x-network', 'a.b1', 'a_1', 'a\n', 'a1\n', '1+a', '.1', '1'.repeat(64)]
  for (const text of [...names, ...odd, ...more, '1'.repeat(65), `a${'-'.repeat(31)}`, 'ä1']) {
    it(`are the ones of a manifest: ${JSON.stringify(text)}`, () => {
      expect(isAppId(text)).to.equal(appId.safeParse(text).success)
      expect(isLabel(text)).to.equal(label.safeParse(text).success)
      expect(isLabel(text)).to.equal(/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(text))
      expect(isVersion(text)).to.equal(version.safeParse(text).success)
    })
  }
})
