/** What the machine is like now, for the installer's plan. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathExists } from '../../src/core/files.ts'
import { parseIdRanges } from '../../src/doctor/parse.ts'
import type { Account } from './account.ts'
import { managedFiles, PACKAGE_OF, type Situation } from './plan.ts'

const LINGER_FOLDER = '/var/lib/systemd/linger'
const PROGRAM_FOLDERS = ['/usr/bin', '/usr/local/bin', '/bin', '/usr/sbin'] as const

export const lingerMark = (user: string): string => join(LINGER_FOLDER, user)

export async function look(account: Account): Promise<Situation> {
  const { user, find, isEnabled } = account
  const found = await find()
  const home = found?.home ?? ''
  const has = async (path: string): Promise<boolean> =>
    found !== undefined && (await pathExists(join(home, path)))
  return {
    user: found,
    isLingering: await pathExists(lingerMark(user)),
    subuid: parseIdRanges(await text('/etc/subuid')),
    subgid: parseIdRanges(await text('/etc/subgid')),
    files: await texts(managedFiles(found?.uid ?? -1)),
    firstUnprivilegedPort: Number(await text('/proc/sys/net/ipv4/ip_unprivileged_port_start')),
    isSocketEnabled: found !== undefined && (await isEnabled('podman.socket')),
    hasConfig: await has('.config/archipelago/config.yaml'),
    isNodeEnabled: found !== undefined && (await isEnabled('archy.service')),
    hasData: await has('.local/share/archipelago'),
    missingPrograms: await missingPrograms(),
  }
}

async function missingPrograms(): Promise<readonly string[]> {
  const missing: string[] = []
  for (const program of Object.keys(PACKAGE_OF)) {
    const places = await Promise.all(
      PROGRAM_FOLDERS.map(folder => pathExists(join(folder, program))),
    )
    if (!places.includes(true)) missing.push(program)
  }
  return missing
}

async function texts(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    paths.map(
      async path => [path, (await pathExists(path)) ? await text(path) : undefined] as const,
    ),
  )
  return new Map(found.flatMap(([path, each]) => (each === undefined ? [] : [[path, each]])))
}

/** Empty when there is no such file. */
async function text(path: string): Promise<string> {
  return (await pathExists(path)) ? await readFile(path, 'utf8') : ''
}
