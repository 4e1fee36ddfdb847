/**
 * The `level` index: what the store holds, so that a start after a clean stop opens no file of a complete blob, and a
 * small area of counters. The files stay the truth: the index is rebuilt from them after anything but a clean stop.
 * Its lock also keeps a second process out. The only user of `level`.
 */
import { rm } from 'node:fs/promises'
import { Level } from 'level'
import { z } from 'zod'
import { type Digest, hexOf, parseDigest } from '../../src/core/digest.ts'
import { codeOf, messageOf } from '../../src/core/errors.ts'
import { FileError } from '../../src/core/files.ts'
import type { Log } from '../../src/core/log.ts'
import { StoreError } from '../errors.ts'

const entrySchema = z.strictObject({
  sizeBytes: z.int().nonnegative(),
  isComplete: z.boolean(),
  lastUsedMs: z.number(),
})
const stateSchema = z.strictObject({ format: z.literal(1), blobCount: z.int() })

export type IndexEntry = z.infer<typeof entrySchema>

export interface StoreIndex {
  /** What the index says of each blob; only to be believed when `isClean`. */
  readonly entries: ReadonlyMap<Digest, IndexEntry>
  /** True when the last run closed the store and nothing was damaged since. */
  readonly isClean: boolean
  getMeta(key: string): Promise<string | undefined>
  setMeta(key: string, value: string): Promise<void>
  /** Replaces all entries, marks the index clean and closes it. */
  close(entries: ReadonlyMap<Digest, IndexEntry>): Promise<void>
  /** Closes without marking it clean. */
  abandon(): Promise<void>
}

const STATE_KEY = 'state'
const BLOB_PREFIX = 'blob/'
const META_PREFIX = 'meta/'
/** Sorts after every key with the prefix. */
const END = '\uffff'

/** @throws StoreError `STORE_LOCKED` when another process has the store open; `INDEX_UNUSABLE`; FileError `DISK_FULL` */
export async function openIndex(folder: string, log: Log): Promise<StoreIndex> {
  let db = await openLevel(folder)
  let content =
    db &&
    (await readContent(db).catch((error: unknown) => {
      log.warn('index not readable', { folder, reason: messageOf(error) })
      return undefined
    }))
  if (db === undefined || content === undefined) {
    log.warn('index damaged, making a new one', { folder })
    await db?.close()
    await rm(folder, { recursive: true, force: true })
    db = await openLevel(folder)
    content = db && (await readContent(db))
  }
  if (db === undefined || content === undefined) {
    throw new StoreError(
      'INDEX_UNUSABLE',
      `a new index in ${folder} is damaged at once; check the disk`,
    )
  }
  // From here until `close` the index is not to be believed by a later run.
  await db.del(STATE_KEY, { sync: true })
  return wrap(db, content)
}

async function openLevel(folder: string): Promise<Level | undefined> {
  const db = new Level(folder)
  try {
    await db.open()
    return db
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    if (codeOf(cause) === 'LEVEL_LOCKED') {
      throw new StoreError('STORE_LOCKED', `the index in ${folder} is in use by another process`, {
        cause: error,
      })
    }
    if (codeOf(cause) === 'LEVEL_CORRUPTION') return undefined
    if (messageOf(cause).includes('No space left')) {
      throw new FileError('DISK_FULL', `no space left on the disk that holds ${folder}`, { cause })
    }
    throw new StoreError(
      'INDEX_UNUSABLE',
      `the index in ${folder} cannot be opened: ${messageOf(cause)}`,
      { cause: error },
    )
  }
}

type Content = Pick<StoreIndex, 'entries' | 'isClean'>

async function readContent(db: Level): Promise<Content> {
  const entries = new Map<Digest, IndexEntry>()
  for await (const [key, value] of db.iterator({ gte: BLOB_PREFIX, lt: BLOB_PREFIX + END })) {
    const entry = entrySchema.parse(JSON.parse(value))
    entries.set(parseDigest(`blake3:${key.slice(BLOB_PREFIX.length)}`), entry)
  }
  const state = await db.get(STATE_KEY)
  const isClean =
    state !== undefined && stateSchema.parse(JSON.parse(state)).blobCount === entries.size
  return { entries, isClean }
}

function wrap(db: Level, content: Content): StoreIndex {
  return {
    ...content,
    getMeta: key => db.get(META_PREFIX + key),
    setMeta: (key, value) => db.put(META_PREFIX + key, value),
    async close(entries) {
      try {
        await db.clear({ gte: BLOB_PREFIX, lt: BLOB_PREFIX + END })
        const batch = db.batch()
        for (const [digest, entry] of entries) {
          batch.put(BLOB_PREFIX + hexOf(digest), JSON.stringify(entry))
        }
        batch.put(STATE_KEY, JSON.stringify({ format: 1, blobCount: entries.size }))
        await batch.write({ sync: true })
      } finally {
        await db.close()
      }
    },
    abandon: () => db.close(),
  }
}
