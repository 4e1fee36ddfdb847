/** The four signed documents of the catalog as they stand in a file: the wire shapes of TUF 1.0.34 with our fields. */
import { createHash } from 'node:crypto'
import { type Digest, digestOf } from '../../src/core/digest.ts'

/** The version of the TUF specification that we write; readers accept every 1.x. */
export const SPEC_VERSION = '1.0.34'
/** The name of our profile of TUF, as the root states it. */
export const PROFILE = 'tuf-swarm/1'

export type TopRole = 'root' | 'timestamp' | 'snapshot' | 'targets'
export const TOP_ROLES: readonly TopRole[] = ['root', 'timestamp', 'snapshot', 'targets']

/** `ed25519`: 64 hex digits. `ecdsa` (P-256): PEM of the SubjectPublicKeyInfo. */
export interface PublicKey {
  readonly keytype: string
  readonly scheme: string
  readonly keyval: { readonly public: string }
}

export interface RoleKeys {
  readonly keyids: readonly string[]
  readonly threshold: number
}

interface Common<Type extends TopRole> {
  readonly _type: Type
  readonly spec_version: string
  /** From 1; never goes back. */
  readonly version: number
  /** Exactly `YYYY-MM-DDTHH:MM:SSZ`; see `formatTime`. */
  readonly expires: string
}

/** What the holders of the root decide for every node of the origin. */
export interface CatalogPolicy {
  readonly profile: typeof PROFILE
  /** For people. */
  readonly name: string
  /** Base URLs that end with `/`. */
  readonly origins: readonly string[]
  /** How long after its expiry a catalog counts as stale; after that it is expired. */
  readonly staleGraceDays: number
  /** A timestamp that claims to be valid for longer after its signing is refused. */
  readonly maxTimestampDays: number
}

export interface RootDocument extends Common<'root'> {
  readonly 'x-catalog'?: CatalogPolicy
  readonly consistent_snapshot: boolean
  readonly keys: Readonly<Record<string, PublicKey>>
  readonly roles: Readonly<Record<TopRole, RoleKeys>>
}

/** What a parent document says of another metadata file. Our profile requires every field. */
export interface MetaEntry {
  readonly version: number
  readonly length?: number
  readonly hashes?: Readonly<Record<string, string>>
  readonly 'x-blake3'?: Digest
}

export interface TimestampDocument extends Common<'timestamp'> {
  readonly meta: { readonly 'snapshot.json': MetaEntry }
  /** When it was signed, as `expires` is written. */
  readonly 'x-issued'?: string
  /** The timestamp before this one: `content` of its model. */
  readonly 'x-prev'?: { readonly version: number; readonly sha256: string }
}

/** Keys of `meta` are `targets.json` and `<delegated role>.json`. */
export interface SnapshotDocument extends Common<'snapshot'> {
  readonly meta: Readonly<Record<string, MetaEntry>>
}

export interface TargetEntry {
  readonly length: number
  readonly hashes: Readonly<Record<string, string>>
  readonly custom?: unknown
}

interface DelegatedRole extends RoleKeys {
  readonly name: string
  readonly terminating: boolean
  readonly paths?: readonly string[]
  readonly path_hash_prefixes?: readonly string[]
}

/** One step of a publisher's key: what the old key committed to before the new one was known. */
export interface KeyRotation {
  /** The `did:key` that made the commitment. */
  readonly key: string
  /** SHA-256 (hex) of the text of the next `did:key`. */
  readonly next: string
  /** Signature (hex) by `key` over the OLPC form of `{_type: "x-commitment", did, index, next}`. */
  readonly sig: string
}

export interface TargetsDocument extends Common<'targets'> {
  /** In `targets`: publishers whose apps are no longer installed, by their first `did:key`. */
  readonly 'x-revoked-dids'?: readonly string[]
  /** In `targets`: forks that the holders of the offline keys know of, each the contents of both heads (SHA-256, hex). */
  readonly 'x-ack-forks'?: readonly (readonly string[])[]
  /** In `targets`: multiaddrs of peers that a new node may dial first; see `BootstrapHints`. */
  readonly 'x-bootstrap'?: readonly string[]
  /** In a publisher's role: the first `did:key` of the publisher, from which its id and its paths are derived. */
  readonly 'x-did'?: string
  /** In a publisher's role: SHA-256 (hex) of the text of the `did:key` that may follow the present one. */
  readonly 'x-next'?: string
  /** In a publisher's role: every commitment so far, the present one last. */
  readonly 'x-rotations'?: readonly KeyRotation[]
  readonly targets: Readonly<Record<string, TargetEntry>>
  readonly delegations?: {
    readonly keys: Readonly<Record<string, PublicKey>>
    readonly roles: readonly DelegatedRole[]
  }
}

export type CatalogDocument = RootDocument | TimestampDocument | SnapshotDocument | TargetsDocument

/** The entry that describes the metadata file `bytes` in its parent. */
export function metaEntryOf(version: number, bytes: Uint8Array): Required<MetaEntry> {
  return {
    version,
    length: bytes.length,
    hashes: { sha256: createHash('sha256').update(bytes).digest('hex') },
    'x-blake3': digestOf(bytes),
  }
}

/** Milliseconds since the epoch as `YYYY-MM-DDTHH:MM:SSZ`; parts of a second are cut off. */
export function formatTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`
}

/** The inverse of `formatTime`; `undefined` for every other form and for dates that do not exist. */
export function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return undefined
  const timeMs = Date.parse(text)
  return Number.isFinite(timeMs) && formatTime(timeMs) === text ? timeMs : undefined
}
