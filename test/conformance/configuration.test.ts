/** The settings and defaults in docs/configuration.md are those of the program. */
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { parseConfig } from '../../src/config.ts'

const MINIMAL = 'network: home\norigin: {urls: ["https://origin.example/"]}\napps: {notes: {}}\n'

/** Every leaf of the configuration by its dotted path; the id of an app is written `<id>`. */
function leavesOf(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = path === 'apps' ? '<id>' : key
    return leavesOf(inner, path === '' ? name : `${path}.${name}`)
  })
}

/** How the document writes a default. */
function written(path: string, value: unknown): string {
  if (path === 'network' || path === 'origin.urls') return 'required'
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'none'
  if (path === 'catalog.refreshInterval') return `\`${Number(value) / 60_000}m\``
  if (path === 'orchestrator.reconcileInterval') return `\`${Number(value) / 1000}s\``
  if (path === 'storage.scrubInterval') return `\`${Number(value) / 3_600_000}h\``
  if (path === 'storage.minimumFree') return `\`${Number(value) / 2 ** 30}GiB\``
  return `\`${Array.isArray(value) ? value.join(', ') : String(value)}\``
}

describe('docs/configuration.md', () => {
  it('lists every setting with its default, and no other', async () => {
    const rows = (await readFile('docs/configuration.md', 'utf8'))
      .split('## Folders')[0]
      ?.matchAll(/^\| `([^`]+)` *\| (.+?) *\|/gm)
    const documented = [...(rows ?? [])].map(row => [row[1], row[2]])
    const config = parseConfig(MINIMAL, 'config.yaml')
    const expected = leavesOf(config, '').map(([path, value]) => [path, written(path, value)])
    expect(documented.sort()).to.deep.equal(expected.sort())
  })
})
