/** Quadlet's generator, and files of others that change our units. */
import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../core/errors.ts'
import type { Folders } from '../folders.ts'
import type { UnitFacts } from './facts.ts'

const QUADLETS = ['/usr/libexec/podman/quadlet', '/usr/lib/podman/quadlet'] as const
const GENERATOR_FOLDERS = [
  '/etc/systemd/user-generators',
  '/usr/local/lib/systemd/user-generators',
  '/usr/lib/systemd/user-generators',
] as const
const GENERATOR = 'podman-user-generator'

/** What every unit of a kind, or every one that begins with "app-", takes its drop-ins from. @see systemd.unit(5) */
const DROP_IN_FOLDER = /^(?:app-.*\.)?(?:container|network|volume|pod|service|target)\.d$/

export async function readUnitFacts(
  { units, userUnits }: Folders,
  { uid }: { readonly uid: number },
): Promise<UnitFacts> {
  const folders = [
    ...[units, userUnits],
    ...['/etc/systemd/user', '/etc/containers/systemd/users'],
    `/etc/containers/systemd/users/${uid}`,
  ]
  const found = await Promise.all(folders.map(dropInsIn))
  return {
    quadlet: await firstThere(QUADLETS),
    generator: await firstThere(GENERATOR_FOLDERS.map(folder => join(folder, GENERATOR))),
    foreignDropIns: found.flat().sort(),
  }
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path)
      return path
    } catch {
      // Not here, or a link to nowhere; the next place may have it.
    }
  }
  return undefined
}

async function dropInsIn(folder: string): Promise<readonly string[]> {
  const names = await list(folder)
  const files = await Promise.all(
    names
      .filter(name => DROP_IN_FOLDER.test(name))
      .map(async name => (await list(join(folder, name))).map(file => join(folder, name, file))),
  )
  return files.flat().filter(path => path.endsWith('.conf'))
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return []
    throw error
  }
}
