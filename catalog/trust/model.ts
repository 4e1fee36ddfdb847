/** What the verifier believes after the checks: plain read-only values, with maps where a file has free keys. */
import type { Digest } from '../../src/core/digest.ts'
import type { BootstrapHints } from '../bootstrap.ts'
import type { CatalogPolicy, KeyRotation, PublicKey, TargetEntry, TopRole } from './document.ts'

interface Model {
  readonly version: number
  readonly expiresMs: number
}

/** Who may sign a role. Keys are opened when a signature refers to them. */
export interface RoleModel {
  readonly keys: ReadonlyMap<string, PublicKey>
  readonly threshold: number
}

export interface RootModel extends Model {
  readonly policy: CatalogPolicy | undefined
  readonly consistentSnapshot: boolean
  readonly roles: Readonly<Record<TopRole, RoleModel>>
}

/** What bytes must be, as a signed parent states it. */
export interface ExpectedBytes {
  readonly length: number | undefined
  readonly hashes: ReadonlyMap<string, string>
  readonly blake3: Digest | undefined
}

export interface MetaModel extends ExpectedBytes {
  readonly version: number
}

export interface TimestampModel extends Model {
  readonly snapshot: MetaModel
  readonly issuedMs: number | undefined
  /** The timestamp before this one, which this one commits to. */
  readonly previous: { readonly version: number; readonly content: string } | undefined
  /** Hash of the signed part: tells two files of one version apart, but not two signings of one content. */
  readonly content: string
}

export interface SnapshotModel extends Model {
  /** By role name, without `.json`. */
  readonly meta: ReadonlyMap<string, MetaModel>
  readonly content: string
}

export interface DelegationModel extends RoleModel {
  readonly name: string
  readonly terminating: boolean
  readonly paths: readonly string[]
  /** Lower-case hex: beginnings of the SHA-256 of a target path. */
  readonly pathHashPrefixes: readonly string[]
}

/** What a publisher says of itself in its own role. */
export interface PublisherModel {
  /** The first `did:key`. */
  readonly did: string
  readonly next: string | undefined
  readonly rotations: readonly KeyRotation[]
}

export interface TargetsModel extends Model {
  readonly targets: ReadonlyMap<string, TargetEntry>
  readonly delegations: readonly DelegationModel[]
  readonly revokedDids: readonly string[]
  /** Each the contents of both heads of a fork that the offline keys acknowledge. */
  readonly acknowledgedForks: readonly (readonly string[])[]
  readonly bootstrap: BootstrapHints
  readonly publisher: PublisherModel | undefined
  readonly content: string
}

/** `strict` is our profile; without it the verifier is a plain TUF client, as the conformance suite wants it. */
export interface Rules {
  readonly strict: boolean
}
