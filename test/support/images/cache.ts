/** The results of earlier builds on disk: found by a key over their inputs, put in place whole, dropped when unused. */
import { createHash } from 'node:crypto'
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../../src/core/errors.ts'

const RESULT_PREFIX = 'apps-'
const WORK_PREFIX = 'building-'
const RESULT_FILE = 'images.json'

/** No build takes so long. Process ids would not tell: builds may run in other pid namespaces. */
const BUILD_MS_MAX = 3_600_000

/** Other work trees on this machine may use other results; a result that nobody asked for so long is in use nowhere. */
const UNUSED_MS_MAX = 7 * 24 * 3_600_000

/** Hashes every file in `folders`, and `more`. */
export async function keyOf(
  folders: readonly string[],
  more: readonly Uint8Array[],
): Promise<string> {
  const hash = createHash('sha256')
  for (const folder of folders) {
    const names = (await readdir(folder, { recursive: true })).sort()
    for (const name of names) {
      const path = join(folder, name)
      if ((await stat(path)).isFile()) hash.update(`\0${name}\0`).update(await readFile(path))
    }
  }
  for (const bytes of more) hash.update(bytes)
  return hash.digest('hex').slice(0, 16)
}

export function resultFolder(cacheFolder: string, name: string): string {
  return join(cacheFolder, `${RESULT_PREFIX}${name}`)
}

/** What `writeResult` wrote to the folder, and marks it as used; `undefined` when there is none. */
export async function readResult(folder: string): Promise<unknown> {
  const path = join(folder, RESULT_FILE)
  try {
    const result: unknown = JSON.parse(await readFile(path, 'utf8'))
    const now = new Date()
    await utimes(path, now, now)
    return result
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

export async function writeResult(folder: string, result: unknown): Promise<void> {
  await writeFile(join(folder, RESULT_FILE), JSON.stringify(result, undefined, 2))
}

/** Another process that finished the same build first has made the same bytes; its result stays. */
export async function moveIntoPlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error
  }
}

/** Makes a folder to build in; whatever a killed build or a long unused result left in the cache is removed. */
export async function makeWorkFolder(cacheFolder: string): Promise<string> {
  await mkdir(cacheFolder, { recursive: true })
  for (const name of await readdir(cacheFolder)) {
    const path = join(cacheFolder, name)
    if (await isLeftOver(name, path)) await rm(path, { recursive: true, force: true })
  }
  return await mkdtemp(join(cacheFolder, WORK_PREFIX))
}

async function isLeftOver(name: string, path: string): Promise<boolean> {
  if (name.startsWith(WORK_PREFIX)) return (await ageMs(path)) > BUILD_MS_MAX
  if (name.startsWith(RESULT_PREFIX)) return (await ageMs(join(path, RESULT_FILE))) > UNUSED_MS_MAX
  return false
}

/** Since the last change; 0 for what another build has just removed. */
async function ageMs(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0
    throw error
  }
}
