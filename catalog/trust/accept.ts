/**
 * The decisions of the TUF client workflow, one function per file: bytes in, model out, or a `CatalogError`.
 * Pure: no I/O, no clock. Order inside each: size, JSON, envelope, signatures, form, structure, versions, so that
 * nothing that nobody signed is ever read beyond its envelope.
 * @see TUF 1.0.34 §5
 */
import { createHash } from 'node:crypto'
import { CatalogError } from '../errors.ts'
import { checkBytes } from './bytes.ts'
import { malformed, parseEnvelope } from './envelope.ts'
import type { Floor, Floors } from './floors.ts'
import {
  ROOT_BYTES_MAX,
  SNAPSHOT_BYTES_MAX,
  TARGETS_BYTES_MAX,
  TIMESTAMP_BYTES_MAX,
  VERSION_STEP_MAX,
} from './limits.ts'
import type {
  MetaModel,
  RoleModel,
  RootModel,
  Rules,
  SnapshotModel,
  TargetsModel,
  TimestampModel,
} from './model.ts'
import {
  checkDelegationProfile,
  checkFileForm,
  checkMetaProfile,
  checkRoleName,
  checkRoleProfile,
  checkRootProfile,
  checkTimestampProfile,
} from './profile.ts'
import { checkNoStray, checkSignatures } from './signatures.ts'
import {
  type Authentic,
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
} from './structure.ts'

/**
 * The root that the node was given. Its bytes are trusted; that it signs itself only proves that they are whole. It may carry
 * signatures of the keys before it, which nobody here knows.
 * @throws CatalogError `ROOT_INVALID`
 * @see TUF 1.0.34 §5.2
 */
export function acceptEmbeddedRoot(bytes: Uint8Array, rules: Rules): RootModel {
  const name = 'the embedded root'
  try {
    const envelope = parseEnvelope(name, bytes, ROOT_BYTES_MAX)
    const root = parseRoot(name, envelope.signed)
    const { bytes: signed } = checkSignatures(name, envelope, root.roles.root)
    if (rules.strict) checkFileForm(name, bytes, envelope, signed)
    if (rules.strict) checkRootProfile(name, root)
    return root
  } catch (error) {
    throw new CatalogError(
      'ROOT_INVALID',
      `the embedded root cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

/**
 * The next root: signed by the keys of the one before and by its own, and its version is exactly one higher. Its expiry is not
 * looked at: only the newest one has to be valid.
 * @throws CatalogError
 * @see TUF 1.0.34 §5.3.3 (size), §5.3.4 (both thresholds), §5.3.5 (version)
 */
export function acceptNextRoot(current: RootModel, bytes: Uint8Array, rules: Rules): RootModel {
  const name = `${current.version + 1}.root.json`
  const envelope = parseEnvelope(name, bytes, ROOT_BYTES_MAX)
  const byOld = checkSignatures(name, envelope, current.roles.root)
  if (rules.strict) checkFileForm(name, bytes, envelope, byOld.bytes)
  const root = parseRoot(name, envelope.signed)
  checkExactVersion(name, root.version, current.version + 1)
  const byNew = checkSignatures(name, envelope, root.roles.root, byOld.bytes)
  if (rules.strict) {
    checkNoStray(name, envelope, byOld, byNew)
    checkRootProfile(name, root, current)
  }
  return root
}

/** TUF 1.0.34 §5.4.2: a timestamp that the keys of `root` signed, whatever its version: a head that somebody tells us of. */
export function readTimestamp(root: RootModel, bytes: Uint8Array, rules: Rules): TimestampModel {
  const name = 'timestamp.json'
  const authentic = authenticate(name, bytes, TIMESTAMP_BYTES_MAX, root.roles.timestamp, rules)
  return parseTimestamp(name, authentic)
}

/**
 * @throws CatalogError also `VERSION_ROLLBACK`, `VERSION_REUSED`, `VERSION_JUMP`, `VALIDITY_TOO_LONG`, `META_INCOMPLETE`
 * @see TUF 1.0.34 §5.4.1 (size), §5.4.3.1 (its version), §5.4.3.2 (the snapshot's version)
 */
export function acceptTimestamp(
  root: RootModel,
  floors: Floors,
  bytes: Uint8Array,
  rules: Rules,
): TimestampModel {
  const name = 'timestamp.json'
  const timestamp = readTimestamp(root, bytes, rules)
  if (rules.strict) checkTimestampProfile(name, timestamp, root)
  checkVersion(name, timestamp, floors.timestamp, rules)
  const snapshot = { version: timestamp.snapshot.version, content: undefined }
  checkVersion(`snapshot.json in ${name}`, snapshot, floors.snapshot, rules)
  if (rules.strict) checkMetaProfile('snapshot.json', timestamp.snapshot)
  return timestamp
}

/**
 * @throws CatalogError also `LENGTH_MISMATCH`, `HASH_MISMATCH`, `VERSION_MISMATCH`, `VERSION_ROLLBACK`, `META_INCOMPLETE`
 * @see TUF 1.0.34 §5.5.2 (hashes), §5.5.3 (signatures), §5.5.4 (version), §5.5.5 (versions of all roles, none removed)
 */
export function acceptSnapshot(
  root: RootModel,
  expected: MetaModel,
  floors: Floors,
  bytes: Uint8Array,
  rules: Rules,
): SnapshotModel {
  const name = 'snapshot.json'
  checkBytes(name, expected, bytes)
  const authentic = authenticate(name, bytes, SNAPSHOT_BYTES_MAX, root.roles.snapshot, rules)
  const snapshot = parseSnapshot(name, authentic)
  checkExactVersion(name, snapshot.version, expected.version)
  checkVersion(name, snapshot, floors.snapshot, rules)
  for (const [role, floor] of floors.roles) {
    const meta = snapshot.meta.get(role)
    if (meta === undefined) {
      throw new CatalogError(
        'VERSION_ROLLBACK',
        `${name} no longer lists ${role}.json, which this node has seen in version ${floor.version}`,
      )
    }
    const listed = { version: meta.version, content: undefined }
    checkVersion(`${role}.json in ${name}`, listed, floor, rules)
  }
  if (!snapshot.meta.has('targets')) throw malformed(name, 'it does not list targets.json')
  if (rules.strict) {
    for (const [role, meta] of snapshot.meta) {
      checkRoleName(name, role)
      checkMetaProfile(`${role}.json`, meta)
    }
  }
  return snapshot
}

/**
 * The targets of `role`, which is `targets` itself or a delegated role; `keys` is who may sign it.
 * @throws CatalogError also `LENGTH_MISMATCH`, `HASH_MISMATCH`, `VERSION_MISMATCH`, `VERSION_ROLLBACK`, `KEY_REFUSED`
 * @see TUF 1.0.34 §5.6.2 (hashes), §5.6.3 (signatures of the delegating role's keys), §5.6.4 (version)
 */
export function acceptTargets(
  role: string,
  keys: RoleModel,
  expected: MetaModel,
  floor: Floor | undefined,
  bytes: Uint8Array,
  rules: Rules,
): TargetsModel {
  const name = `${role}.json`
  checkBytes(name, expected, bytes)
  if (rules.strict) checkRoleProfile(name, keys)
  const authentic = authenticate(name, bytes, TARGETS_BYTES_MAX, keys, rules)
  const targets = parseTargets(name, authentic)
  checkExactVersion(name, targets.version, expected.version)
  checkVersion(name, targets, floor, rules)
  if (rules.strict) {
    for (const delegation of targets.delegations) checkDelegationProfile(name, delegation)
  }
  return targets
}

/**
 * A file is valid until the moment before its expiry.
 * @throws CatalogError `METADATA_EXPIRED`
 * @see TUF 1.0.34 §5.3.10, §5.4.4, §5.5.6, §5.6.5
 */
export function checkExpiry(name: string, model: { expiresMs: number }, nowMs: number): void {
  if (model.expiresMs > nowMs) return
  const since = new Date(model.expiresMs).toISOString()
  const now = new Date(nowMs).toISOString()
  throw new CatalogError(
    'METADATA_EXPIRED',
    `${name} expired at ${since} and it is ${now} now. Its origin has to sign a new one; check this machine's clock too`,
  )
}

function authenticate(
  name: string,
  bytes: Uint8Array,
  maxBytes: number,
  role: RoleModel,
  rules: Rules,
): Authentic {
  const envelope = parseEnvelope(name, bytes, maxBytes)
  const signed = checkSignatures(name, envelope, role)
  if (rules.strict) {
    checkNoStray(name, envelope, signed)
    checkFileForm(name, bytes, envelope, signed.bytes)
  }
  const content = createHash('sha256').update(signed.bytes).digest('hex')
  return { signed: envelope.signed, content }
}

function checkExactVersion(name: string, version: number, expected: number): void {
  if (version === expected) return
  throw new CatalogError(
    'VERSION_MISMATCH',
    `${name} says that it is version ${version}; version ${expected} is due`,
  )
}

interface Versioned {
  readonly version: number
  readonly content: string | undefined
}

function checkVersion(
  name: string,
  found: Versioned,
  floor: Floor | undefined,
  rules: Rules,
): void {
  if (floor === undefined) return
  if (found.version < floor.version) {
    throw new CatalogError(
      'VERSION_ROLLBACK',
      `${name} is version ${found.version}, but this node has seen version ${floor.version} already`,
    )
  }
  if (!rules.strict) return
  // P5: a thief of the key cannot use up the numbers at once.
  if (found.version > floor.version + VERSION_STEP_MAX) {
    throw new CatalogError(
      'VERSION_JUMP',
      `${name} jumps from version ${floor.version} to ${found.version}; ${VERSION_STEP_MAX} is the most`,
    )
  }
  const isOther =
    found.version === floor.version &&
    floor.content !== undefined &&
    found.content !== undefined &&
    found.content !== floor.content
  if (!isOther) return
  throw new CatalogError(
    'VERSION_REUSED',
    `${name} has other content than the version ${found.version} that this node has seen: ` +
      `its origin signed two different files with one number`,
  )
}
