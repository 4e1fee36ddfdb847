/** Every error code that the program throws is in the table of CONTRIBUTING.md, once, and every code there exists. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'

const DECLARATION = /extends NodeError<([^>]*)>/g

async function declaredCodes(): Promise<readonly string[]> {
  const codes: string[] = []
  for (const folder of ['src', 'swarm', 'catalog', 'orchestrator', 'systemd']) {
    for (const name of await readdir(folder, { recursive: true })) {
      if (!name.endsWith('.ts')) continue
      const text = await readFile(join(folder, name), 'utf8')
      for (const match of text.matchAll(DECLARATION)) {
        codes.push(...[...(match[1] ?? '').matchAll(/'([A-Z0-9_]+)'/g)].map(m => m[1] ?? ''))
      }
    }
  }
  return codes.sort()
}

async function documentedCodes(): Promise<readonly string[]> {
  const text = await readFile('CONTRIBUTING.md', 'utf8')
  return [...text.matchAll(/^\| `([A-Z0-9_]+)` *\|/gm)].map(match => match[1] ?? '').sort()
}

describe('error codes', () => {
  it('are unique across the program', async () => {
    const codes = await declaredCodes()
    expect(codes.filter((code, i) => codes[i + 1] === code)).to.deep.equal([])
  })
  it('stand in the table of CONTRIBUTING.md, and nothing else does', async () => {
    expect(await documentedCodes()).to.deep.equal(await declaredCodes())
  })
})
