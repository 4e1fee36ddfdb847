/** Takes away what no generation of an app can need any more: image names, Podman secrets, copies of data. Never the only copy of anything. */
import { messageOf } from '../src/core/errors.ts'
import type { Context } from './context.ts'
import { sweepFiles } from './files.ts'
import { sweepManifests } from './manifests.ts'
import { imagePrefix, secretPrefix } from './names.ts'
import type { AppRecord, Generation } from './record.ts'
import { keptData, sweepData } from './snapshot.ts'
import { readUnit, valuesOf } from './units/file.ts'

/** What fails here costs disk space until the next time; not worth failing an operation for. */
export async function tidy(context: Context, record: AppRecord): Promise<void> {
  const kept = [record.committed, record.previous]
  try {
    const numbers = kept.flatMap(each => each?.number ?? [])
    // The manifest of a release that could not be prepared stays: its owner may set what it asks for.
    await sweepManifests(context.options, record.id, [...numbers, record.lastGeneration + 1])
    await sweepFiles(context.options, record.id, numbers)
    if (context.options.mode === 'systemd') await sweepData(context, record)
  } catch (error) {
    context.deps.log.warn('old data not removed', { app: record.id, reason: messageOf(error) })
  }
  await removeUnused(context, record.id, kept)
}

/** Takes every image name of the app and every Podman secret away that no kept generation has; images go with their last name. */
export async function removeUnused(
  { deps: { podman, log }, options, storage }: Context,
  id: string,
  generations: readonly (Generation | undefined)[],
): Promise<void> {
  if (options.mode === 'render') return
  const kept = generations.filter(each => each !== undefined)
  const images = new Set(kept.flatMap(each => each.images.map(({ name }) => name)))
  const secrets = new Set(kept.flatMap(usedSecrets))
  try {
    for (const name of await podman.imageNames()) {
      if (name.startsWith(imagePrefix(id)) && !images.has(name)) await podman.removeImage(name)
    }
    for (const name of await podman.secretNames()) {
      if (name.startsWith(secretPrefix(id)) && !secrets.has(name)) await podman.removeSecret(name)
    }
  } catch (error) {
    storage.isTidy = false
    log.warn('what an app no longer needs is not removed', { app: id, reason: messageOf(error) })
  }
}

function usedSecrets({ quadlet }: Generation): readonly string[] {
  return quadlet.flatMap(({ text }) =>
    valuesOf(readUnit(text), 'Container', 'Secret').map(value => value.split(',')[0] ?? ''),
  )
}

/** All that rollbacks put aside, with its size. */
export async function measureSetAside(
  context: Context,
  id: string,
): Promise<NonNullable<AppRecord['setAside']>> {
  if (context.options.mode === 'render') return []
  const kept = await keptData(context, id)
  const measured = kept.map(async ({ set, path }) => ({
    set,
    path,
    bytes: await context.deps.podman.folderBytes(path),
  }))
  return await Promise.all(measured)
}
