/** Takes a catalog and apps from a folder that was carried here: believed like any other source, and checked like one. */

import { join, resolve } from 'node:path'
import {
  type Catalog,
  type CatalogEntry,
  type Platform,
  readManifest,
  releaseBlobs,
} from '../catalog/index.ts'
import type { BlobStore } from '../swarm/index.ts'
import type { BlobRef } from './core/blob.ts'
import { hexOf } from './core/digest.ts'
import { NodeError } from './core/errors.ts'
import { isFolder, pathExists, readFileBounded } from './core/files.ts'
import { servableReleases } from './servable.ts'

export class BundleError extends NodeError<'BUNDLE_MISSING'> {}

export interface Imported {
  readonly catalog: 'updated' | 'unchanged'
  /** `app version` of every release that is complete here now. */
  readonly releases: readonly string[]
  readonly blobCount: number
  readonly bytes: number
}

interface Deps {
  readonly catalog: Pick<Catalog, 'refreshFrom' | 'offers'>
  readonly store: Pick<BlobStore, 'verified' | 'importFile' | 'lease'>
  readonly platform: Platform
  /** Runs after every attempt, whatever came of it. */
  afterEach(): Promise<void>
}

export interface Bundles {
  /** @throws as `importBundle` */
  import(folder: string): Promise<Imported>
}

export function createBundles(deps: Deps): Bundles {
  return {
    async import(folder) {
      try {
        return await importBundle(deps, folder)
      } finally {
        await deps.afterEach()
      }
    },
  }
}

/**
 * `folder` has the layout of an origin: `catalog/` and `blobs/`. Only blobs that the verified catalog leads to are read.
 * @throws BundleError `BUNDLE_MISSING`; CatalogError when its catalog is refused; StoreError `BLOB_MISMATCH`; FileError `DISK_FULL`
 */
async function importBundle(
  { catalog, store, platform }: Deps,
  folder: string,
  signal?: AbortSignal,
): Promise<Imported> {
  const root = resolve(folder)
  if (!(await isFolder(join(root, 'catalog')))) {
    throw new BundleError('BUNDLE_MISSING', `${root} has no folder "catalog": this is no bundle`)
  }
  const source = {
    name: root,
    kind: 'folder' as const,
    get: (name: string, maxBytes: number) => readFileBounded(join(root, 'catalog', name), maxBytes),
  }
  const outcome = await catalog.refreshFrom(source, signal)
  const work = { blobCount: 0, bytes: 0 }
  // Whatever else needs room: what was just carried in stays until all of it is here.
  using leases = new DisposableStack()
  const take = async ({ blake3, size }: BlobRef): Promise<boolean> => {
    signal?.throwIfAborted()
    leases.use(store.lease([blake3]))
    if (store.verified(blake3) !== undefined) return true
    const hex = hexOf(blake3)
    const path = join(root, 'blobs/blake3', hex.slice(0, 2), hex.slice(2, 4), hex)
    if (!(await pathExists(path))) return false
    await store.importFile({ digest: blake3, sizeBytes: size }, path)
    work.blobCount += 1
    work.bytes += size
    return true
  }
  const releases: string[] = []
  const dids = catalog.offers().flatMap(({ did }) => did ?? [])
  for (const entry of servableReleases(catalog.offers(), new Set(dids))) {
    if (await takeRelease(entry, platform, store, take)) {
      releases.push(`${entry.app} ${entry.version}`)
    }
  }
  return { catalog: outcome, releases: [...new Set(releases)], ...work }
}

async function takeRelease(
  entry: CatalogEntry,
  platform: Platform,
  store: Deps['store'],
  take: (ref: BlobRef) => Promise<boolean>,
): Promise<boolean> {
  if (!(await take(entry.manifest))) return false
  const blob = store.verified(entry.manifest.blake3)
  if (blob === undefined) return false
  let isComplete = true
  for (const ref of releaseBlobs(await readManifest(entry, blob), platform)) {
    isComplete = (await take(ref)) && isComplete
  }
  return isComplete
}
