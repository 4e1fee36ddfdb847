/** Makes an origin folder that is there at once or not at all. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { codeOf } from '../../src/core/errors.ts'
import { asDiskFull, syncFolder } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import { type OriginFolder, originFolder } from './origin-folder.ts'

/**
 * `path` must not exist or be an empty folder. `build` fills a folder beside it, which is then renamed, so that a crash
 * leaves nothing half-made at `path`.
 * @throws PublishError `ORIGIN_EXISTS`
 * @throws FileError `DISK_FULL`
 */
export async function makeOriginFolder<T>(
  path: string,
  build: (folder: OriginFolder) => Promise<T>,
): Promise<{ readonly folder: OriginFolder; readonly made: T }> {
  const target = resolve(path)
  await checkFree(target)
  const building = join(
    dirname(target),
    `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`,
  )
  try {
    const folder = originFolder(building)
    await mkdir(folder.draft, { recursive: true, mode: 0o700 })
    await mkdir(folder.keys, { mode: 0o700 })
    await mkdir(folder.blobs, { recursive: true })
    const made = await build(folder)
    await moveInto(building, target)
    return { folder: originFolder(target), made }
  } catch (error) {
    await rm(building, { recursive: true, force: true })
    throw asDiskFull(error, target)
  }
}

async function checkFree(target: string): Promise<void> {
  try {
    if ((await readdir(target)).length === 0) return
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    if (codeOf(error) !== 'ENOTDIR') throw error
  }
  throw exists(target)
}

/** Renaming onto an empty folder replaces it; onto anything else it fails, whoever made it meanwhile. */
async function moveInto(building: string, target: string): Promise<void> {
  try {
    await rename(building, target)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') throw exists(target)
    throw error
  }
  await syncFolder(dirname(target))
}

function exists(target: string): PublishError {
  return new PublishError(
    'ORIGIN_EXISTS',
    `${target} exists and is not empty; nothing in it was changed. Give a new folder`,
  )
}
