/** Runs a script in a mount namespace of its own, so that the file systems it mounts go away with it. */
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** `undefined` when file systems can be mounted here; otherwise what is missing. */
export function missingForMounts(): string | undefined {
  if (process.getuid?.() !== 0) return 'root'
  const script = 'mount -t tmpfs none /mnt && truncate -s 8M /mnt/i && mkfs.ext4 -q /mnt/i'
  const tried = spawnSync('unshare', [
    '--mount',
    'sh',
    '-c',
    `${script} && mount -o loop /mnt/i /mnt`,
  ])
  return tried.status === 0 ? undefined : 'mount namespaces, mkfs.ext4 or loop devices'
}

/** Runs a script of this folder as root in a new mount namespace; its last line of output is JSON. */
export async function runWithMounts(script: string, args: readonly string[]): Promise<unknown> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const command = ['--mount', process.execPath, path, ...args]
  const { stdout } = await promisify(execFile)('unshare', command)
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}
