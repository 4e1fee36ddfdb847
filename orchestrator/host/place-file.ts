/**
 * Writes a file below a folder that a container can change at any moment. No step of the way follows a symbolic link, and
 * each is taken from the open folder before it: nothing outside can be reached, whatever is renamed meanwhile.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { z } from 'zod'
import { codeOf } from '../../src/core/errors.ts'

export const placement = z.strictObject({
  folder: z.string(),
  /** Below the folder; begins with a slash. */
  path: z.string(),
  text: z.string(),
  owner: z.strictObject({ uid: z.int(), gid: z.int() }),
  mode: z.string().regex(/^[0-7]{3,4}$/),
  overwrite: z.boolean(),
})

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const FOLDER_MODE = 0o750

/** Ids are those of the namespace that it runs in. @throws what the file system says, `ELOOP` or `ENOTDIR` for a link on the way */
export function placeFile({
  folder,
  path,
  text,
  owner,
  mode,
  overwrite,
}: z.infer<typeof placement>): void {
  const parts = path.split('/').filter(part => part !== '')
  const name = parts.pop()
  if (name === undefined || [...parts, name].some(part => part === '..' || part === '.')) {
    throw new Error(`${path} names no file below ${folder}`)
  }
  // Only the node makes links in the place of a data set: no container sees the folder that holds them.
  let at = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    for (const part of parts) {
      const next = openFolder(inside(at, part), owner)
      closeSync(at)
      at = next
    }
    if (!overwrite && exists(inside(at, name))) return
    const making = inside(at, `.${name}.archy-new`)
    remove(making)
    const file = openSync(making, NEW_FILE, 0o600)
    try {
      writeFileSync(file, text)
      fchownSync(file, owner.uid, owner.gid)
      fchmodSync(file, Number.parseInt(mode, 8))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(making, inside(at, name))
    fsyncSync(at)
  } finally {
    closeSync(at)
  }
}

/** Linux resolves this to the open folder itself, wherever it is now. @see proc_pid_fd(5) */
const inside = (folder: number, name: string): string => `/proc/self/fd/${folder}/${name}`

function openFolder(path: string, owner: { uid: number; gid: number }): number {
  try {
    mkdirSync(path, { mode: FOLDER_MODE })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return openSync(path, FOLDER)
  }
  const made = openSync(path, FOLDER)
  fchownSync(made, owner.uid, owner.gid)
  return made
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
