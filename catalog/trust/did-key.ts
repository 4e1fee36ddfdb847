/** `did:key` identities of publishers: Ed25519 and P-256 keys as text, and the names that are derived from them. */
import { createHash, createPublicKey, ECDH } from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'
import { CatalogError } from '../errors.ts'
import type { PublicKey } from './document.ts'
import { openKey } from './key.ts'
import { isSoundEd25519 } from './key-gate.ts'

/** Multicodec prefixes as unsigned varints. @see multicodec table: ed25519-pub 0xed, p256-pub 0x1200 */
const ED25519_PREFIX = Buffer.from([0xed, 0x01])
const P256_PREFIX = Buffer.from([0x80, 0x24])
const PREFIX = 'did:key:'
/** The longest that we know, P-256, has 57 characters. */
const DID_LENGTH_MAX = 80
const ID_DIGITS = 20
const P256_SPKI_HEADER = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')

/**
 * The public key that a `did:key` is.
 * @throws CatalogError `DID_MALFORMED` for other methods, codecs and lengths, other spellings, and unsound keys
 * @see did:key method v0.7, W3C CCG
 */
export function parseDidKey(did: string): PublicKey {
  const bytes = decode(did)
  const prefix = bytes.subarray(0, 2)
  const key = bytes.subarray(2)
  const found = prefix.equals(ED25519_PREFIX)
    ? ed25519Key(key)
    : prefix.equals(P256_PREFIX)
      ? p256Key(key)
      : undefined
  if (found === undefined || didKeyOf(found) !== did) throw malformed(did)
  return found
}

/** The `did:key` of an Ed25519 or P-256 key. @throws CatalogError `DID_MALFORMED` for any other key */
export function didKeyOf(key: PublicKey): string {
  const opened = openKey(key)
  if (opened?.scheme === 'ed25519') {
    const bytes = Buffer.from(key.keyval.public, 'hex')
    return PREFIX + base58btc.encode(Buffer.concat([ED25519_PREFIX, bytes]))
  }
  if (opened?.scheme !== 'ecdsa-sha2-nistp256') throw malformed(key.keyval.public)
  const point = opened.key.export({ format: 'der', type: 'spki' }).subarray(-65)
  const compressed = ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'compressed')
  return PREFIX + base58btc.encode(Buffer.concat([P256_PREFIX, Buffer.from(compressed)]))
}

/** `z` and 20 hex digits: derived, so that nobody can take another's name. */
export function publisherIdOf(did: string): string {
  return `z${createHash('sha256').update(did, 'utf8').digest('hex').slice(0, ID_DIGITS)}`
}

/** The delegated role of a publisher. */
export function roleOfPublisher(did: string): string {
  return `pub-${publisherIdOf(did)}`
}

/** The only paths that a publisher may speak for. */
export function pathsOfPublisher(did: string): readonly string[] {
  return [`apps/${publisherIdOf(did)}.*/*`]
}

function decode(did: string): Buffer {
  if (did.length > DID_LENGTH_MAX || !did.startsWith(PREFIX)) throw malformed(did)
  try {
    return Buffer.from(base58btc.decode(did.slice(PREFIX.length) as `z${string}`))
  } catch (cause) {
    throw malformed(did, cause)
  }
}

function ed25519Key(bytes: Uint8Array): PublicKey | undefined {
  const hex = Buffer.from(bytes).toString('hex')
  if (bytes.length !== 32 || !isSoundEd25519(hex)) return undefined
  return { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: hex } }
}

function p256Key(bytes: Uint8Array): PublicKey | undefined {
  if (bytes.length !== 33) return undefined
  try {
    const point = ECDH.convertKey(bytes, 'prime256v1', undefined, undefined, 'uncompressed')
    const der = Buffer.concat([P256_SPKI_HEADER, Buffer.from(point as Buffer)])
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
    const text = key.export({ format: 'pem', type: 'spki' }).toString()
    return { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: text } }
  } catch {
    // OpenSSL refuses what is no point of the curve.
    return undefined
  }
}

function malformed(did: string, cause?: unknown): CatalogError {
  const shown = JSON.stringify(did.slice(0, DID_LENGTH_MAX))
  return new CatalogError(
    'DID_MALFORMED',
    `${shown} is not a did:key of an Ed25519 or P-256 key in its only spelling`,
    { cause },
  )
}
