/** Puts blobs into the origin: hashed by two implementations, written once, with their piece layers. */
import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createPieceLayerBuilder } from '../../src/core/blake3/index.ts'
import type { BlobRef } from '../../src/core/blob.ts'
import { createDigestHasher, type Digest, type Sha256 } from '../../src/core/digest.ts'
import { codeOf } from '../../src/core/errors.ts'
import { asDiskFull, syncFolder, writeFileAtomic } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import type { OciDescriptor } from './oci/documents.ts'
import { type OciLayout, openDescribed, wrongDigest } from './oci/layout.ts'
import { blobPath, type OriginFolder } from './origin-folder.ts'

const CHUNK_BYTES = 2 ** 20

/**
 * Copies a blob of an image into the origin, checking size and SHA-256 on the way.
 * @param onBytes is told the length of every part that was copied
 * @throws PublishError `OCI_INVALID`, `OCI_TRUNCATED`, `HASH_DISAGREEMENT`
 * @throws FileError `DISK_FULL`
 */
export async function copyBlob(
  folder: OriginFolder,
  layout: OciLayout,
  descriptor: OciDescriptor,
  onBytes: (count: number) => void,
): Promise<BlobRef> {
  await using source = await openDescribed(layout, descriptor)
  const path = join(folder.work, randomBytes(8).toString('hex'))
  const hashes = createHashes(descriptor.size)
  try {
    await using target = await open(path, 'wx', 0o644)
    let left = descriptor.size
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(1, left)))
    while (left > 0) {
      const { bytesRead } = await source.read(chunk, 0, Math.min(chunk.length, left))
      if (bytesRead === 0) throw shrank(layout, descriptor)
      const part = chunk.subarray(0, bytesRead)
      hashes.update(part)
      await writeAll(target, part)
      left -= bytesRead
      onBytes(bytesRead)
    }
    await target.sync()
  } catch (error) {
    throw asDiskFull(error, path)
  }
  const found = hashes.finish()
  if (found.sha256 !== descriptor.digest) throw wrongDigest(layout, descriptor, found.sha256)
  await keep(folder, found, path)
  return refOf(found, descriptor.size, descriptor.mediaType)
}

/**
 * Writes a blob that comes from elsewhere; what it must be is known.
 * @throws PublishError `BLOB_REFUSED`, `HASH_DISAGREEMENT`
 * @throws FileError `DISK_FULL`
 */
export async function importBlob(
  folder: OriginFolder,
  wanted: BlobRef,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  const path = join(folder.work, randomBytes(8).toString('hex'))
  const hashes = createHashes(wanted.size)
  let size = 0
  try {
    await using target = await open(path, 'wx', 0o644)
    for await (const part of source) {
      size += part.length
      if (size > wanted.size) throw notWanted(wanted, 'is longer')
      hashes.update(part)
      await writeAll(target, part)
    }
    await target.sync()
  } catch (error) {
    throw asDiskFull(error, path)
  }
  if (size < wanted.size) throw notWanted(wanted, 'is shorter')
  const found = hashes.finish()
  if (found.blake3 !== wanted.blake3 || found.sha256 !== wanted.sha256) {
    throw notWanted(wanted, `has the hash ${found.blake3}`)
  }
  await keep(folder, found, path)
}

function notWanted({ blake3, size }: BlobRef, how: string): PublishError {
  return new PublishError(
    'BLOB_REFUSED',
    `the blob ${blake3} of ${size} bytes ${how} at its source`,
  )
}

/** Writes a small blob that is in memory. @throws PublishError `HASH_DISAGREEMENT` */
export async function writeBlob(
  folder: OriginFolder,
  bytes: Uint8Array,
  mediaType: string,
): Promise<BlobRef> {
  const hashes = createHashes(bytes.length)
  hashes.update(bytes)
  const found = hashes.finish()
  const path = join(folder.work, randomBytes(8).toString('hex'))
  await writeFileAtomic(path, bytes)
  await keep(folder, found, path)
  return refOf(found, bytes.length, mediaType)
}

/** True when the origin holds a file of the right size at the address; its content was checked when it was written. */
export async function hasBlob(folder: OriginFolder, { blake3, size }: BlobRef): Promise<boolean> {
  try {
    return (await stat(blobPath(folder, blake3))).size === size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

interface Hashed {
  readonly blake3: Digest
  readonly sha256: Sha256
  readonly layer: Uint8Array | undefined
}

function refOf({ blake3, sha256 }: Hashed, size: number, mediaType: string): BlobRef {
  return { blake3, sha256, size, mediaType }
}

/** An address is only signed when our tree code and `blake3-wasm`, which know nothing of each other, agree on it. */
function createHashes(sizeBytes: number) {
  const sha256 = createHash('sha256')
  const whole = createDigestHasher()
  const tree = createPieceLayerBuilder(sizeBytes)
  return {
    update(bytes: Uint8Array): void {
      sha256.update(bytes)
      whole.update(bytes)
      tree.update(bytes)
    },
    finish(): Hashed {
      const { digest, layer } = tree.finish()
      const second = whole.digest()
      if (digest !== second) {
        throw new PublishError(
          'HASH_DISAGREEMENT',
          `two BLAKE3 implementations disagree: ${digest} and ${second}. This machine computes wrong; do not publish from it`,
        )
      }
      return { blake3: digest, sha256: `sha256:${sha256.digest('hex')}` as Sha256, layer }
    },
  }
}

/** Moves a finished file to its address. The layer goes first: who sees the blob finds its layer. */
async function keep(folder: OriginFolder, { blake3, layer }: Hashed, from: string): Promise<void> {
  const path = blobPath(folder, blake3)
  await mkdir(dirname(path), { recursive: true })
  if (layer !== undefined) await writeFileAtomic(`${path}.pieces`, layer)
  await rename(from, path)
  for (const above of [dirname(path), dirname(dirname(path)), folder.blobs]) await syncFolder(above)
}

async function writeAll(target: FileHandle, bytes: Uint8Array): Promise<void> {
  let offset = 0
  while (offset < bytes.length) {
    offset += (await target.write(bytes, offset)).bytesWritten
  }
}

function shrank(layout: OciLayout, { digest }: OciDescriptor): PublishError {
  return new PublishError(
    'OCI_TRUNCATED',
    `${layout.name}: blob ${digest} got shorter while it was read`,
  )
}
