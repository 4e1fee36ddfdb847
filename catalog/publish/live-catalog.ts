/** The origin's own catalog, read from its folder through the verifier that nodes use. */
import { join } from 'node:path'
import { messageOf } from '../../src/core/errors.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { CatalogError, PublishError } from '../errors.ts'
import { type Floors, noFloors } from '../trust/floors.ts'
import { ROOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../trust/limits.ts'
import type { Rules, SnapshotModel, TargetsModel, TimestampModel } from '../trust/model.ts'
import { loadTrusted, refreshTrusted, type Trusted } from '../trust/refresh.ts'
import type { Source, Store } from '../trust/store.ts'
import type { OriginFolder } from './origin-folder.ts'

/** A catalog of which every document was accepted. */
export interface LiveCatalog {
  readonly root: Trusted['root']
  readonly timestamp: TimestampModel
  readonly snapshot: SnapshotModel
  readonly targets: TargetsModel
}

const STRICT: Rules = { strict: true }
/** The catalog that is replaced may well be expired: that is often why it is replaced. */
const BEFORE_ANY_EXPIRY_MS = 0

/**
 * The catalog that is published now; `undefined` before the first publication.
 * @throws PublishError `ORIGIN_DAMAGED`
 */
export async function readLiveCatalog(folder: OriginFolder): Promise<LiveCatalog | undefined> {
  const path = join(folder.catalog, 'timestamp.json')
  const timestamp = await readFileBounded(path, TIMESTAMP_BYTES_MAX)
  if (timestamp === undefined) return undefined
  try {
    return await createReader(folder).read(timestamp, BEFORE_ANY_EXPIRY_MS)
  } catch (cause) {
    if (!(cause instanceof CatalogError)) throw cause
    const why = messageOf(cause)
    throw new PublishError(
      'ORIGIN_DAMAGED',
      `the catalog in ${folder.catalog} is damaged; restore it from a backup: ${why}`,
      { cause },
    )
  }
}

/**
 * Accepts the catalog that `timestamp` would make live, as a node does that starts from `1.root.json` and has seen
 * the catalog that is live now.
 * @throws CatalogError
 */
export async function verifyNext(
  folder: OriginFolder,
  timestamp: Uint8Array,
  nowMs: number,
): Promise<LiveCatalog> {
  const reader = createReader(folder)
  const path = join(folder.catalog, 'timestamp.json')
  const live = await readFileBounded(path, TIMESTAMP_BYTES_MAX)
  if (live !== undefined) await reader.read(live, BEFORE_ANY_EXPIRY_MS)
  return reader.read(timestamp, nowMs)
}

/** One node's memory over several reads. */
function createReader(folder: OriginFolder) {
  const store = createMemoryStore()
  return {
    async read(timestamp: Uint8Array, nowMs: number): Promise<LiveCatalog> {
      const source: Source = {
        get: async (name, maxBytes) =>
          name === 'timestamp.json'
            ? timestamp
            : readFileBounded(join(folder.catalog, name), maxBytes),
      }
      const before = loadTrusted(store, await firstRoot(folder), STRICT)
      const deps = { source, store, nowMs: () => nowMs, rules: STRICT }
      const trusted = await refreshTrusted(deps, before)
      const { root, snapshot, targets } = trusted
      if (trusted.timestamp === undefined || snapshot === undefined || targets === undefined) {
        throw new CatalogError('METADATA_MISSING', 'the catalog is not complete')
      }
      return { root, timestamp: trusted.timestamp, snapshot, targets }
    },
  }
}

async function firstRoot(folder: OriginFolder): Promise<Uint8Array> {
  const path = join(folder.catalog, '1.root.json')
  const bytes = await readFileBounded(path, ROOT_BYTES_MAX)
  if (bytes !== undefined) return bytes
  throw new PublishError('ORIGIN_DAMAGED', `${path} is missing; restore it from a backup`)
}

function createMemoryStore(): Store {
  const files = new Map<string, Uint8Array>()
  let floors: Floors = noFloors
  const keyOf = (role: string, version: number | undefined) =>
    role === 'root' ? `${role} ${version}` : role
  return {
    get: (role, version) => files.get(keyOf(role, version)),
    versions: () => [],
    set: (role, version, bytes) => void files.set(keyOf(role, version), bytes),
    getFloors: () => floors,
    setFloors(next) {
      floors = next
    },
  }
}
