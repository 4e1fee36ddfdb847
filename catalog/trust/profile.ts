/** What our profile asks beyond TUF. Every rule runs after the signatures were checked. */
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { messageOf } from '../../src/core/errors.ts'
import { CatalogError } from '../errors.ts'
import type { PublicKey } from './document.ts'
import { type Envelope, malformed } from './envelope.ts'
import { openKey } from './key.ts'
import { isSoundEd25519 } from './key-gate.ts'
import { TIMESTAMP_DAYS_MAX } from './limits.ts'
import type { DelegationModel, MetaModel, RoleModel, RootModel, TimestampModel } from './model.ts'

/**
 * P1, P2: one spelling per document, so nobody can make a second file with the same signatures; and text that every
 * implementation reads alike. `signedBytes` is the form that was signed: where it stands in the file as it is, the file is canonical,
 * because the two forms differ in nothing but control characters, which the parser would have refused.
 * @throws CatalogError `FILE_NOT_CANONICAL`, `TEXT_NOT_PLAIN`
 */
export function checkFileForm(
  name: string,
  bytes: Uint8Array,
  envelope: Envelope,
  signedBytes: Uint8Array,
): void {
  const ids = envelope.signatures.map(({ keyid }) => keyid)
  if (ids.some((id, index) => index > 0 && id <= (ids[index - 1] ?? ''))) {
    throw notCanonical(name, 'its signatures must be sorted by key id, one per key')
  }
  const { signed, signatures } = envelope
  const head = fileForm(name, { signatures, signed: 0 }).subarray(0, -'0}'.length)
  const isAsSigned = Buffer.concat([head, signedBytes, Buffer.from('}')]).equals(bytes)
  if (!isAsSigned && Buffer.compare(fileForm(name, { signatures, signed }), bytes) !== 0) {
    throw notCanonical(name, 'its bytes must be canonical JSON')
  }
  // Printable ASCII alone needs no closer look: a name or text of other characters would show in the bytes.
  if (isAsSigned && isPrintable(bytes)) return
  const problem = textProblem(signed)
  if (problem !== undefined) throw new CatalogError('TEXT_NOT_PLAIN', `${name}: ${problem}`)
}

/** The key ids of a file may be any text, also one that has no bytes. */
function fileForm(name: string, envelope: Envelope): Uint8Array {
  try {
    return canonicalJson(envelope)
  } catch (error) {
    throw notCanonical(name, messageOf(error))
  }
}

function notCanonical(name: string, why: string): CatalogError {
  return new CatalogError('FILE_NOT_CANONICAL', `${name} is not in its one form: ${why}`)
}

function isPrintable(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  return /^[\x20-\x7e]*$/.test(text)
}

/**
 * Keys that stand in the root before were looked at there.
 * @throws CatalogError `SNAPSHOT_NOT_CONSISTENT`, `KEY_REFUSED`, `THRESHOLD_UNREACHABLE`
 */
export function checkRootProfile(name: string, root: RootModel, before?: RootModel): void {
  if (!root.consistentSnapshot) {
    const why = `${name} must have consistent_snapshot true`
    throw new CatalogError('SNAPSHOT_NOT_CONSISTENT', why)
  }
  const sound = new Map<string, string>()
  for (const model of Object.values(before?.roles ?? {})) noteSound(model, sound)
  for (const [role, model] of Object.entries(root.roles)) {
    checkRoleProfile(`${name}, ${role}`, model, sound)
  }
}

/**
 * P6: every key is one that all nodes judge alike. P7: the role has enough different ones.
 * @throws CatalogError `KEY_REFUSED`, `THRESHOLD_UNREACHABLE`
 */
export function checkRoleProfile(
  name: string,
  role: RoleModel,
  sound: ReadonlyMap<string, string> = new Map(),
): void {
  const materials = new Set<string>()
  for (const [id, key] of role.keys) {
    const material = sound.get(textOf(key)) ?? soundMaterialOf(key)
    if (material === undefined) {
      const kind = `${key.keytype}/${key.scheme}`.slice(0, 60)
      throw new CatalogError(
        'KEY_REFUSED',
        `${name}: key ${id.slice(0, 64)} (${kind}) must be a sound Ed25519 or ECDSA P-256 key`,
      )
    }
    materials.add(material)
  }
  if (materials.size < role.threshold) {
    throw new CatalogError(
      'THRESHOLD_UNREACHABLE',
      `${name}: ${materials.size} different keys cannot reach the threshold of ${role.threshold}`,
    )
  }
}

const DAY_MS = 86_400_000
const PATTERN_CHARS_MAX = 255

/**
 * A stolen timestamp key must not buy years: validity counts from the signed time of signing.
 * @throws CatalogError `VALIDITY_TOO_LONG`, `METADATA_MALFORMED`
 */
export function checkTimestampProfile(
  name: string,
  { issuedMs, expiresMs }: TimestampModel,
  root: RootModel,
): void {
  if (issuedMs === undefined) throw malformed(name, 'it must say when it was signed (x-issued)')
  const days = root.policy?.maxTimestampDays ?? TIMESTAMP_DAYS_MAX
  if (expiresMs - issuedMs <= days * DAY_MS) return
  throw new CatalogError(
    'VALIDITY_TOO_LONG',
    `${name} is to be believed for more than ${days} days after its signing; its root does not allow that`,
  )
}

/**
 * P8: nothing is fetched whose length and hashes are not signed.
 * @throws CatalogError `META_INCOMPLETE`
 */
export function checkMetaProfile(name: string, meta: MetaModel): void {
  const isComplete =
    meta.length !== undefined && meta.hashes.has('sha256') && meta.blake3 !== undefined
  if (isComplete) return
  const why = `the signed parent of ${name} must state its length, sha256 and x-blake3`
  throw new CatalogError('META_INCOMPLETE', why)
}

/** Of a name that the file system, an address and every implementation take alike. */
const ROLE_NAME = /^[a-z0-9][a-z0-9-]*$/

/** P4: a role has a plain name. @throws CatalogError `ROLE_NAME_REFUSED` */
export function checkRoleName(name: string, role: string): void {
  if (ROLE_NAME.test(role)) return
  const shown = JSON.stringify(role.slice(0, 80))
  throw new CatalogError('ROLE_NAME_REFUSED', `${name}: ${shown} is not a plain role name`)
}

/**
 * P4: patterns mean the same to every implementation: plain segments, each with at most a final `*`.
 * @throws CatalogError `ROLE_NAME_REFUSED`, `PATH_PATTERN_REFUSED`
 */
export function checkDelegationProfile(name: string, delegation: DelegationModel): void {
  checkRoleName(name, delegation.name)
  const isPlain = (pattern: string) =>
    pattern.length <= PATTERN_CHARS_MAX &&
    pattern.split('/').every(part => /^[a-z0-9.-]*\*?$/.test(part) && !/^\.{0,2}$/.test(part))
  if (delegation.pathHashPrefixes.length > 0 || !delegation.paths.every(isPlain)) {
    const why = `${name}: the paths of role ${delegation.name} are not plain`
    throw new CatalogError('PATH_PATTERN_REFUSED', why)
  }
}

function textOf({ keytype, scheme, keyval }: PublicKey): string {
  return JSON.stringify([keytype, scheme, keyval.public])
}

/** Notes the keys of a role that passed `checkRoleProfile`: text and material. */
function noteSound(role: RoleModel, sound: Map<string, string>): void {
  for (const key of role.keys.values()) {
    const text = textOf(key)
    const material = sound.has(text) ? undefined : openKey(key)?.material
    if (material !== undefined) sound.set(text, material)
  }
}

function soundMaterialOf(key: PublicKey): string | undefined {
  const opened = openKey(key)
  if (opened === undefined || opened.scheme === 'rsassa-pss-sha256') return undefined
  if (opened.scheme === 'ed25519' && !isSoundEd25519(key.keyval.public)) return undefined
  return opened.material
}

/** Line feeds are allowed because PEM keys have them; every other control character is not. */
function textProblem(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return /[^\n\P{Cc}]/u.test(value) ? 'a text holds a control character' : undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, item] of Object.entries(value)) {
    if (!/^[\x20-\x7e]*$/.test(key)) return 'a name holds a character that is not printable ASCII'
    const problem = textProblem(item)
    if (problem !== undefined) return problem
  }
  return undefined
}
