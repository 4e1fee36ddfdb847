/** Many seeders of one blob: it is put into a store once, and every seeder has that store's files by hard links. */
import { link, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../../../src/core/clock.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { openBlobStore } from '../../../../swarm/index.ts'
import type { Bench } from './bench.ts'
import type { BlobFile } from './blob-file.ts'

/** Disposing it leaves the folders that were made from it. */
export interface StoreTemplate extends AsyncDisposable {
  /** A new folder for a node that holds the blob. Complete blobs are never written to, so sharing their files is safe. */
  nodeFolder(): Promise<string>
}

export async function makeTemplate(bench: Bench, blob: BlobFile): Promise<StoreTemplate> {
  const template = bench.newFolder('template')
  await using store = await openBlobStore(
    { folder: join(template, 'store'), clock: systemClock, log: silentLog },
    { minFreeBytes: 0 },
  )
  await store.importFile(blob, blob.path)
  return {
    async nodeFolder() {
      const folder = bench.newFolder('seeder')
      // The index is not shared: the new store makes its own from the files.
      await linkTree(join(template, 'store/blobs'), join(folder, 'store/blobs'))
      return folder
    },
    [Symbol.asyncDispose]: () => rm(template, { recursive: true, force: true }),
  }
}

async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await linkTree(source, target)
    else await link(source, target)
  }
}
