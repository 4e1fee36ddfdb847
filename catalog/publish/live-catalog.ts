/** An origin's catalog, read from a place that serves it through the verifier that nodes use. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { messageOf } from '../../src/core/errors.ts'
import { readFileBounded } from '../../src/core/files.ts'
import { createMemoryStore } from '../cache.ts'
import { CatalogError, PublishError } from '../errors.ts'
import { type DelegatedRole, refreshDelegated } from '../trust/delegated.ts'
import type { SnapshotDocument, TargetsDocument } from '../trust/document.ts'
import { parseEnvelope, signedBytes } from '../trust/envelope.ts'
import { noFloors } from '../trust/floors.ts'
import { ROOT_BYTES_MAX, TIMESTAMP_BYTES_MAX } from '../trust/limits.ts'
import { loadTrusted, type Trusted } from '../trust/load.ts'
import type { Rules, SnapshotModel, TargetsModel, TimestampModel } from '../trust/model.ts'
import { refreshTrusted } from '../trust/refresh.ts'
import { parseTimestamp } from '../trust/structure.ts'
import type { OriginFolder } from './origin-folder.ts'
import { newestRoot } from './root-file.ts'

/** A catalog of which every document was accepted. */
export interface LiveCatalog {
  readonly root: Trusted['root']
  readonly timestamp: TimestampModel
  readonly snapshot: SnapshotModel
  readonly targets: TargetsModel
  readonly delegated: readonly DelegatedRole[]
  /** The accepted bytes of a role's file: `snapshot`, `targets`, and every delegated role. */
  file(role: string): Uint8Array | undefined
}

export type GetMetadata = (name: string, maxBytes: number) => Promise<Uint8Array | undefined>

const STRICT: Rules = { strict: true }
/** The catalog that is replaced may well be expired: that is often why it is replaced. */
const BEFORE_ANY_EXPIRY_MS = 0

/**
 * The catalog that is published in the folder now; `undefined` before the first publication.
 * @throws PublishError `ORIGIN_DAMAGED`
 */
export async function readLiveCatalog(folder: OriginFolder): Promise<LiveCatalog | undefined> {
  const timestamp = await readFrom(folder)('timestamp.json', TIMESTAMP_BYTES_MAX)
  if (timestamp === undefined) return undefined
  const read = async (get: GetMetadata): Promise<LiveCatalog> =>
    await createReader(await firstRoot(folder)).read(get, BEFORE_ANY_EXPIRY_MS)
  try {
    return await read(readFrom(folder))
  } catch (cause) {
    if (!(cause instanceof CatalogError)) throw cause
    // A crash between a new root and its timestamp: what is live is still what the root before it says.
    const { document } = await newestRoot(folder)
    const older = document.version - 1
    const isBetween = cause.code === 'SIGNATURE_THRESHOLD' && older > 0
    if (isBetween) return await read(readFrom(folder, { rootMax: older }))
    const why = messageOf(cause)
    throw new PublishError(
      'ORIGIN_DAMAGED',
      `the catalog in ${folder.catalog} is damaged; restore it from a backup: ${why}`,
      { cause },
    )
  }
}

/**
 * Accepts the catalog that the `staged` files (by name) would make live, as a node does that starts from `1.root.json` and has seen
 * the catalog that is live now.
 * @throws CatalogError
 */
export async function verifyNext(
  folder: OriginFolder,
  staged: ReadonlyMap<string, Uint8Array>,
  live: LiveCatalog | undefined,
  nowMs: number,
): Promise<LiveCatalog> {
  const reader = createReader(await firstRoot(folder))
  if (live !== undefined) {
    const get = readFrom(folder, { rootMax: live.root.version })
    await reader.read(get, BEFORE_ANY_EXPIRY_MS)
  }
  const get = readFrom(folder)
  return reader.read(async (name, max) => staged.get(name) ?? get(name, max), nowMs)
}

/**
 * Reads what a place serves, knowing nothing but the folder's `1.root.json`, and compares it with what was published.
 * @throws PublishError `PUBLICATION_UNVERIFIED`
 */
export async function readBack(
  folder: OriginFolder,
  place: string,
  get: GetMetadata,
  nowMs: number,
): Promise<LiveCatalog> {
  const own = await readFrom(folder)('timestamp.json', TIMESTAMP_BYTES_MAX)
  try {
    const served = await createReader(await firstRoot(folder)).read(get, nowMs)
    const wanted = own && timestampContent(folder.catalog, own).content
    if (served.timestamp.content === wanted) return served
    throw unverified(place, `it serves catalog ${served.timestamp.version}, not the one published`)
  } catch (cause) {
    if (!(cause instanceof CatalogError)) throw cause
    throw unverified(place, messageOf(cause), cause)
  }
}

/** Version and content of a timestamp whose signatures nobody has checked. @throws CatalogError */
export function timestampContent(
  place: string,
  bytes: Uint8Array,
): { readonly version: number; readonly content: string } {
  const name = `timestamp.json of ${place}`
  const { signed } = parseEnvelope(name, bytes, TIMESTAMP_BYTES_MAX)
  const content = createHash('sha256').update(signedBytes(signed)).digest('hex')
  const { version } = parseTimestamp(name, { signed, content })
  return { version, content }
}

/** What a file of a live catalog says; its form was checked when it was accepted. */
export function documentOf<T extends TargetsDocument | SnapshotDocument>(bytes: Uint8Array): T {
  return (JSON.parse(Buffer.from(bytes).toString('utf8')) as { signed: T }).signed
}

/** One node's memory over several reads. */
function createReader(root: Uint8Array) {
  const store = createMemoryStore(new Map(), noFloors)
  return {
    async read(get: GetMetadata, nowMs: number): Promise<LiveCatalog> {
      const before = loadTrusted(store, root, STRICT)
      const deps = { source: { get }, store, nowMs: () => nowMs, rules: STRICT }
      const trusted = await refreshTrusted(deps, before)
      const { timestamp, snapshot, targets } = trusted
      if (timestamp === undefined || snapshot === undefined || targets === undefined) {
        throw new CatalogError('METADATA_MISSING', 'the catalog is not complete')
      }
      const { roles, problems } = await refreshDelegated(deps, trusted)
      const problem = problems[0]
      if (problem !== undefined) throw new CatalogError('METADATA_MISSING', problem.message)
      const file = (role: string) =>
        store.get(role, snapshot.meta.get(role)?.version ?? snapshot.version)
      return { root: trusted.root, timestamp, snapshot, targets, delegated: roles, file }
    },
  }
}

/** `rootMax` hides later roots. */
export function readFrom(
  folder: OriginFolder,
  { rootMax = Number.POSITIVE_INFINITY }: { readonly rootMax?: number } = {},
): GetMetadata {
  return async (name, maxBytes) => {
    const root = /^(\d+)\.root\.json$/.exec(name)?.[1]
    if (root !== undefined && Number(root) > rootMax) return undefined
    return await readFileBounded(join(folder.catalog, name), maxBytes)
  }
}

async function firstRoot(folder: OriginFolder): Promise<Uint8Array> {
  const path = join(folder.catalog, '1.root.json')
  const bytes = await readFileBounded(path, ROOT_BYTES_MAX)
  if (bytes !== undefined) return bytes
  throw new PublishError('ORIGIN_DAMAGED', `${path} is missing; restore it from a backup`)
}

function unverified(place: string, why: string, cause?: unknown): PublishError {
  return new PublishError(
    'PUBLICATION_UNVERIFIED',
    `what ${place} serves was read back and is not what was published: ${why}`,
    { cause },
  )
}
