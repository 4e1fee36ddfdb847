/**
 * The hold of an app: a file that keeps every component of it from starting, also at a boot without the node. It stands while a
 * step could leave data and units that do not belong together; see `ConditionPathExists=` in the rendered units.
 */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '../src/core/errors.ts'
import { syncFolder } from '../src/core/files.ts'
import { holdPath, type OrchestratorOptions } from './context.ts'

/** Durable when it returns. Doing it again changes nothing. */
export async function holdApp(options: OrchestratorOptions, id: string): Promise<void> {
  const path = holdPath(options, id)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, '')
  await syncFolder(dirname(path))
}

export async function releaseApp(options: OrchestratorOptions, id: string): Promise<void> {
  if (!(await isHeld(options, id))) return
  const path = holdPath(options, id)
  await rm(path, { force: true })
  await syncFolder(dirname(path))
}

export async function isHeld(options: OrchestratorOptions, id: string): Promise<boolean> {
  try {
    await stat(holdPath(options, id))
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
