/** Decides whether enough of a role's keys signed a file. */
import { CatalogError } from '../errors.ts'
import { type Envelope, malformed, signedBytes } from './envelope.ts'
import { isSignedBy, openKey } from './key.ts'
import type { RoleModel } from './model.ts'

/**
 * Returns the bytes that were signed when at least `threshold` different keys of the role signed. Two ids, or two spellings, of one key count
 * once; signatures by other keys are not looked at, so they cost nothing.
 * @throws CatalogError `SIGNATURE_THRESHOLD`, `METADATA_MALFORMED` (the signed part has no canonical form)
 * @see TUF 1.0.34 §5.1, §4.2.1
 */
export function checkSignatures(name: string, envelope: Envelope, role: RoleModel): Uint8Array {
  const candidates = envelope.signatures.flatMap(({ keyid, sig }) => {
    const key = role.keys.get(keyid)
    return key === undefined ? [] : [{ key, sig }]
  })
  const signers = new Set<string>()
  if (candidates.length > 0) {
    const bytes = canonicalBytes(name, envelope.signed)
    for (const { key, sig } of candidates) {
      const opened = openKey(key)
      if (opened === undefined || signers.has(opened.material)) continue
      if (isSignedBy(opened, bytes, sig)) signers.add(opened.material)
      if (signers.size >= role.threshold) return bytes
    }
  }
  throw new CatalogError(
    'SIGNATURE_THRESHOLD',
    `${name} carries ${signers.size} valid signatures of the ${role.keys.size} keys that may sign it; ` +
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
