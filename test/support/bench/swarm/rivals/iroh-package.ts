/** Puts `@number0/iroh` into a folder outside the project: it is a rival, not a dependency. */
import { execFile } from 'node:child_process'
import { access, mkdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const VERSION = '0.35.0'
const INSTALL_TIMEOUT_MS = 180_000

/** Kept between runs: `${XDG_CACHE_HOME:-~/.cache}/archy-bench`. Deleting it costs only time. */
export function defaultRivalsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'archy-bench')
}

/** Makes sure that it is there. @throws Error with the reason when it cannot be installed */
export async function ensureIroh(folder: string): Promise<void> {
  const isThere = await access(join(folder, 'node_modules/@number0/iroh')).then(
    () => true,
    () => false,
  )
  if (isThere) return
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"private":true}\n')
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact']
  await promisify(execFile)('npm', [...args, `@number0/iroh@${VERSION}`], {
    cwd: folder,
    timeout: INSTALL_TIMEOUT_MS,
  })
}
