/**
 * Copies of data sets as they were before an update: made while nothing of the app runs, brought back when the update is
 * taken back, removed when it has proven itself. Nothing that holds the only copy of something is deleted here.
 */

import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { namesIn, pathExists, syncFolder } from '../src/core/files.ts'
import { appDataFolder, type Context } from './context.ts'
import type { AppRecord } from './record.ts'

/**
 * Beside the data set, because the user may rename a folder of another owner only within its parent. Data sets are DNS
 * labels, so no name here is one of theirs.
 */
const savedName = (set: string, generation: number): string => `.${set}.before-g${generation}`
const failedName = (set: string, generation: number): string => `.${set}.failed-g${generation}`
const SAVED = /^\.([a-z][a-z0-9-]*)\.before-g(\d+)(\.new)?$/
const FAILED = /^\.([a-z][a-z0-9-]*)\.failed-g(\d+)$/

export interface Saved {
  readonly sets: readonly string[]
  readonly generation: number
}

/**
 * Copies the sets as they are before `generation` runs for the first time. The app must be stopped. Doing it again makes
 * every copy anew: they belong together.
 * @throws FileError `DISK_FULL`, HostError
 */
export async function saveData(
  { options, deps }: Context,
  id: string,
  { sets, generation }: Saved,
): Promise<void> {
  if (sets.length === 0) return
  const folder = appDataFolder(options, id)
  for (const set of sets) {
    const saved = join(folder, savedName(set, generation))
    await deps.podman.removeFolder(saved)
    await deps.podman.removeFolder(`${saved}.new`)
    await deps.podman.copyFolder(join(folder, set), `${saved}.new`)
    await rename(`${saved}.new`, saved)
  }
  await deps.podman.syncFileSystem(folder)
  await syncFolder(folder)
}

/**
 * Puts the saved sets in the place of the present ones, which are kept under another name. Doing it again goes on where it
 * was cut off. The app must be stopped.
 */
export async function restoreData(
  { options }: Context,
  id: string,
  { sets, generation }: Saved,
): Promise<void> {
  const folder = appDataFolder(options, id)
  for (const set of sets) {
    const saved = join(folder, savedName(set, generation))
    if (!(await pathExists(saved))) continue
    const present = join(folder, set)
    if (await pathExists(present)) await rename(present, join(folder, failedName(set, generation)))
    await rename(saved, present)
    await syncFolder(folder)
  }
}

export interface KeptData {
  readonly set: string
  readonly path: string
  /** The generation that changed it and was taken back. */
  readonly generation: number
}

/** What a rollback set aside. */
export async function keptData({ options }: Context, id: string): Promise<readonly KeptData[]> {
  const folder = appDataFolder(options, id)
  return (await namesIn(folder)).flatMap(name => {
    const [, set, generation] = FAILED.exec(name) ?? []
    return set === undefined
      ? []
      : [{ set, path: join(folder, name), generation: Number(generation) }]
  })
}

/** Removes copies that no rollback can need any more. What a rollback set aside is the only copy of something: only a purge takes it. */
export async function sweepData(context: Context, record: AppRecord): Promise<void> {
  const { options, deps } = context
  const folder = appDataFolder(options, record.id)
  const needed = savedBy(record)
  for (const name of await namesIn(folder)) {
    const [, , generation] = SAVED.exec(name) ?? []
    if (generation === undefined || needed.has(Number(generation))) continue
    await deps.podman.removeFolder(join(folder, name))
  }
}

/** Generations whose copies a rollback may still bring back. Pure. */
function savedBy({ operation, probation }: AppRecord): ReadonlySet<number> {
  const saved = operation !== undefined && 'saved' in operation ? operation.saved : undefined
  const numbers = [saved?.generation, probation?.saved?.generation]
  return new Set(numbers.filter(number => number !== undefined))
}
