/** Publishers that the owner follows although no origin lists them: their files on disk, refreshed one by one. */
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf } from '../../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import type { Log } from '../../src/core/log.ts'
import type { Shelf } from '../entries.ts'
import { CatalogError } from '../errors.ts'
import type { MetadataSource } from '../source.ts'
import { parseDidKey, pathsOfPublisher, publisherIdOf } from '../trust/did-key.ts'
import { acceptFeed, checkFeedTerm, type Feed, type FeedFloor, floorOf } from '../trust/feed.ts'
import { TARGETS_BYTES_MAX } from '../trust/limits.ts'
import { matchesPath } from '../trust/lookup.ts'

/** One publisher, and where its file and its blobs are. */
export interface FeedSource {
  readonly did: string
  /** Asked for `feeds/<id>.json`. */
  readonly source: MetadataSource
}

export interface Feeds {
  /** Asks every publisher's source. One that fails keeps its last file; nothing is thrown. */
  refresh(signal?: AbortSignal): Promise<void>
  shelves(): readonly Shelf[]
  /** The `did:key` of every publisher whose last file cannot be read, until a new one was accepted. */
  unknown(): readonly string[]
  /** What is wrong with which feed. */
  problems(): readonly string[]
}

interface Deps {
  /** A folder of its own. */
  readonly folder: string
  /** The time that the catalog goes by: a clock that is behind is corrected by what was signed. */
  nowMs(): number
  readonly log: Log
}

const FLOOR_BYTES_MAX = 65_536
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const floorSchema = z.strictObject({
  version: z.int().min(1),
  content: hash,
  commitments: z.array(hash).max(100),
})

/**
 * `sources` names each publisher once.
 * @throws CatalogError `DID_MALFORMED`
 */
export async function openFeeds(deps: Deps, sources: readonly FeedSource[]): Promise<Feeds> {
  for (const { did } of sources) parseDidKey(did)
  const followed = await Promise.all(sources.map(source => openFeed(deps, source)))
  return {
    async refresh(signal) {
      await Promise.all(followed.map(feed => feed.refresh(signal)))
    },
    shelves: () => followed.flatMap(feed => feed.shelf() ?? []),
    unknown: () => followed.flatMap(feed => (feed.isUnknown() ? [feed.did] : [])),
    problems: () => followed.flatMap(feed => feed.problem() ?? []),
  }
}

interface Followed {
  readonly did: string
  isUnknown(): boolean
  refresh(signal?: AbortSignal): Promise<void>
  shelf(): Shelf | undefined
  problem(): string | undefined
}

async function openFeed(
  { folder, nowMs, log }: Deps,
  { did, source }: FeedSource,
): Promise<Followed> {
  const id = publisherIdOf(did)
  const paths = { floor: join(folder, `${id}.floor.json`), file: join(folder, `${id}.json`) }
  let floor = await readFloor(paths.floor, log)
  const stored = await readStored(did, paths.file, floor, log)
  let feed = stored === 'unreadable' ? undefined : stored
  // Where there is a floor, there was a file.
  const isLost = stored === 'unreadable' || (stored === undefined && floor !== undefined)
  let problem = isLost ? `feed of ${did}: its stored file cannot be read` : undefined
  let running: Promise<void> | undefined
  // A floor that was lost: what was accepted then is known from the file.
  if (feed !== undefined && feed.targets.version > (floor?.version ?? 0)) {
    floor = floorOf(feed)
    await writeFloor(paths.floor, floor)
  }

  async function take(signal: AbortSignal | undefined): Promise<void> {
    const bytes = await source.get(`feeds/${id}.json`, TARGETS_BYTES_MAX, signal)
    if (bytes === undefined)
      throw new CatalogError('METADATA_MISSING', `${source.name} has no feed of ${did}`)
    const found = acceptFeed(did, bytes, floor)
    checkFeedTerm(found, nowMs())
    if (found.targets.content === feed?.targets.content) return
    const next = floorOf(found)
    // The floor first: should the process die here, it knows too much rather than too little.
    await writeFloor(paths.floor, next)
    floor = next
    await writeFileAtomic(paths.file, bytes)
    feed = found
    log.info('feed accepted', { did, version: next.version })
  }

  async function refresh(signal: AbortSignal | undefined): Promise<void> {
    try {
      await take(signal)
      problem = undefined
    } catch (error) {
      if (signal?.aborted) return
      problem = `feed of ${did}: ${messageOf(error)}`
      log.warn('feed not refreshed', { did, reason: messageOf(error) })
    }
  }

  return {
    did,
    isUnknown: () => isLost && feed === undefined,
    /** One at a time: two would write one floor, and the slower one would lower it. */
    async refresh(signal) {
      running ??= refresh(signal).finally(() => {
        running = undefined
      })
      await running
    },
    shelf: () => feed && shelfOf(feed),
    problem: () => problem,
  }
}

function shelfOf({ did, targets }: Feed): Shelf {
  const allowed = pathsOfPublisher(did)
  return {
    role: publisherIdOf(did),
    tier: 'feed',
    did,
    standing: 'current',
    expiresMs: targets.expiresMs,
    targets,
    speaksFor: path => allowed.some(pattern => matchesPath(pattern, path)),
  }
}

async function readStored(
  did: string,
  path: string,
  floor: FeedFloor | undefined,
  log: Log,
): Promise<Feed | 'unreadable' | undefined> {
  try {
    const bytes = await readFileBounded(path, TARGETS_BYTES_MAX)
    if (bytes === undefined) return undefined
    // Its own version may be below the floor after a crash between the two writes; the chain may not.
    return acceptFeed(did, bytes, floor && { ...floor, version: 0, content: '' })
  } catch (error) {
    log.warn('stored feed not used', { did, reason: messageOf(error) })
    return 'unreadable'
  }
}

async function writeFloor(path: string, floor: FeedFloor): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(floor)}\n`)
}

async function readFloor(path: string, log: Log): Promise<FeedFloor | undefined> {
  try {
    const bytes = await readFileBounded(path, FLOOR_BYTES_MAX)
    if (bytes === undefined) return undefined
    return floorSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (error) {
    log.error('floor of a feed is damaged; starting a new one', { path, reason: messageOf(error) })
    return undefined
  }
}
