/** The folders of the orchestrator as a start wants them: there, and without what a crash left half-made. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { removeTemporaries } from '../src/core/files.ts'
import { type OrchestratorOptions, recordFolder, secretFolder, stagingFolder } from './context.ts'
import { unitPath } from './units/escape.ts'

/** @throws OrchestratorError `PATH_UNSUITABLE` */
export async function prepareFolders(options: OrchestratorOptions): Promise<void> {
  unitPath(options.dataFolder)
  // A colon ends the folder in the name by which Podman is given a layout.
  unitPath(options.stateFolder)
  const { dataFolder, unitFolder, userUnitFolder } = options
  for (const folder of [dataFolder, unitFolder, userUnitFolder, recordFolder(options)]) {
    await mkdir(folder, { recursive: true })
  }
  await rm(stagingFolder(options), { recursive: true, force: true })
  await mkdir(stagingFolder(options), { mode: 0o700 })
  const secrets = secretFolder(options, '')
  await mkdir(secrets, { recursive: true, mode: 0o700 })
  for (const id of await readdir(secrets)) await removeTemporaries(join(secrets, id), () => true)
  await removeTemporaries(recordFolder(options), () => true)
  for (const folder of [unitFolder, userUnitFolder]) {
    await removeTemporaries(folder, name => name.startsWith('app-'))
  }
}
