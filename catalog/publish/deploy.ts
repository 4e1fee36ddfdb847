/** Brings the public part of an origin folder to the place that serves it: blobs first, the timestamp last. */
import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { BlobRef } from '../../src/core/blob.ts'
import { codeOf } from '../../src/core/errors.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { eachInParallel } from '../../src/core/parallel.ts'
import { PublishError } from '../errors.ts'
import { TARGETS_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../trust/limits.ts'
import { hasBlob } from './blob-writer.ts'
import { type Destination, isImmutable, type PublicName } from './destination/destination.ts'
import { timestampContent } from './live-catalog.ts'
import { blobPath, type OriginFolder } from './origin-folder.ts'
import type { AddProgress } from './published-form.ts'

export interface DeployOptions {
  /** Leaves metadata out; the default takes all of it. */
  readonly isWanted?: (name: PublicName) => boolean
  /** Told before the first write how much there is to write; throws to refuse. */
  readonly onTotal?: (bytes: number) => Promise<void>
  /** The file that makes everything else visible. */
  readonly last: PublicName
  /** Checks what is served against what was published. */
  readonly readBack: (destination: Destination) => Promise<unknown>
  readonly onProgress?: ((progress: AddProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Deployment {
  readonly destination: string
  readonly uploadedFiles: number
  readonly uploadedBytes: number
}

export const TIMESTAMP = 'catalog/timestamp.json'
/** Enough to hide the time of each request; more only fights over the line. */
const FILES_AT_ONCE = 4

/**
 * What is served there now must be a timestamp of this folder: anything else was published by somebody else, or by
 * this folder before it was restored from a backup, and publishing over it would make two histories.
 * @param expectHead the version that the caller wants to replace; 0: nothing may be there
 * @throws PublishError `HEAD_UNEXPECTED`, `DESTINATION_FAILED`
 */
export async function checkServedHead(
  folder: OriginFolder,
  destination: Destination,
  expectHead: number | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const bytes = await destination.get(TIMESTAMP, TIMESTAMP_BYTES_MAX, signal)
  const served = bytes === undefined ? undefined : timestampContent(destination.name, bytes)
  const version = served?.version ?? 0
  if (expectHead !== undefined && version !== expectHead) {
    const found = version === 0 ? 'no catalog' : `catalog ${version}`
    throw unexpected(destination, `it serves ${found}, not ${expectHead}`)
  }
  if (served === undefined) return
  const own = await readFileBounded(
    join(folder.catalog, `${version}.timestamp.json`),
    TIMESTAMP_BYTES_MAX,
  )
  if (own === undefined) {
    throw unexpected(destination, `it serves catalog ${version}, which this folder never published`)
  }
  if (timestampContent(folder.catalog, own).content !== served.content) {
    throw unexpected(destination, `it serves another catalog ${version} than this folder published`)
  }
}

/**
 * Uploads what is missing there, then reads everything back as a node would that knows nothing but `1.root.json`.
 * Can be interrupted anywhere and run again; until its last step readers see what was there before.
 * @param blobs what the catalog names
 * @throws PublishError `DESTINATION_FAILED`, `PUBLICATION_UNVERIFIED`
 */
export async function deploy(
  folder: OriginFolder,
  destination: Destination,
  blobs: Iterable<BlobRef>,
  options: DeployOptions,
): Promise<Deployment> {
  const { last, isWanted = () => true, onTotal, onProgress, signal } = options
  const files = await blobFiles(folder, blobs)
  const all = await publicFiles(folder, ['catalog', 'feeds'])
  const metadata = all.filter(({ name }) => isWanted(name))
  const there = new Map([
    ...(await destination.list('blobs/', signal)),
    ...(await destination.list('catalog/', signal)),
  ])
  const isMissing = ({ name, size }: PublicFile) => !isImmutable(name) || there.get(name) !== size
  const first = files.filter(isMissing)
  const then = metadata.filter(file => isMissing(file) && file.name !== last)
  const end = metadata.filter(({ name }) => name === last)
  const totalBytes = [...first, ...then, ...end].reduce((sum, { size }) => sum + size, 0)
  await onTotal?.(totalBytes)
  let doneBytes = 0
  for (const group of [first, then, end]) {
    await eachInParallel(group, FILES_AT_ONCE, async file => {
      signal?.throwIfAborted()
      await destination.put(file.name, await uploadOf(file), signal)
      doneBytes += file.size
      onProgress?.({ doneBytes, totalBytes })
    })
  }
  await checkListed(destination, files, signal)
  await options.readBack(destination)
  const uploadedFiles = first.length + then.length + end.length
  return { destination: destination.name, uploadedFiles, uploadedBytes: totalBytes }
}

async function checkListed(
  destination: Destination,
  files: readonly PublicFile[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const there = await destination.list('blobs/', signal)
  const lost = files.find(({ name, size }) => there.get(name) !== size)
  if (lost === undefined) return
  throw new PublishError(
    'PUBLICATION_UNVERIFIED',
    `${destination.name} has taken ${lost.name} but does not list it with ${lost.size} bytes; publish again`,
  )
}

interface PublicFile {
  readonly name: PublicName
  readonly path: string
  readonly size: number
}

/** The blobs and, before each, its piece layer: who sees a blob finds its layer. */
async function blobFiles(
  folder: OriginFolder,
  blobs: Iterable<BlobRef>,
): Promise<readonly PublicFile[]> {
  const files = new Map<PublicName, PublicFile>()
  for (const blob of blobs) {
    const path = blobPath(folder, blob.blake3)
    if (!(await hasBlob(folder, blob))) throw new RangeError(`${path} was there a moment ago`)
    const layer = await sizeOf(`${path}.pieces`)
    if (layer !== undefined) add(`${path}.pieces`, layer)
    add(path, blob.size)
  }
  function add(path: string, size: number): void {
    const name = nameOf(folder, path)
    files.set(name, { name, path, size })
  }
  return [...files.values()]
}

/** Files that an interrupted write left beside the real ones begin with a dot and stay here. */
async function publicFiles(
  folder: OriginFolder,
  parts: readonly string[],
): Promise<readonly PublicFile[]> {
  const files: PublicFile[] = []
  for (const part of parts) {
    for (const entry of await readdir(join(folder.public, part)).catch(noneIfAbsent)) {
      const path = join(folder.public, part, entry)
      const size = await sizeOf(path)
      if (entry.startsWith('.') || size === undefined) continue
      files.push({ name: nameOf(folder, path), path, size })
    }
  }
  return files
}

function noneIfAbsent(error: unknown): string[] {
  if (codeOf(error) === 'ENOENT') return []
  throw error
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Metadata goes from memory, so that a file that is replaced meanwhile is sent whole. */
async function uploadOf({ name, path, size }: PublicFile) {
  if (name.startsWith('blobs/')) return { kind: 'file', path, size } as const
  const bytes = await readFileBounded(path, TARGETS_BYTES_MAX * 2)
  if (bytes === undefined) throw new RangeError(`${path} was there a moment ago`)
  return { kind: 'bytes', bytes } as const
}

function nameOf(folder: OriginFolder, path: string): PublicName {
  return relative(folder.public, path).split(sep).join('/')
}

export function unexpected({ name }: Pick<Destination, 'name'>, why: string): PublishError {
  return new PublishError(
    'HEAD_UNEXPECTED',
    `${name} is not as this folder left it: ${why}. Somebody else published there, or this folder is an old copy; nothing was signed or written`,
  )
}
