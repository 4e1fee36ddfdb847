/** Where another publisher's file and blobs are imported from: a folder in the origin's layout, or any web server. */
import { createReadStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Digest, hexOf } from '../../../src/core/digest.ts'
import { isFolder, readFileBounded } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'

export interface PublisherSource {
  readonly name: string
  /** `undefined` when it is not there. */
  get(name: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array | undefined>
  /** The bytes of a blob as they come; nothing of them is checked yet. */
  blob(digest: Digest, signal?: AbortSignal): AsyncIterable<Uint8Array>
}

/**
 * The folder of a publisher, or what of it is served.
 * @throws PublishError `PUBLISHER_REFUSED` when there is no such folder
 */
export async function openPublisherFolder(place: string): Promise<PublisherSource> {
  const root = resolve(place)
  const served = join(root, 'public')
  const base = (await isFolder(served)) ? served : root
  if (!(await isFolder(base))) throw unusable(place, 'there is no such folder')
  return {
    name: base,
    get: (name, maxBytes) => readFileBounded(join(base, name), maxBytes),
    blob: digest => createReadStream(join(base, blobName(digest))),
  }
}

/** Where a blob is below the place. */
export function blobName(digest: Digest): string {
  const hex = hexOf(digest)
  return `blobs/blake3/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
}

export function unusable(place: string, why: string, cause?: unknown): PublishError {
  return new PublishError('PUBLISHER_REFUSED', `${place} cannot be read: ${why}`, { cause })
}
