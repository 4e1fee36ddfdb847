import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { isDelegated, matchesPath } from '../../../../catalog/trust/lookup.ts'

describe('matchesPath', () => {
  const matching: readonly (readonly [string, string])[] = [
    ['apps/core.*/*', 'apps/core.hello/stable'],
    ['*', '.hidden'],
    ['a*c', 'abbc'],
    ['a*b*c', 'aXbXbXc'],
    ['foo-?.tgz', 'foo-1.tgz'],
    ['', ''],
  ]
  for (const [pattern, path] of matching) {
    it(`"${pattern}" matches "${path}"`, () => expect(matchesPath(pattern, path)).to.equal(true))
  }

  const other: readonly (readonly [string, string])[] = [
    ['*', 'a/b'],
    ['apps/core.*/*', 'apps/corex.hello/stable'],
    ['apps/core.*/*', 'apps/core.hello'],
    ['a*c', 'abb'],
    ['foo-?.tgz', 'foo-.tgz'],
    ['FOO', 'foo'],
    ['{a,b}', 'a'],
  ]
  for (const [pattern, path] of other) {
    it(`"${pattern}" does not match "${path}"`, () =>
      expect(matchesPath(pattern, path)).to.equal(false))
  }

  it('takes no more than a moment for a pattern made to be slow', () => {
    const started = performance.now()
    expect(matchesPath('*a'.repeat(2000), 'a'.repeat(3999))).to.equal(true)
    expect(matchesPath(`${'*a'.repeat(2000)}b`, 'a'.repeat(4000))).to.equal(false)
    expect(performance.now() - started).to.be.below(1000)
  })
})

describe('isDelegated', () => {
  it('takes the beginning of the hash of a path, and no other part of it', () => {
    const hash = createHash('sha256').update('some/path').digest('hex')
    const has = (prefix: string) =>
      isDelegated(
        {
          name: 'x',
          threshold: 1,
          keys: new Map(),
          terminating: false,
          paths: [],
          pathHashPrefixes: [prefix],
        },
        'some/path',
      )
    expect(has(hash.slice(0, 8))).to.equal(true)
    expect(has(hash.slice(8, 20))).to.equal(false)
  })
})
