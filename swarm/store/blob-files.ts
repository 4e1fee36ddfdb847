/** The three files of one blob: making, loading and saving them so that a power cut leaves nothing wrong. */
import { constants, type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { foldPieceLayer, pieceLayerLengthOf } from '../../src/core/blake3/index.ts'
import { codeOf } from '../../src/core/errors.ts'
import { asDiskFull, readFileBounded, syncFolder, writeFileAtomic } from '../../src/core/files.ts'
import type { BlobId } from '../ports.ts'
import {
  BITFIELD_FILE_BYTES_MAX,
  decodeBitfield,
  encodeBitfield,
  type PieceSet,
} from './bitfield.ts'
import type { BlobPaths } from './paths.ts'

/**
 * Makes the data file, sparse, in folders whose names are durable. Its own name becomes durable with the first bitfield,
 * which stands in the same folder. An existing file keeps its bytes.
 * @throws FileError `DISK_FULL`
 */
export async function openDataFile(paths: BlobPaths, sizeBytes: number): Promise<FileHandle> {
  try {
    const made = await mkdir(paths.folder, { recursive: true })
    if (made !== undefined) {
      await syncFolder(dirname(paths.folder))
      await syncFolder(dirname(dirname(paths.folder)))
    }
    const handle = await open(paths.data, constants.O_RDWR | constants.O_CREAT, 0o644)
    try {
      await handle.truncate(sizeBytes)
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw asDiskFull(error, paths.data)
  }
}

/**
 * Only after the data of these pieces was synced. On a full disk the old bitfield is deleted, so that the next start
 * hashes the data again and finds everything that is in it.
 * @throws FileError `DISK_FULL`
 */
export async function saveBitfield(
  paths: BlobPaths,
  { digest, sizeBytes }: BlobId,
  pieces: PieceSet,
): Promise<void> {
  try {
    await writeFileAtomic(paths.bitfield, encodeBitfield(digest, sizeBytes, pieces))
  } catch (error) {
    if (codeOf(error) === 'DISK_FULL') await deleteBitfield(paths)
    throw error
  }
}

async function deleteBitfield(paths: BlobPaths): Promise<void> {
  await rm(paths.bitfield, { force: true })
  await syncFolder(paths.folder).catch(error => {
    if (codeOf(error) !== 'ENOENT') throw error
  })
}

/** `undefined` when there is none, or when it is damaged. */
export async function loadBitfield(
  paths: BlobPaths,
  digest: BlobId['digest'],
): Promise<ReturnType<typeof decodeBitfield>> {
  const file = await readFileBounded(paths.bitfield, BITFIELD_FILE_BYTES_MAX).catch(error => {
    if (codeOf(error) === 'FILE_TOO_LARGE') return undefined
    throw error
  })
  return file && decodeBitfield(digest, file)
}

/** The piece layer, verified against the address; `undefined` when there is none, or when it is damaged. */
export async function loadPieceLayer(
  paths: BlobPaths,
  { digest, sizeBytes }: BlobId,
): Promise<Uint8Array | undefined> {
  const lengthBytes = pieceLayerLengthOf(sizeBytes)
  if (lengthBytes === 0) return undefined
  const layer = await readFileBounded(paths.layer, lengthBytes).catch(error => {
    if (codeOf(error) === 'FILE_TOO_LARGE') return undefined
    throw error
  })
  if (layer?.length !== lengthBytes) return undefined
  return foldPieceLayer(layer, sizeBytes) === digest ? layer : undefined
}

export async function savePieceLayer(paths: BlobPaths, layer: Uint8Array): Promise<void> {
  await writeFileAtomic(paths.layer, layer)
}

/** The size of the data file and when it was last used, or `undefined` when there is none. */
export async function dataFileOf(
  paths: BlobPaths,
): Promise<{ readonly sizeBytes: number; readonly lastUsedMs: number } | undefined> {
  try {
    const { size, atimeMs, mtimeMs } = await stat(paths.data)
    return { sizeBytes: size, lastUsedMs: Math.round(Math.max(atimeMs, mtimeMs)) }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The bitfield goes first, and durably: no moment leaves a bitfield that speaks of deleted data. */
export async function deleteBlobFiles(paths: BlobPaths): Promise<void> {
  await deleteBitfield(paths)
  await rm(paths.layer, { force: true })
  await rm(paths.data, { force: true })
}

/** Fills `bytes` from `offset`; returns how many bytes the file had, which is less at its end. */
export async function readFully(
  handle: FileHandle,
  bytes: Uint8Array,
  offset: number,
): Promise<number> {
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

export async function writeFully(
  handle: FileHandle,
  bytes: Uint8Array,
  offset: number,
): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}
