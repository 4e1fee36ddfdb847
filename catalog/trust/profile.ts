/** What our profile asks beyond TUF. Every rule runs after the signatures were checked. */
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { CatalogError } from '../errors.ts'
import type { PublicKey } from './document.ts'
import { type Envelope, malformed } from './envelope.ts'
import { openKey } from './key.ts'
import { isSoundEd25519 } from './key-gate.ts'
import { TIMESTAMP_DAYS_MAX } from './limits.ts'
import type { DelegationModel, MetaModel, RoleModel, RootModel, TimestampModel } from './model.ts'

/** One spelling per document: nobody can make a second file with the same signatures. */
export function checkFileForm(name: string, bytes: Uint8Array, envelope: Envelope): void {
  const ids = envelope.signatures.map(({ keyid }) => keyid)
  if (ids.some((id, index) => index > 0 && id <= (ids[index - 1] ?? ''))) {
    throw malformed(name, 'its signatures must be sorted by key id, one per key')
  }
  const { signed, signatures } = envelope
  const canonical = canonicalJson({ signatures, signed })
  if (Buffer.compare(canonical, bytes) !== 0) {
    throw malformed(name, 'its bytes must be canonical JSON')
  }
  const problem = textProblem(signed)
  if (problem !== undefined) throw malformed(name, problem)
}

/** @throws CatalogError `KEY_REFUSED`, `ROOT_INVALID` */
export function checkRootProfile(name: string, root: RootModel): void {
  if (!root.consistentSnapshot) {
    throw new CatalogError('ROOT_INVALID', `${name} must have consistent_snapshot true`)
  }
  for (const [role, model] of Object.entries(root.roles))
    checkRoleProfile(`${name}, ${role}`, model)
}

/** @throws CatalogError `KEY_REFUSED`, `ROOT_INVALID` */
export function checkRoleProfile(name: string, role: RoleModel): void {
  const materials = new Set<string>()
  for (const [id, key] of role.keys) {
    const material = soundMaterialOf(key)
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
      'ROOT_INVALID',
      `${name}: ${materials.size} different keys cannot reach the threshold of ${role.threshold}`,
    )
  }
}

const DAY_MS = 86_400_000

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

/** Nothing is fetched whose length and hashes are not signed. */
export function checkMetaProfile(name: string, meta: MetaModel): void {
  const isComplete =
    meta.length !== undefined && meta.hashes.has('sha256') && meta.blake3 !== undefined
  if (!isComplete) throw malformed(name, 'its parent must state length, sha256 and x-blake3 of it')
}

/** Patterns mean the same to every implementation: plain segments, each with at most a final `*`. */
export function checkDelegationProfile(name: string, delegation: DelegationModel): void {
  const isPlain = (pattern: string) =>
    pattern.length <= 255 && pattern.split('/').every(part => /^[a-z0-9.-]*\*?$/.test(part))
  if (delegation.pathHashPrefixes.length > 0 || !delegation.paths.every(isPlain)) {
    throw malformed(name, `the paths of role ${JSON.stringify(delegation.name)} are not plain`)
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
