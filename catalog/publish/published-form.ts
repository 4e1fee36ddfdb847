/** From the images of an app to the published form of its manifest: every blob in the origin, by address. */
import type { BlobRef } from '../../src/core/blob.ts'
import type { Sha256 } from '../../src/core/digest.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { parsePublishedManifest } from '../manifest/parse.ts'
import type { AppManifest, AuthorManifest, PlatformImage } from '../manifest/schema.ts'
import { copyBlob, hasBlob } from './blob-writer.ts'
import type { Draft } from './draft.ts'
import type { OciDescriptor } from './oci/documents.ts'
import type { OciImage } from './oci/image.ts'
import { blobPath, type OriginFolder } from './origin-folder.ts'

/** By image key; one image for each declared platform. */
export type Images = ReadonlyMap<string, readonly OciImage[]>

export interface AddProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

type CopyBlob = (image: OciImage, descriptor: OciDescriptor) => Promise<BlobRef>

/** Copies each blob once; what an earlier release brought is not read again. */
export function createCopier(
  folder: OriginFolder,
  known: ReadonlyMap<Sha256, BlobRef>,
  images: Images,
  onProgress: ((progress: AddProgress) => void) | undefined,
): { readonly blob: CopyBlob; readonly newBytes: () => number } {
  const copied = new Map<Sha256, BlobRef>()
  const all = [...images.values()].flat().flatMap(descriptorsOf)
  const totalBytes = sumOfSizes(all.map(({ digest, size }) => ({ blake3: digest, size })))
  let doneBytes = 0
  let newBytes = 0
  const advance = (count: number): void => {
    doneBytes += count
    onProgress?.({ doneBytes, totalBytes })
  }
  return {
    newBytes: () => newBytes,
    async blob({ layout }, descriptor) {
      const { digest, size, mediaType } = descriptor
      const before = copied.get(digest)
      if (before !== undefined) return { ...before, mediaType }
      const held = known.get(digest)
      const isHeld = held !== undefined && held.size === size && (await hasBlob(folder, held))
      const ref = isHeld
        ? { ...held, mediaType }
        : await copyBlob(folder, layout, descriptor, advance)
      if (isHeld) advance(size)
      else newBytes += size
      copied.set(digest, ref)
      return ref
    },
  }
}

function descriptorsOf({ descriptor, manifest }: OciImage): readonly OciDescriptor[] {
  return [descriptor, manifest.config, ...manifest.layers]
}

/** The manifest as it is signed. @throws PublishError as `copyBlob` */
export async function publishedForm(
  author: AuthorManifest,
  images: Images,
  copy: CopyBlob,
): Promise<AppManifest> {
  const published: AppManifest['images'] = {}
  for (const [key, all] of images) {
    const platforms: Partial<Record<OciImage['platform'], PlatformImage>> = {}
    for (const image of all) {
      const layers: BlobRef[] = []
      for (const layer of image.manifest.layers) layers.push(await copy(image, layer))
      const config = await copy(image, image.manifest.config)
      platforms[image.platform] = { manifest: await copy(image, image.descriptor), config, layers }
    }
    published[key] = { platforms }
  }
  return { ...author, images: published }
}

/** Every blob of every image; a shared one appears several times. */
export function blobsOf({ images }: AppManifest): readonly BlobRef[] {
  return Object.values(images)
    .flatMap(({ platforms }) => Object.values(platforms))
    .flatMap(({ manifest, config, layers }) => [manifest, config, ...layers])
}

/** Each address counts once. */
export function sumOfSizes(
  blobs: readonly { readonly blake3: string; readonly size: number }[],
): number {
  const sizes = new Map(blobs.map(({ blake3, size }) => [blake3, size]))
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** Every blob of every release so far, so that a layer which did not change is not read again. */
export async function knownBlobs(
  folder: OriginFolder,
  draft: Draft,
): Promise<ReadonlyMap<Sha256, BlobRef>> {
  const known = new Map<Sha256, BlobRef>()
  for (const { manifest } of Object.values(draft.apps).flatMap(app => app.releases)) {
    const bytes = await readFileBounded(blobPath(folder, manifest.blake3), manifest.size)
    if (bytes === undefined) continue
    for (const blob of blobsOf(parsePublishedManifest(bytes))) known.set(blob.sha256, blob)
  }
  return known
}
