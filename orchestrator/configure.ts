/** `archy app config`: new settings become a new generation of the same release, over the same path as an update. */
import type { AppManifest } from '../catalog/index.ts'
import { appFacts } from './app-facts.ts'
import type { Context } from './context.ts'
import { OrchestratorError } from './errors.ts'
import { copyManifest, findManifest, manifestOf } from './manifests.ts'
import { makeNext } from './next-generation.ts'
import { renderGeneration } from './prepare.ts'
import { type AppRecord, type Generation, withoutProblem, writeRecord } from './record.ts'
import { changeSettings, type Settings, type SettingView, settingViews } from './settings.ts'
import { switchTo, type Work } from './switch.ts'

export type SettingChanges = Readonly<Record<string, string | null>>

/** The fields of the installed version, and those of one that waits because it lacks a value. */
export async function listSettings(
  context: Context,
  record: AppRecord,
): Promise<readonly SettingView[]> {
  return settingViews(await fieldsOf(context, record), record.config ?? {})
}

/**
 * Keeps the settings; where the app is installed, runs it with them. When it does not get healthy it goes back to the ones
 * before.
 * @throws OrchestratorError `SETTING_INVALID`, and as an update
 */
export async function configure(
  context: Context,
  record: AppRecord,
  changes: SettingChanges,
  work: Work,
): Promise<void> {
  const fields = await fieldsOf(context, record)
  const { committed } = record
  const before = record.config ?? {}
  const config = changeSettings(record.id, fields, before, changes, committed !== undefined)
  if (committed === undefined) return await writeRecord(context, { ...record, config })
  const manifest = await manifestOf(context, record.id, committed)
  const isForIt = Object.keys(changes).some(name => Object.hasOwn(manifest.config, name))
  if (!isForIt) return await writeRecord(context, { ...record, config })
  await apply(context, record, { manifest, config, committed }, work)
}

async function apply(
  context: Context,
  record: AppRecord,
  {
    manifest,
    config,
    committed,
  }: { manifest: AppManifest; config: Settings; committed: Generation },
  work: Work,
): Promise<void> {
  const { publisher, channel, seq, manifest: address } = committed
  const next = await makeNext(
    context,
    withoutProblem(record),
    work.signal,
    async (_journal, number) => {
      const to = await renderGeneration(context, {
        manifest,
        config,
        facts: await appFacts(context, manifest, config),
        identity: { number, publisher, channel, seq, manifest: address },
        images: committed.images,
        onProgress: work.onProgress,
      })
      await copyManifest(context, record.id, committed.number, number)
      return to
    },
  )
  const { to, startedMs } = next
  await switchTo(context, { ...next.record, operation: { kind: 'switch', to, startedMs } }, work)
}

/** @throws OrchestratorError `APP_NOT_INSTALLED` when no manifest of it was ever here */
async function fieldsOf(context: Context, record: AppRecord): Promise<AppManifest['config']> {
  const numbers = [record.committed?.number, record.lastGeneration + 1]
  const manifests = await Promise.all(
    numbers.map(async number =>
      number === undefined ? undefined : await findManifest(context, record.id, number),
    ),
  )
  const known = manifests.filter(manifest => manifest !== undefined)
  if (known.length === 0) {
    throw new OrchestratorError('APP_NOT_INSTALLED', `the app ${record.id} is not installed`)
  }
  return Object.assign({}, ...known.reverse().map(({ config }) => config))
}
