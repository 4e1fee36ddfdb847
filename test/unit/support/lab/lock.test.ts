import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { runCommand } from '../../../support/lab/command.ts'
import { openLock } from '../../../support/lab/lock.ts'

describe('a lock between processes', () => {
  it('is held until it is disposed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lock-'))
    const path = join(folder, 'deep', 'lock')
    const tryLock = async () => (await runCommand(['flock', '-n', path, 'true'])).code
    {
      await using _lock = await openLock(path)
      expect(await tryLock()).to.equal(1)
    }
    expect(await tryLock()).to.equal(0)
    await rm(folder, { recursive: true })
  })
})
