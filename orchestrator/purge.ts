/** `archy app purge`: the one verb that deletes an owner's data. It says what it would delete before it does. */
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { namesIn, syncFolder } from '../src/core/files.ts'
import { appDataFolder, type Context, filesFolder, recordFolder, secretFolder } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { sweepManifests } from './manifests.ts'
import { type AppRecord, writeRecord } from './record.ts'
import { readSecrets } from './secret-files.ts'

export interface Retained {
  readonly id: string
  /** Data sets, and what rollbacks put aside. */
  readonly data: readonly { readonly name: string; readonly bytes: number }[]
  readonly bytes: number
  readonly path: string
  /** Names only. */
  readonly secrets: readonly string[]
  readonly settings: readonly string[]
}

/** Everything that is kept of an app beside what runs. */
export async function listRetained(context: Context, record: AppRecord): Promise<Retained> {
  const { options, deps } = context
  const path = appDataFolder(options, record.id)
  const names = [...(await namesIn(path))].sort()
  const data = await Promise.all(
    names.map(async name => ({
      name,
      bytes: options.mode === 'render' ? 0 : await deps.podman.folderBytes(join(path, name)),
    })),
  )
  return {
    id: record.id,
    data,
    bytes: data.reduce((sum, { bytes }) => sum + bytes, 0),
    path,
    secrets: [...(await readSecrets(context, record.id)).keys()].sort(),
    settings: Object.keys(record.config ?? {}).sort(),
  }
}

/**
 * Deletes data, secrets, settings and the memory of an app that is not installed.
 * @throws OrchestratorError `APP_INSTALLED`
 */
export async function purge(context: Context, record: AppRecord): Promise<void> {
  const isUnderWay = record.operation !== undefined && record.operation.kind !== 'purge'
  if (record.committed !== undefined || isUnderWay) {
    throw new OrchestratorError(
      'APP_INSTALLED',
      `${record.id} is installed; "archy app uninstall ${record.id}" first, which keeps its data`,
    )
  }
  const { options, deps } = context
  const { id } = record
  const startedMs = deps.clock.nowMs()
  await writeRecord(context, { ...record, operation: { kind: 'purge', startedMs } })
  deps.log.warn('data and secrets of an app are deleted', { app: id })
  const data = appDataFolder(options, id)
  if (options.mode === 'systemd') await deps.podman.removeFolder(data)
  else await rm(data, { recursive: true, force: true })
  await rm(secretFolder(options, id), { recursive: true, force: true })
  await rm(dirname(filesFolder(options, id, 0)), { recursive: true, force: true })
  await sweepManifests(options, id, [])
  // Last: as long as it is there, a purge that was cut off is finished at the next start.
  await rm(join(recordFolder(options), `${id}.json`), { force: true })
  await syncFolder(recordFolder(options))
}
