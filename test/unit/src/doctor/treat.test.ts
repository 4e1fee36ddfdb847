import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { run } from '../../../../orchestrator/index.ts'
import type { Diagnosis, Remedy, Result } from '../../../../src/doctor/check.ts'
import { treat } from '../../../../src/doctor/treat.ts'
import { makeTempFolder } from '../../../support/temp-folder.ts'

function result(...fixes: readonly Remedy[]): Result {
  const findings = fixes.map(
    (fix): Diagnosis => ({ code: 'x', severity: 'error', text: 'x', evidence: [], fix }),
  )
  return { id: 'x', must: 'x', measured: 'x', findings }
}

describe('archy doctor --fix', () => {
  it('does each safe step of the owner once, goes on after one that fails, and leaves the rest', async () => {
    await using folder = await makeTempFolder()
    const path = join(folder.path, 'a', 'b')
    const file = join(folder.path, 'file')
    const forbidden = join(folder.path, 'forbidden')
    const make: Remedy = { by: 'owner', isSafe: true, steps: [{ kind: 'folder', path }] }
    const done = await treat(
      [
        result(make, { by: 'owner', isSafe: true, steps: [{ kind: 'run', argv: ['false'] }] }),
        result(make, {
          ...{ by: 'owner', isSafe: true },
          steps: [{ kind: 'write', path: file, text: 'text' }],
        }),
        result(
          { by: 'root', isSafe: true, steps: [{ kind: 'folder', path: forbidden }] },
          { by: 'owner', isSafe: false, steps: [{ kind: 'folder', path: forbidden }] },
        ),
      ],
      run,
    )
    expect(done.map(({ did, failure }) => [did.split('\n')[0], failure])).to.deep.equal([
      [`mkdir -p ${path}`, undefined],
      ['false', 'ended with 1'],
      [`write ${file}:`, undefined],
    ])
    expect((await stat(path)).isDirectory()).to.equal(true)
    expect(await readFile(file, 'utf8')).to.equal('text')
    expect(await stat(forbidden).catch(() => 'none')).to.equal('none')
  })
})
