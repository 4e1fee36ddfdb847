import { expect } from 'chai'
import fc from 'fast-check'
import { unifiedDiff } from '../../../../src/commands/unified-diff.ts'

/** Applies a difference to the text that it was made from, checking every line that it shows. */
function apply(before: string, diff: string): string {
  const old = before === '' ? [] : before.replace(/\n$/, '').split('\n')
  const result: string[] = []
  let at = 0
  for (const line of diff.split('\n').slice(2, -1)) {
    const [, start, count] = /^@@ -(\d+),(\d+) /.exec(line) ?? []
    if (start !== undefined) {
      const next = Number(count) === 0 ? Number(start) : Number(start) - 1
      result.push(...old.slice(at, next))
      at = next
      continue
    }
    const text = line.slice(1)
    if (line[0] !== '+') {
      expect(old[at]).to.equal(text)
      at += 1
    }
    if (line[0] !== '-') result.push(text)
  }
  const whole = [...result, ...old.slice(at)]
  return whole.length === 0 ? '' : `${whole.join('\n')}\n`
}

const text = fc
  .array(fc.constantFrom('a', 'b', 'c', '', 'd'), { maxLength: 30 })
  .map(lines => lines.map(line => `${line}\n`).join(''))

describe('unifiedDiff', () => {
  it('says nothing of equal texts', () => {
    expect(unifiedDiff('x', 'a\n', 'a\n')).to.equal('')
  })

  it('shows three lines around a change, and where it is', () => {
    const before = 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n'
    expect(unifiedDiff('x', before, before.replace('five', '5'))).to.equal(
      '--- a/x\n+++ b/x\n@@ -2,7 +2,7 @@\n two\n three\n four\n-five\n+5\n six\n seven\n eight\n',
    )
  })

  it('shows a file that is new or gone', () => {
    expect(unifiedDiff('x', undefined, 'a\n')).to.equal(
      '--- /dev/null\n+++ b/x\n@@ -0,0 +1,1 @@\n+a\n',
    )
    expect(unifiedDiff('x', 'a\n', undefined)).to.equal(
      '--- a/x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n',
    )
  })

  it('leads from any text to any other', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = unifiedDiff('x', before, after)
        expect(diff === '' ? before : apply(before, diff)).to.equal(after)
      }),
      { numRuns: 200 },
    )
  })
})
