/** `origin init`: makes keys, the first root and an empty signed catalog. */
import { join } from 'node:path'
import { writeFileAtomic } from '../../src/core/files.ts'
import { EMPTY_DRAFT, writeDraft } from './draft.ts'
import { signerOf } from './keys/signer.ts'
import { createKeys } from './keys.ts'
import { makeOriginFolder } from './new-folder.ts'
import type { OriginFolder } from './origin-folder.ts'
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
 * Makes an origin at `path`, which must not exist or be an empty folder.
 * @throws PublishError `ORIGIN_EXISTS`
 * @throws FileError `DISK_FULL`
 */
export async function initOrigin(
  path: string,
  { nowMs }: { readonly nowMs: number },
): Promise<InitializedOrigin> {
  const { folder, made } = await makeOriginFolder(path, async building => {
    const root = await build(building, nowMs)
    return { root, publication: await publishOrigin(building.root, { nowMs }) }
  })
  const rootPath = join(folder.catalog, '1.root.json')
  return { ...made, rootPath, publicFolder: folder.public }
}

async function build(folder: OriginFolder, nowMs: number): Promise<Uint8Array> {
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
