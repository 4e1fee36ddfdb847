/** Takes away what no generation of an app can need any more: image names, copies of data. Never the only copy of anything. */
import { messageOf } from '../src/core/errors.ts'
import type { Context } from './context.ts'
import { sweepManifests } from './manifests.ts'
import { imagePrefix } from './names.ts'
import type { AppRecord, Generation } from './record.ts'
import { keptData, sweepData } from './snapshot.ts'

/** What fails here costs disk space until the next time; not worth failing an operation for. */
export async function tidy(context: Context, record: AppRecord): Promise<void> {
  const kept = [record.committed, record.previous]
  try {
    await sweepManifests(
      context.options,
      record.id,
      kept.flatMap(each => each?.number ?? []),
    )
    if (context.options.mode === 'systemd') await sweepData(context, record)
  } catch (error) {
    context.deps.log.warn('old data not removed', { app: record.id, reason: messageOf(error) })
  }
  await removeImages(context, record.id, kept)
}

/** Takes every image name of the app away that no kept generation has; images go with their last name. */
export async function removeImages(
  { deps, options }: Context,
  id: string,
  kept: readonly (Generation | undefined)[],
): Promise<void> {
  if (options.mode === 'render') return
  const keptNames = new Set(kept.flatMap(each => each?.images.map(({ name }) => name) ?? []))
  try {
    for (const name of await deps.podman.imageNames()) {
      if (name.startsWith(imagePrefix(id)) && !keptNames.has(name)) {
        await deps.podman.removeImage(name)
      }
    }
  } catch (error) {
    deps.log.warn('old images not removed', { app: id, reason: messageOf(error) })
  }
}

/** What a rollback of `generation` put aside, with its size. */
export async function measureSetAside(
  context: Context,
  id: string,
  generation: number,
): Promise<NonNullable<AppRecord['setAside']>> {
  if (context.options.mode === 'render') return []
  const kept = await keptData(context, id)
  const measured = kept
    .filter(each => each.generation === generation)
    .map(async ({ set, path }) => ({
      set,
      path,
      bytes: await context.deps.podman.folderBytes(path),
    }))
  return await Promise.all(measured)
}
