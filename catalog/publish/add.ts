/** `origin add`: checks an app folder, copies its images into the origin as blobs, and drafts a release of it. */
import { basename, join } from 'node:path'
import type { BlobRef } from '../../src/core/blob.ts'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { codeOf } from '../../src/core/errors.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { ManifestError } from '../errors.ts'
import {
  AUTHOR_MANIFEST_BYTES_MAX,
  parseAuthorManifest,
  parsePublishedManifest,
} from '../manifest/parse.ts'
import { type AuthorManifest, MANIFEST_MEDIA_TYPE } from '../manifest/schema.ts'
import { label } from '../manifest/values.ts'
import { writeBlob } from './blob-writer.ts'
import { readDraft, writeDraft } from './draft.ts'
import { type OciImage, readImages } from './oci/image.ts'
import { openLayout } from './oci/layout.ts'
import { lockOrigin, type OriginFolder, originFolder } from './origin-folder.ts'
import { keepRelease, type Placement, placeRelease } from './place-release.ts'
import {
  type AddProgress,
  blobsOf,
  createCopier,
  type Images,
  knownBlobs,
  publishedForm,
  sumOfSizes,
} from './published-form.ts'
import { checkVolumes } from './volumes.ts'

/** The author's manifest in an app folder. */
export const MANIFEST_FILE = 'archy.yaml'

export interface AddOptions {
  /** Default `stable`. */
  readonly channel?: string
  /** The release becomes the head of no channel: it waits to be staged. */
  readonly isStaged?: boolean
  /** Refuse a folder of any other app. */
  readonly app?: string
  /** Called after each part that was copied; blobs that the origin has already count as copied. */
  readonly onProgress?: (progress: AddProgress) => void
}

export interface AddedApp {
  readonly app: string
  readonly version: string
  readonly seq: number
  readonly channel: string
  readonly manifest: BlobRef
  /** Bytes of the manifest and of every blob, each counted once. */
  readonly totalSize: number
  /** Bytes that the origin did not have yet. */
  readonly newBytes: number
  readonly outcome: Placement['outcome']
}

/**
 * Drafts a release; nodes see it after `publishOrigin`. When it fails, the draft is as before; blobs that were
 * already copied stay and are used by the next attempt.
 * @throws ManifestError `MANIFEST_INVALID`
 * @throws PublishError `ORIGIN_MISSING`, `ORIGIN_BUSY`, `OCI_INVALID`, `OCI_TRUNCATED`, `OCI_PLATFORM_MISSING`,
 * `HASH_DISAGREEMENT`, `VERSION_NOT_NEWER`
 * @throws FileError `DISK_FULL`
 */
export async function addApp(
  originPath: string,
  appFolder: string,
  options: AddOptions = {},
): Promise<AddedApp> {
  const folder = originFolder(originPath)
  const channel = checkChannel(options.channel ?? 'stable')
  await readDraft(folder)
  const fileName = join(basename(appFolder), MANIFEST_FILE)
  const author = await readAuthorManifest(appFolder, fileName)
  checkApp(author, options.app, fileName)
  await using _lock = await lockOrigin(folder)
  const draft = await readDraft(folder)
  const images = await openImages(folder, appFolder, author)
  checkVolumes(author, volumesOf(images), fileName)
  const known = await knownBlobs(folder, draft)
  const copy = createCopier(folder, known, images, options.onProgress)
  const published = await publishedForm(author, images, copy.blob)
  const bytes = canonicalJson(published)
  parsePublishedManifest(bytes)
  const manifest = await writeBlob(folder, bytes, MANIFEST_MEDIA_TYPE)
  const totalSize = sumOfSizes([manifest, ...blobsOf(published)])
  const { id: app, version } = author
  const place = options.isStaged ? keepRelease : placeRelease
  const placed = place(draft, { app, channel, version, manifest, totalSize })
  if (placed.outcome !== 'unchanged') await writeDraft(folder, placed.draft)
  const { outcome, release } = placed
  const { seq } = release
  return { app, version, seq, channel, manifest, totalSize, newBytes: copy.newBytes(), outcome }
}

function checkApp({ id }: AuthorManifest, wanted: string | undefined, fileName: string): void {
  if (wanted === undefined || wanted === id) return
  throw new ManifestError('MANIFEST_INVALID', `${fileName} is the app ${id}, not ${wanted}`)
}

function checkChannel(channel: string): string {
  if (label.safeParse(channel).success) return channel
  throw new ManifestError(
    'MANIFEST_INVALID',
    `the channel ${JSON.stringify(channel.slice(0, 80))} must be lower-case letters, digits and dashes`,
  )
}

async function readAuthorManifest(appFolder: string, fileName: string): Promise<AuthorManifest> {
  const path = join(appFolder, MANIFEST_FILE)
  const bytes = await readFileBounded(path, AUTHOR_MANIFEST_BYTES_MAX).catch((error: unknown) => {
    // A file in place of the folder is as wrong as nothing there.
    if (codeOf(error) === 'ENOTDIR') return undefined
    throw error
  })
  if (bytes === undefined) {
    throw new ManifestError('MANIFEST_INVALID', `there is no ${path}: this is no app folder`)
  }
  return parseAuthorManifest(Buffer.from(bytes).toString('utf8'), fileName)
}

async function openImages(
  folder: OriginFolder,
  appFolder: string,
  author: AuthorManifest,
): Promise<Images> {
  const images = new Map<string, readonly OciImage[]>()
  for (const [key, { oci, platforms }] of Object.entries(author.images)) {
    const layout = await openLayout(appFolder, key, oci, join(folder.work, key))
    images.set(key, await readImages(layout, platforms))
  }
  return images
}

function volumesOf(images: Images): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...images].map(([key, all]) => [
      key,
      all.flatMap(({ config }) => Object.keys(config.config?.Volumes ?? {})),
    ]),
  )
}
