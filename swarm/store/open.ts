/** Opens a blob store: takes its lock, and learns what it holds from the index or, after a crash, from the files. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  inlinePieceVerifier,
  type PieceVerifier,
  pieceCountOf,
} from '../../src/core/blake3/index.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { Log } from '../../src/core/log.ts'
import type { BlobStore } from '../ports.ts'
import { createFullPieceSet } from './bitfield.ts'
import { DiskBlobStore, type StoreOptions } from './disk-store.ts'
import { openIndex, type StoreIndex } from './index-db.ts'
import { blobPathsOf, digestOfFileName, isLeftover } from './paths.ts'
import { type BlobRecord, createRecord } from './record.ts'
import { loadBlob } from './recover.ts'

export interface StoreDeps {
  /** Made when missing. `blobs/` in it holds the files, `index/` what can be made again from them. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** Checks pieces in this thread when left out. */
  readonly verifier?: PieceVerifier
}

/**
 * After a clean stop this opens no file of a complete blob. After a crash it reads every bitfield, and hashes data only
 * where a bitfield is damaged.
 * @throws StoreError `STORE_LOCKED` when another process has it open; `INDEX_UNUSABLE`
 */
export async function openBlobStore(deps: StoreDeps, options: StoreOptions): Promise<BlobStore> {
  const { clock, log, verifier = inlinePieceVerifier } = deps
  const blobsFolder = join(deps.folder, 'blobs')
  await mkdir(blobsFolder, { recursive: true, mode: 0o700 })
  const index = await openIndex(join(deps.folder, 'index'), log)
  const loader = { blobsFolder, index, clock, log, verifier }
  try {
    const digests = index.isClean ? [...index.entries.keys()] : await scanBlobs(blobsFolder, log)
    const records = new Map<Digest, BlobRecord>()
    for (const digest of digests) {
      const record = await loadRecord(loader, digest)
      if (record !== undefined) records.set(digest, record)
    }
    log.info('blob store opened', {
      folder: deps.folder,
      blobs: records.size,
      clean: index.isClean,
    })
    return new DiskBlobStore({ ...loader, records }, options)
  } catch (error) {
    await index.abandon()
    throw error
  }
}

interface Loader {
  readonly blobsFolder: string
  readonly index: StoreIndex
  readonly clock: Clock
  readonly log: Log
  readonly verifier: PieceVerifier
}

async function loadRecord(loader: Loader, digest: Digest): Promise<BlobRecord | undefined> {
  const { blobsFolder, index, clock } = loader
  const paths = blobPathsOf(blobsFolder, digest)
  const entry = index.entries.get(digest)
  const lastUsedMs = entry?.lastUsedMs ?? clock.nowMs()
  if (index.isClean && entry?.isComplete) {
    const pieces = createFullPieceSet(pieceCountOf(entry.sizeBytes))
    return createRecord({ digest, sizeBytes: entry.sizeBytes }, paths, pieces, lastUsedMs)
  }
  const loaded = await loadBlob(loader, paths, digest)
  return loaded && createRecord(loaded.id, paths, loaded.pieces, lastUsedMs)
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
