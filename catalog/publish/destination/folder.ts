/** A folder as the place that serves an origin: the root of a web server, a mounted disk. */
import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { codeOf, messageOf } from '../../../src/core/errors.ts'
import {
  asDiskFull,
  readFileBounded,
  syncFolder,
  writeFileAtomic,
} from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import type { Destination, PublicName, Upload } from './destination.ts'

/** @throws PublishError `DESTINATION_FAILED` when the path is something else than a folder */
export async function openFolderDestination(path: string): Promise<Destination> {
  const root = resolve(path)
  try {
    await mkdir(root, { recursive: true })
  } catch (cause) {
    throw new PublishError('DESTINATION_FAILED', `${root} is no folder: ${messageOf(cause)}`, {
      cause,
    })
  }
  return {
    name: root,
    list: folder => listFiles(root, join(root, folder)),
    get: (name, maxBytes) => readFileBounded(join(root, name), maxBytes),
    put: (name, upload) => putFile(join(root, name), upload),
    close: async () => undefined,
  }
}

async function listFiles(root: string, folder: string): Promise<ReadonlyMap<PublicName, number>> {
  const files = new Map<PublicName, number>()
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    for (const entry of entries) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      files.set(relative(root, path).split(sep).join('/'), (await stat(path)).size)
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return files
}

async function putFile(path: string, upload: Upload): Promise<void> {
  if (upload.kind === 'bytes') return writeFileAtomic(path, upload.bytes)
  await mkdir(dirname(path), { recursive: true })
  const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}.tmp`)
  try {
    await copyFile(upload.path, temporary)
    await using handle = await open(temporary, 'r+')
    await handle.sync()
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw asDiskFull(error, path)
  }
  await syncFolder(dirname(path))
}
