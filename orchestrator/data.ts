/** Data sets of an app: made once with the right owner, never changed, never deleted here. */

import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AppManifest } from '../catalog/index.ts'
import { pathExists, syncFolder } from '../src/core/files.ts'
import { appDataFolder, type Context } from './context.ts'

/**
 * A folder gets its name last, after its owner: one that exists is ready. Owners are ids as the container sees them,
 * mapped by Podman; `:U` on a mount would change every file at every start.
 */
export async function provideData(context: Context, manifest: AppManifest): Promise<void> {
  const { options, deps } = context
  const folder = appDataFolder(options, manifest.id)
  await mkdir(folder, { recursive: true, mode: 0o755 })
  for (const [name, { owner, mode }] of Object.entries(manifest.data)) {
    const path = join(folder, name)
    if (await pathExists(path)) continue
    const making = join(folder, `.${name}.new`)
    await rm(making, { recursive: true, force: true })
    await mkdir(making, { mode: 0o700 })
    if (options.mode === 'systemd') await deps.podman.ownFolder(making, owner.uid, owner.gid, mode)
    await rename(making, path)
    await syncFolder(folder)
  }
}
