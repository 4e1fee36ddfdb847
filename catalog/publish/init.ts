/** `origin init`: makes keys, the first root and an empty signed catalog, in a folder that is there at once or not. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { codeOf } from '../../src/core/errors.ts'
import { asDiskFull, syncFolder, writeFileAtomic } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import { EMPTY_DRAFT, writeDraft } from './draft.ts'
import { signerOf } from './keys/signer.ts'
import { createKeys } from './keys.ts'
import { type OriginFolder, originFolder } from './origin-folder.ts'
import { type Publication, publishOrigin } from './publish.ts'
import { signRoot } from './sign.ts'

export interface InitializedOrigin {
  /** What nodes embed in their configuration: the bytes of `1.root.json`. */
  readonly root: Uint8Array
  readonly rootPath: string
  readonly publicFolder: string
  readonly publication: Publication
}

/**
 * Makes an origin at `path`, which must not exist or be an empty folder. Built beside it and renamed, so that a
 * crash leaves nothing half-made at `path`.
 * @throws PublishError `ORIGIN_EXISTS`
 * @throws FileError `DISK_FULL`
 */
export async function initOrigin(
  path: string,
  { nowMs }: { readonly nowMs: number },
): Promise<InitializedOrigin> {
  const target = resolve(path)
  await checkFree(target)
  const building = join(
    dirname(target),
    `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`,
  )
  try {
    const root = await build(originFolder(building), nowMs)
    const publication = await publishOrigin(building, { nowMs })
    await moveInto(building, target)
    const folder = originFolder(target)
    const rootPath = join(folder.catalog, '1.root.json')
    return { root, rootPath, publicFolder: folder.public, publication }
  } catch (error) {
    await rm(building, { recursive: true, force: true })
    throw asDiskFull(error, target)
  }
}

async function build(folder: OriginFolder, nowMs: number): Promise<Uint8Array> {
  await mkdir(folder.draft, { recursive: true, mode: 0o700 })
  await mkdir(folder.keys, { mode: 0o700 })
  await mkdir(folder.blobs, { recursive: true })
  const keys = await createKeys(folder)
  const root = await signRoot(
    {
      root: signerOf(keys.root),
      targets: signerOf(keys.targets),
      snapshot: signerOf(keys.snapshot),
      timestamp: signerOf(keys.timestamp),
    },
    nowMs,
  )
  await writeFileAtomic(join(folder.catalog, '1.root.json'), root)
  await writeDraft(folder, EMPTY_DRAFT)
  return root
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
