/** Files that survive a power cut: atomic writes, and reads with a bound. */
import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { codeOf, NodeError } from './errors.ts'

export class FileError extends NodeError<'FILE_TOO_LARGE' | 'DISK_FULL'> {}

/**
 * Replaces `path` by `bytes` so that a reader, or a boot after a power cut, sees the old file or the new one and
 * nothing between: temporary file beside it, fsync, rename, fsync of the folder. Makes missing parent folders.
 * @throws FileError `DISK_FULL`
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  options: { mode?: number } = {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const handle = await open(temporary, 'wx', options.mode ?? 0o644)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true })
    throw asDiskFull(error, path)
  }
}

/**
 * Removes what atomic writes in `folder` left behind when they were cut off. Only names that `wanted` accepts are looked at;
 * nobody may be writing there now.
 */
export async function removeTemporaries(
  folder: string,
  wanted: (name: string) => boolean,
): Promise<void> {
  for (const temporary of await readdir(folder)) {
    const name = /^\.(.+)\.[0-9a-f]{12}\.tmp$/.exec(temporary)?.[1]
    if (name !== undefined && wanted(name)) await rm(join(folder, temporary), { force: true })
  }
}

/** Makes renames and new names in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Reads a whole file of at most `maxBytes`; `undefined` when there is none.
 * @throws FileError `FILE_TOO_LARGE`
 */
export async function readFileBounded(
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    const { size } = await handle.stat()
    if (size > maxBytes) {
      throw new FileError('FILE_TOO_LARGE', `${path} has ${size} bytes; the limit is ${maxBytes}`)
    }
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/** Turns `ENOSPC` and `EDQUOT` into `DISK_FULL` with the path; any other error is returned as it is. */
export function asDiskFull(error: unknown, path: string): unknown {
  const code = codeOf(error)
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new FileError('DISK_FULL', `no space left on the disk that holds ${path}`, {
    cause: error,
  })
}

/** Whether there is a folder at `path`, also behind a symbolic link. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false
    throw error
  }
}

/** Only "there is no such thing" means no: what cannot be looked at must not count as absent. */
export async function pathExists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false
    throw error
  }
}

/** The names in a folder; none when there is no such folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
