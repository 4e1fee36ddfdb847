/** Runs a script as its own process in a network namespace of its own, where every address can be given to the loopback device. */
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** `undefined` when network namespaces can be made here; otherwise what is missing. */
export function missingForNamespaces(): string | undefined {
  const tried = spawnSync('unshare', ['-rn', 'ip', 'link', 'set', 'lo', 'up'])
  return tried.status === 0 ? undefined : 'user and network namespaces, or the command ip'
}

/** The last line of output of a script of this folder is JSON. */
export async function runWithAddresses(
  script: string,
  addresses: readonly string[],
): Promise<unknown> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const given = addresses.map(address => `ip addr add ${address}/32 dev lo`).join(' && ')
  const command = `ip link set lo up && ${given} && exec "$0" "$1"`
  const { stdout } = await promisify(execFile)('unshare', [
    ...['-rn', 'sh', '-c', command, process.execPath, path],
  ])
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}
