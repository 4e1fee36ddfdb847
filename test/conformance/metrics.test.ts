/** The table in docs/metrics.md is what the program measures. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { METRICS } from '../../src/metrics.ts'

describe('docs/metrics.md', () => {
  it('lists every metric with its type, labels and meaning, and no other', async () => {
    const rows = (await readFile('docs/metrics.md', 'utf8')).matchAll(
      /^\| `([^`]+)` *\| (\w+) *\| (.+?) *\| (.+?) *\|$/gm,
    )
    const documented = [...rows].map(row => row.slice(1, 5))
    const expected = METRICS.map(({ name, type, labels, help }) => [
      name,
      type,
      labels.length === 0 ? 'none' : labels.map(label => `\`${label}\``).join(', '),
      help,
    ])
    expect(documented).to.deep.equal(expected)
  })
})
