/** An OCI image layout on disk: opened from a folder or an archive, its files read only inside of it. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { hexOf } from '../../../src/core/digest.ts'
import { codeOf } from '../../../src/core/errors.ts'
import { PublishError } from '../../errors.ts'
import { OCI_DOCUMENT_BYTES_MAX } from '../limits.ts'
import { extractArchive } from './archive.ts'
import type { OciDescriptor } from './documents.ts'

export interface OciLayout {
  /** For messages: `image "web" (images/web)`. */
  readonly name: string
  /** Real path, without symbolic links. */
  readonly folder: string
}

/**
 * Opens the image `key` of an app. An archive is unpacked into `workFolder`, which the caller removes.
 * @param path relative to `appFolder`; symbolic links must not lead out of it
 * @throws PublishError `OCI_INVALID`, `OCI_TRUNCATED`
 */
export async function openLayout(
  appFolder: string,
  key: string,
  path: string,
  workFolder: string,
): Promise<OciLayout> {
  const name = `image ${JSON.stringify(key)} (${path})`
  const root = await realpath(appFolder)
  const real = await realPathOf(join(root, path), name)
  if (!real.startsWith(root + sep)) throw invalid(name, 'leads out of the app folder')
  const found = await stat(real)
  if (found.isDirectory()) return { name, folder: real }
  if (!found.isFile()) throw invalid(name, 'is neither a folder nor a file')
  await extractArchive(real, name, workFolder)
  return { name, folder: await realpath(workFolder) }
}

/** Reads `index.json`. @throws PublishError `OCI_INVALID` */
export async function readIndexFile(layout: OciLayout): Promise<Uint8Array> {
  await using file = await openInside(layout, 'index.json')
  return await readDocument(layout, file, 'index.json')
}

/**
 * Reads a JSON document of the image and checks its size and digest.
 * @throws PublishError `OCI_INVALID`, `OCI_TRUNCATED`
 */
export async function readDescribed(
  layout: OciLayout,
  descriptor: OciDescriptor,
): Promise<Uint8Array> {
  await using file = await openDescribed(layout, descriptor)
  const bytes = await readDocument(layout, file, descriptor.digest)
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  if (found !== descriptor.digest) throw wrongDigest(layout, descriptor, found)
  return bytes
}

/**
 * Opens the blob of a descriptor; its size is checked, its content is not. The caller closes the file.
 * @throws PublishError `OCI_INVALID`, `OCI_TRUNCATED`
 */
export async function openDescribed(
  layout: OciLayout,
  descriptor: OciDescriptor,
): Promise<FileHandle> {
  const file = await openInside(layout, join('blobs', 'sha256', hexOf(descriptor.digest)))
  try {
    const { size } = await file.stat()
    if (size !== descriptor.size) {
      const code = size < descriptor.size ? 'OCI_TRUNCATED' : 'OCI_INVALID'
      const sizes = `has ${size} bytes; its descriptor says ${descriptor.size}`
      throw new PublishError(code, `${layout.name}: blob ${descriptor.digest} ${sizes}`)
    }
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

export function wrongDigest(
  layout: OciLayout,
  { digest }: OciDescriptor,
  found: string,
): PublishError {
  return invalid(layout.name, `blob ${digest} is damaged: its bytes have the digest ${found}`)
}

function invalid(name: string, why: string, cause?: unknown): PublishError {
  return new PublishError('OCI_INVALID', `${name}: ${why}`, { cause })
}

async function openInside(layout: OciLayout, path: string): Promise<FileHandle> {
  const real = await realPathOf(join(layout.folder, path), layout.name)
  if (!real.startsWith(layout.folder + sep)) {
    throw invalid(layout.name, `${path} leads out of the layout`)
  }
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const found = await file.stat()
  if (found.isFile()) return file
  await file.close()
  throw invalid(layout.name, `${path} is not a file`)
}

async function realPathOf(path: string, name: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') {
      throw invalid(name, `there is no ${path}`, error)
    }
    throw error
  }
}

async function readDocument(
  layout: OciLayout,
  file: FileHandle,
  shown: string,
): Promise<Uint8Array> {
  const { size } = await file.stat()
  if (size > OCI_DOCUMENT_BYTES_MAX) {
    throw invalid(layout.name, `${shown} has ${size} bytes; the limit is ${OCI_DOCUMENT_BYTES_MAX}`)
  }
  return await file.readFile()
}
