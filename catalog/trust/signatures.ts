/** Decides whether enough of a role's keys signed a file, and whether anybody else left something in it. */
import { CatalogError } from '../errors.ts'
import { type Envelope, malformed, type Signature, signedBytes } from './envelope.ts'
import { isSignedBy, openKey } from './key.ts'
import type { RoleModel } from './model.ts'

export interface Signed {
  /** What the signatures cover: the canonical form of the signed part. */
  readonly bytes: Uint8Array
  /** The signatures that are valid ones of the role's keys. */
  readonly valid: ReadonlySet<Signature>
}

/**
 * At least `threshold` different keys of the role signed. Two ids, or two spellings, of one key count once (P7); signatures by
 * other keys are not looked at, so they cost nothing. A file that claims too few is refused before its canonical form is made.
 * @throws CatalogError `SIGNATURE_THRESHOLD`, `METADATA_MALFORMED` (the signed part has no canonical form)
 * @see TUF 1.0.34 §4.2.1, §5.3.4, §5.4.2, §5.5.3, §5.6.3
 */
export function checkSignatures(
  name: string,
  envelope: Envelope,
  role: RoleModel,
  known?: Uint8Array,
): Signed {
  const claimed = envelope.signatures.filter(({ keyid }) => role.keys.has(keyid))
  if (claimed.length < role.threshold) throw tooFew(name, claimed.length, role)
  const bytes = known ?? canonicalBytes(name, envelope.signed)
  const valid = new Set<Signature>()
  const signers = new Set<string>()
  for (const signature of claimed) {
    const key = role.keys.get(signature.keyid)
    const opened = key && openKey(key)
    if (opened === undefined || !isSignedBy(opened, bytes, signature.sig)) continue
    valid.add(signature)
    signers.add(opened.material)
  }
  if (signers.size < role.threshold) throw tooFew(name, signers.size, role)
  return { bytes, valid }
}

/**
 * P1: a file holds valid signatures of keys that may sign it, and no other. Who relays a file cannot add to it.
 * @throws CatalogError `SIGNATURE_STRAY`
 */
export function checkNoStray(
  name: string,
  envelope: Envelope,
  ...checked: readonly Signed[]
): void {
  const stray = envelope.signatures.find(each => !checked.some(({ valid }) => valid.has(each)))
  if (stray === undefined) return
  const id = JSON.stringify(stray.keyid.slice(0, 64))
  throw new CatalogError(
    'SIGNATURE_STRAY',
    `${name} has a signature under the key id ${id} that is not a valid one of a key that may sign it`,
  )
}

function tooFew(name: string, count: number, role: RoleModel): CatalogError {
  return new CatalogError(
    'SIGNATURE_THRESHOLD',
    `${name} carries at most ${count} valid signatures of the ${role.keys.size} keys that may sign it; ` +
      `${role.threshold} are required. It was signed by another origin, or changed on the way`,
  )
}

function canonicalBytes(name: string, signed: unknown): Uint8Array {
  try {
    return signedBytes(signed)
  } catch (error) {
    throw malformed(name, 'it has no canonical form', error)
  }
}
