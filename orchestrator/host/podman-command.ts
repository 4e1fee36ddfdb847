/** What Podman's REST interface cannot do, by its command line: layouts, checks of the storage, the user namespace. */
import { FileError } from '../../src/core/files.ts'
import type { Podman } from '../ports.ts'
import { commandFailed, run, runOrThrow } from './run.ts'

/** A gigabyte of layers took up to 18 s on the test machine; a slow board with an SD card needs far longer. */
const LOAD_TIMEOUT_MS = 60 * 60_000
const CHECK_TIMEOUT_MS = 30 * 60_000

type Commands = Pick<Podman, 'loadLayout' | 'damage' | 'repair' | 'ownFolder'>

export const podmanCommands: Commands = {
  async loadLayout(folder, name, signal) {
    const argv = ['podman', 'pull', '--quiet', `oci:${folder}:${name}`]
    const result = await run(argv, {
      timeoutMs: LOAD_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    })
    if (result.code === 0) return
    const failure = commandFailed(argv, result)
    if (!/no space left on device|disk quota exceeded/i.test(result.stderr)) throw failure
    throw new FileError('DISK_FULL', `no space left for the image ${name} in container storage`, {
      cause: failure,
    })
  },
  async damage() {
    const result = await run(['podman', 'system', 'check', '--quick'], {
      timeoutMs: CHECK_TIMEOUT_MS,
    })
    if (result.code === 0) return []
    return `${result.stdout}\n${result.stderr}`.split('\n').filter(line => line.trim() !== '')
  },
  async repair() {
    // Ends with an error although it repaired: `damage` tells whether it worked.
    await run(['podman', 'system', 'check', '--quick', '--repair'], { timeoutMs: CHECK_TIMEOUT_MS })
  },
  async ownFolder(path, uid, gid, mode) {
    await runOrThrow(['podman', 'unshare', 'chmod', mode, path])
    await runOrThrow(['podman', 'unshare', 'chown', `${uid}:${gid}`, path])
  },
}
