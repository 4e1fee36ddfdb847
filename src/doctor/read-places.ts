/** The file systems under the folders that the node and Podman write to. */
import { readFile, realpath, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '../core/errors.ts'
import type { Place } from './facts.ts'
import { type Mount, mountOf, parseMounts } from './parse.ts'

export async function readPlaces(
  paths: Readonly<Record<Place['use'], string>>,
): Promise<readonly Place[]> {
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'))
  return await Promise.all(
    Object.entries(paths).map(([use, path]) => readPlace(use as Place['use'], path, mounts)),
  )
}

async function readPlace(
  use: Place['use'],
  path: string,
  mounts: readonly Mount[],
): Promise<Place> {
  const existing = await nearestFolder(path)
  const mount = mountOf(mounts, existing.path)
  const { bavail, blocks, bsize, files, ffree } = await statfs(existing.path)
  return {
    ...{ use, path },
    exists: existing.isItself,
    fileSystem: mount?.fileSystem ?? 'unknown',
    mountPoint: mount?.mountPoint ?? '/',
    options: mount?.options ?? [],
    freeBytes: bavail * bsize,
    sizeBytes: blocks * bsize,
    inodes: files,
    freeInodes: ffree,
  }
}

/** Where the folder is, or would be made. */
async function nearestFolder(path: string): Promise<{ path: string; isItself: boolean }> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return { path: await realpath(at), isItself: at === path }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || at === dirname(at)) throw error
    }
  }
}
