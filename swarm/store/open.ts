/** Opens a blob store: takes its lock, and learns what it holds from the index or, after a crash, from the files. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pieceCountOf } from '../../src/core/blake3/index.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { eachInParallel } from '../../src/core/parallel.ts'
import { StoreError } from '../errors.ts'
import type { BlobStore } from '../ports.ts'
import type { AdmissionLimits } from './admission.ts'
import { createFullPieceSet } from './bitfield.ts'
import { deleteBlobFiles } from './blob-files.ts'
import { DiskBlobStore } from './disk-store.ts'
import { openIndex, type StoreIndex } from './index-db.ts'
import { blobPathsOf, digestOfFileName, isLeftover } from './paths.ts'
import { openPieceWork, type PieceWork } from './piece-work/piece-work.ts'
import { BlobRecord } from './record.ts'
import { loadBlob } from './recover.ts'

export interface StoreDeps {
  /** Made when missing. `blobs/` in it holds the files, `index/` what can be made again from them. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
}

/**
 * After a clean stop this opens no file of a complete blob. After a crash it reads every bitfield, and hashes data only
 * where a bitfield is damaged.
 * @throws StoreError `STORE_LOCKED` when another process has it open; `INDEX_UNUSABLE`
 */
export async function openBlobStore(deps: StoreDeps, limits: AdmissionLimits): Promise<BlobStore> {
  const { clock, log } = deps
  const blobsFolder = join(deps.folder, 'blobs')
  await mkdir(blobsFolder, { recursive: true, mode: 0o700 })
  const holder = join(deps.folder, 'holder')
  const index = await openIndex(join(deps.folder, 'index'), log).catch(async error => {
    throw codeOf(error) === 'STORE_LOCKED' ? await lockedBy(holder, deps.folder, error) : error
  })
  const work = openPieceWork({ clock, log })
  const loader = { blobsFolder, index, clock, log, work }
  try {
    await noteHolder(holder, log)
    const digests = index.isClean ? [...index.entries.keys()] : await scanBlobs(blobsFolder, log)
    const records = new Map<Digest, BlobRecord>()
    await eachInParallel(digests, LOADED_AT_ONCE, async digest => {
      const record = await loadRecord(loader, digest)
      if (record !== undefined) records.set(digest, record)
    })
    log.info('blob store opened', {
      folder: deps.folder,
      blobs: records.size,
      clean: index.isClean,
    })
    return new DiskBlobStore({ ...loader, records }, limits)
  } catch (error) {
    await work[Symbol.asyncDispose]()
    await index.abandon()
    throw error
  }
}

/** Only for the message to whoever comes second: the lock is the index's own, which ends with the process. */
async function noteHolder(path: string, log: Log): Promise<void> {
  try {
    await rm(path, { force: true })
    await writeFile(path, `${process.pid}\n`)
  } catch (error) {
    log.debug('holder not noted', { path, reason: messageOf(error) })
  }
}

async function lockedBy(path: string, folder: string, cause: unknown): Promise<StoreError> {
  // Without the note the message does not name the process, that is all.
  const text = await readFile(path, 'utf8').catch(() => '')
  const pid = /^\d+$/.exec(text.trim())?.[0]
  const who = pid === undefined ? 'another process' : `another process (pid ${pid})`
  const fix = 'stop that one first, or give this one a state folder of its own (ARCHY_STATE)'
  return new StoreError('STORE_LOCKED', `the blob store ${folder} is in use by ${who}; ${fix}`, {
    cause,
  })
}

/** Bitfields read at once after a crash: waiting for one disk access hides behind the others. */
const LOADED_AT_ONCE = 16

interface Loader {
  readonly blobsFolder: string
  readonly index: StoreIndex
  readonly clock: Clock
  readonly log: Log
  readonly work: PieceWork
}

async function loadRecord(loader: Loader, digest: Digest): Promise<BlobRecord | undefined> {
  const { blobsFolder, index, log } = loader
  const paths = blobPathsOf(blobsFolder, digest)
  const entry = index.entries.get(digest)
  if (index.isClean && entry?.isComplete) {
    const pieces = createFullPieceSet(pieceCountOf(entry.sizeBytes))
    return new BlobRecord(
      blobsFolder,
      { digest, sizeBytes: entry.sizeBytes },
      pieces,
      entry.lastUsedMs,
    )
  }
  const loaded = await loadBlob(loader, paths, digest)
  if (loaded === undefined) {
    // Nobody can say what these bytes are: they would only take room.
    log.info('unusable blob files deleted', { digest })
    await deleteBlobFiles(paths)
    return undefined
  }
  // The index of an older run knows of reads that a file system does not note.
  const lastUsedMs = Math.max(loaded.lastUsedMs, entry?.lastUsedMs ?? 0)
  return new BlobRecord(blobsFolder, loaded.id, loaded.pieces, lastUsedMs)
}

/** The blobs that have files; what interrupted writes left behind is deleted on the way. */
async function scanBlobs(blobsFolder: string, log: Log): Promise<readonly Digest[]> {
  const digests = new Set<Digest>()
  const found = await readdir(blobsFolder, { recursive: true, withFileTypes: true })
  for (const file of found) {
    const digest = digestOfFileName(file.name)
    if (digest !== undefined) digests.add(digest)
    else if (isLeftover(file.name)) await rm(join(file.parentPath, file.name))
  }
  log.info('blob files scanned', { blobs: digests.size })
  return [...digests]
}
