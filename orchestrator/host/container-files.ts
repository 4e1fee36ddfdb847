/** Files into data sets and containers, by Podman's command line: its REST interface has neither the namespace nor images to copy from. */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { Podman } from '../ports.ts'
import { run, runOrThrow } from './run.ts'

const PLACE_FILE = fileURLToPath(new URL('./place-file-main.ts', import.meta.url))
const COPY_TIMEOUT_MS = 10 * 60_000

export const containerFiles: Pick<Podman, 'placeFile' | 'copyFromImage'> = {
  async placeFile(folder, file) {
    await runOrThrow(['podman', 'unshare', process.execPath, PLACE_FILE], {
      input: Buffer.from(JSON.stringify({ folder, ...file }), 'utf8'),
    })
  },
  async copyFromImage(imageId, from, container, to) {
    // Never started: it only lends the files of its image.
    const lender = `archy-lender-${randomBytes(6).toString('hex')}`
    await runOrThrow(['podman', 'create', '--pull=never', '--name', lender, imageId, 'none'])
    try {
      await runOrThrow(['podman', 'cp', `${lender}:${from}`, `${container}:${to}`], {
        timeoutMs: COPY_TIMEOUT_MS,
      })
    } finally {
      await run(['podman', 'rm', '--force', '--ignore', lender])
    }
  },
}
