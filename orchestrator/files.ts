/** The text files of a generation: written before its units start, mounted read-only, removed with it. */

import { chmod, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AppManifest } from '../catalog/index.ts'
import { namesIn, syncFolder, writeFileAtomic } from '../src/core/files.ts'
import { type Context, filesFolder, type OrchestratorOptions } from './context.ts'
import { renderedFiles } from './units/content.ts'
import type { Values } from './units/values.ts'

/** The folder gets its name last: one that exists is complete. */
export async function writeFiles(
  context: Context,
  manifest: AppManifest,
  generation: number,
  values: Values,
): Promise<void> {
  const { options, deps } = context
  const files = renderedFiles(manifest, values)
  const folder = filesFolder(options, manifest.id, generation)
  await rm(folder, { recursive: true, force: true })
  if (files.length === 0) return
  const making = `${folder}.new`
  await rm(making, { recursive: true, force: true })
  for (const { name, text, owner, mode } of files) {
    const path = join(making, name)
    await writeFileAtomic(path, text)
    await chmod(path, Number.parseInt(mode, 8))
    // The container's root is this user.
    const isOwn = owner.uid === 0 && owner.gid === 0
    if (options.mode === 'systemd' && !isOwn) {
      await deps.podman.ownFolder(path, owner.uid, owner.gid, mode)
    }
  }
  await rename(making, folder)
  await syncFolder(dirname(folder))
}

/** Removes those of all other generations. */
export async function sweepFiles(
  options: OrchestratorOptions,
  id: string,
  kept: readonly number[],
): Promise<void> {
  const folder = dirname(filesFolder(options, id, 0))
  const names = kept.map(String)
  for (const name of await namesIn(folder)) {
    if (!names.includes(name)) await rm(join(folder, name), { recursive: true })
  }
}
