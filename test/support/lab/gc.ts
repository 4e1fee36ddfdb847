/** Removes what no lab needs any more: remains of dead labs, bases of former keys. */
import { readdir, rm } from 'node:fs/promises'
import { arch } from 'node:os'
import { join } from 'node:path'
import { baseKey } from './base.ts'
import { BASE_SPEC } from './base-spec.ts'
import { openLock } from './lock.ts'
import { labCacheFolder, runsFolder } from './paths.ts'
import { deadLabs, removeLab } from './remains.ts'

/** Returns one line for each thing that it removed. Bases stay while any lab lives: it may be using one. */
export async function collectGarbage(): Promise<readonly string[]> {
  const removed: string[] = []
  for (const id of await deadLabs()) {
    await removeLab(id)
    removed.push(`removed the lab ${id}`)
  }
  if ((await readdir(runsFolder()).catch(() => [])).length > 0) return removed
  const cache = labCacheFolder()
  await using _lock = await openLock(join(cache, '.base.lock'))
  const key = baseKey(BASE_SPEC, arch())
  for (const name of await readdir(cache)) {
    const isBase = name.startsWith('base-') && !name.startsWith(`base-${key}`)
    if (!isBase && !name.startsWith('half-made-')) continue
    await rm(join(cache, name), { recursive: true, force: true })
    removed.push(`removed ${name}`)
  }
  return removed
}
