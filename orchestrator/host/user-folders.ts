/** Folders whose files belong to users of containers: only inside the user namespace may this user touch them. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FileError } from '../../src/core/files.ts'
import type { Podman } from '../ports.ts'
import { commandFailed, run, runOrThrow } from './run.ts'

/** A terabyte on a slow disk takes hours; nobody waits for it on a terminal. */
const COPY_TIMEOUT_MS = 12 * 3_600_000
const WALK_TIMEOUT_MS = 30 * 60_000

export const userFolders: Pick<
  Podman,
  'copyFolder' | 'removeFolder' | 'folderBytes' | 'sharesBlocks'
> = {
  // Adopted data is behind a link: `-H` and `--dereference-args` follow the one that is named, and none inside.
  async copyFolder(from, to) {
    const argv = [
      ...['podman', 'unshare', 'cp', '--archive', '-H', '--reflink=auto'],
      ...['--', from, to],
    ]
    const result = await run(argv, { timeoutMs: COPY_TIMEOUT_MS })
    if (result.code === 0) return
    const failure = commandFailed(argv, result)
    if (!/no space left on device|disk quota exceeded/i.test(result.stderr)) throw failure
    throw new FileError('DISK_FULL', `no space left to copy ${from}`, { cause: failure })
  },
  async removeFolder(path) {
    await runOrThrow(['podman', 'unshare', 'rm', '--recursive', '--force', '--', path], {
      timeoutMs: WALK_TIMEOUT_MS,
    })
  },
  async folderBytes(path) {
    const argv = [
      'podman',
      'unshare',
      'du',
      '--dereference-args',
      '--summarize',
      '--block-size=1',
      '--',
      path,
    ]
    const result = await run(argv, { timeoutMs: WALK_TIMEOUT_MS })
    if (result.code === 0) return Number.parseInt(result.stdout, 10)
    if (/No such file or directory/.test(result.stderr)) return 0
    throw commandFailed(argv, result)
  },
  async sharesBlocks(folder) {
    const probe = join(folder, '.shares-blocks')
    try {
      await writeFile(probe, 'a')
      const words = ['cp', '--reflink=always', '--', probe, `${probe}.copy`]
      return (await run(words)).code === 0
    } finally {
      await rm(probe, { force: true })
      await rm(`${probe}.copy`, { force: true })
    }
  },
}
