/** What the catalog names: the releases that nodes may ask for, and every blob of them. */
import type { BlobRef } from '../../src/core/blob.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import { parsePublishedManifest } from '../manifest/parse.ts'
import { hasBlob } from './blob-writer.ts'
import { channelFields } from './documents.ts'
import type { Draft, DraftApp } from './draft.ts'
import { blobPath, type OriginFolder } from './origin-folder.ts'
import { blobsOf } from './published-form.ts'

/** The releases of an app that its channels say something of. */
export function namedSeqs(app: DraftApp): ReadonlySet<number> {
  const releases = Object.values(app.channels).flatMap(channel => {
    const { head, next, older = [] } = channelFields(app, channel)
    return [head, ...older, ...(next === undefined ? [] : [next.release])]
  })
  return new Set(releases.map(({ seq }) => seq))
}

/**
 * What the catalog names must be there before it is named.
 * @throws PublishError `ORIGIN_DAMAGED`
 */
export async function namedBlobs(folder: OriginFolder, draft: Draft): Promise<readonly BlobRef[]> {
  const manifests = Object.values(draft.apps).flatMap(app => {
    const named = namedSeqs(app)
    return app.releases.filter(({ seq }) => named.has(seq)).map(({ manifest }) => manifest)
  })
  return releaseBlobs(folder, manifests)
}

/** The manifests and every blob that they name, each once. @throws PublishError `ORIGIN_DAMAGED` */
export async function releaseBlobs(
  folder: OriginFolder,
  manifests: readonly BlobRef[],
): Promise<readonly BlobRef[]> {
  const blobs = new Map<string, BlobRef>()
  for (const manifest of manifests) {
    const bytes = await readFileBounded(blobPath(folder, manifest.blake3), manifest.size)
    if (bytes === undefined) throw absent(folder, manifest.blake3)
    for (const blob of [manifest, ...blobsOf(parsePublishedManifest(bytes))]) {
      if (!blobs.has(blob.blake3) && !(await hasBlob(folder, blob))) {
        throw absent(folder, blob.blake3)
      }
      blobs.set(blob.blake3, blob)
    }
  }
  return [...blobs.values()]
}

function absent(folder: OriginFolder, digest: string): PublishError {
  const why = `the blob ${digest} is missing or has the wrong size`
  const fix = 'add the app again with "archy origin add"'
  return new PublishError('ORIGIN_DAMAGED', `${why} in ${folder.blobs}; ${fix}`)
}
