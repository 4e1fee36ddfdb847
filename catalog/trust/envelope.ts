/** The file form of a signed document: writing and signing it, and reading it without trusting anything in it. */
import { type KeyObject, sign } from 'node:crypto'
import { canonicalJson, olpcJson } from '../../src/core/canonical-json.ts'
import { messageOf } from '../../src/core/errors.ts'
import { CatalogError } from '../errors.ts'
import type { CatalogDocument } from './document.ts'
import { SIGNATURE_COUNT_MAX } from './limits.ts'

export interface Signature {
  readonly keyid: string
  /** Lower-case hex. */
  readonly sig: string
}

/** A key that can sign, with the id that the root (or the delegation) gives it. */
export interface SigningKey {
  readonly keyId: string
  readonly privateKey: KeyObject
}

/** A file that has the outer shape of a signed document. Nobody has checked a signature yet. */
export interface Envelope {
  readonly signed: unknown
  readonly signatures: readonly Signature[]
}

/** The bytes that a signature covers. @see TUF 1.0.34 §4.2.1 */
export function signedBytes(signed: unknown): Uint8Array {
  return olpcJson(signed)
}

/** The bytes of a catalog file: canonical JSON, signatures sorted by key id. */
export function encodeEnvelope(
  signed: CatalogDocument,
  signatures: readonly Signature[],
): Uint8Array {
  const sorted = [...signatures].sort((a, b) => (a.keyid < b.keyid ? -1 : 1))
  return canonicalJson({ signatures: sorted, signed })
}

/** The bytes of a catalog file, signed by every key of `keys` (Ed25519, or ECDSA P-256). */
export function signDocument(signed: CatalogDocument, keys: readonly SigningKey[]): Uint8Array {
  const bytes = signedBytes(signed)
  return encodeEnvelope(
    signed,
    keys.map(({ keyId, privateKey }) => {
      const algorithm = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
      return { keyid: keyId, sig: sign(algorithm, bytes, privateKey).toString('hex') }
    }),
  )
}

/**
 * Reads the outer shape of `bytes`; what `signed` holds is not looked at.
 * @throws CatalogError `METADATA_TOO_LARGE`, `METADATA_MALFORMED`, `SIGNATURE_LIMIT`
 * @see TUF 1.0.34 §4.2.1 (the shape), §5.3.3, §5.4.1, §5.5.1, §5.6.1 (the size)
 */
export function parseEnvelope(name: string, bytes: Uint8Array, maxBytes: number): Envelope {
  if (bytes.length > maxBytes) {
    throw new CatalogError(
      'METADATA_TOO_LARGE',
      `${name} has ${bytes.length} bytes; the limit is ${maxBytes}`,
    )
  }
  const value = parseJson(name, bytes)
  if (!isObject(value) || !isObject(value.signed) || !Array.isArray(value.signatures)) {
    throw malformed(name, 'it must be an object with "signed" and "signatures"')
  }
  const signatures: readonly unknown[] = value.signatures
  if (signatures.length > SIGNATURE_COUNT_MAX) {
    throw new CatalogError(
      'SIGNATURE_LIMIT',
      `${name} has ${signatures.length} signatures; the limit is ${SIGNATURE_COUNT_MAX}`,
    )
  }
  const parsed = signatures.map(item => parseSignature(name, item))
  if (new Set(parsed.map(({ keyid }) => keyid)).size !== parsed.length) {
    throw malformed(name, 'it has two signatures with one key id')
  }
  return { signed: value.signed, signatures: parsed }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function malformed(name: string, why: string, cause?: unknown): CatalogError {
  return new CatalogError('METADATA_MALFORMED', `${name} is not valid metadata: ${why}`, { cause })
}

function parseJson(name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw malformed(name, messageOf(error).slice(0, 120), error)
  }
}

function parseSignature(name: string, value: unknown): Signature {
  if (!isObject(value)) throw malformed(name, 'a signature is not an object')
  const { keyid, sig } = value
  if (typeof keyid !== 'string' || typeof sig !== 'string') {
    throw malformed(name, 'a signature must have "keyid" and "sig" as text')
  }
  return { keyid, sig }
}
