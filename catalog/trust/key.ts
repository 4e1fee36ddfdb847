/** Public keys: their ids, what identifies one apart from its spelling, and checking one signature. */
import {
  constants,
  createHash,
  createPublicKey,
  type KeyObject,
  verify as verifyBytes,
} from 'node:crypto'
import { olpcJson } from '../../src/core/canonical-json.ts'
import type { PublicKey } from './document.ts'

/** The DER header of an Ed25519 SubjectPublicKeyInfo; the 32 key bytes follow. @see RFC 8410 §4 */
const ED25519_SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')
/** Characters of the longest key text: PEM of an RSA key with 4096 bits has about 800. */
const KEY_TEXT_MAX = 2048

/** A public key that can check signatures. */
export interface VerifyingKey {
  readonly scheme: Scheme
  /** SHA-256 of the key in one fixed form: equal for two spellings, or two ids, of one key. */
  readonly material: string
  readonly key: KeyObject
}

type Scheme = 'ed25519' | 'ecdsa-sha2-nistp256' | 'rsassa-pss-sha256'

/** SHA-256, in hex, over the canonical form of the key. @see TUF 1.0.34 §4.2 */
export function keyIdOf(key: PublicKey): string {
  return createHash('sha256').update(olpcJson(key)).digest('hex')
}

/** The wire form of an Ed25519 or P-256 key (the public half, when given a private key). */
export function publicKeyOf(key: KeyObject): PublicKey {
  const half = key.type === 'private' ? createPublicKey(key) : key
  if (half.asymmetricKeyType === 'ed25519') {
    const bytes = half.export({ format: 'der', type: 'spki' }).subarray(ED25519_SPKI_HEADER.length)
    return {
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: bytes.toString('hex') },
    }
  }
  return {
    keytype: 'ecdsa',
    scheme: 'ecdsa-sha2-nistp256',
    keyval: { public: half.export({ format: 'pem', type: 'spki' }).toString() },
  }
}

/** The key, ready to check signatures; `undefined` when it is of no kind that we know, or broken. */
export function openKey(key: PublicKey): VerifyingKey | undefined {
  if (key.keyval.public.length > KEY_TEXT_MAX) return undefined
  try {
    const scheme = schemeOf(key)
    if (scheme === undefined) return undefined
    const opened = scheme === 'ed25519' ? openEd25519(key) : openPem(key)
    if (!fits(scheme, opened)) return undefined
    const der = opened.export({ format: 'der', type: 'spki' })
    return { scheme, key: opened, material: createHash('sha256').update(der).digest('hex') }
  } catch {
    // Text that OpenSSL cannot read is a key that can sign nothing; whoever needs it misses its signature.
    return undefined
  }
}

/** Whether `sig` (hex) is a signature of `bytes` by this key. Never throws. */
export function isSignedBy(key: VerifyingKey, bytes: Uint8Array, sig: string): boolean {
  if (!/^([0-9a-f]{2})+$/.test(sig)) return false
  const signature = Buffer.from(sig, 'hex')
  try {
    if (key.scheme === 'ed25519') return verifyBytes(null, bytes, key.key, signature)
    if (key.scheme === 'ecdsa-sha2-nistp256') {
      return verifyBytes('sha256', bytes, { key: key.key, dsaEncoding: 'der' }, signature)
    }
    const padding = constants.RSA_PKCS1_PSS_PADDING
    // TUF does not say how long the salt is.
    const saltLength = constants.RSA_PSS_SALTLEN_AUTO
    return verifyBytes('sha256', bytes, { key: key.key, padding, saltLength }, signature)
  } catch {
    // OpenSSL throws for some malformed signatures instead of answering no.
    return false
  }
}

function schemeOf({ keytype, scheme }: PublicKey): Scheme | undefined {
  if (keytype === 'ed25519' && scheme === 'ed25519') return scheme
  if (keytype === 'rsa' && scheme === 'rsassa-pss-sha256') return scheme
  const isEcdsa = keytype === 'ecdsa' || keytype === 'ecdsa-sha2-nistp256'
  return isEcdsa && scheme === 'ecdsa-sha2-nistp256' ? scheme : undefined
}

/** Checked here because OpenSSL would take more bytes than a key has, and look at the first 32 of them. */
function openEd25519(key: PublicKey): KeyObject {
  const text = key.keyval.public
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new TypeError('not 32 bytes in hex')
  const bytes = Buffer.from(text, 'hex')
  const der = Buffer.concat([ED25519_SPKI_HEADER, bytes])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

/** OpenSSL would also take the public half of a private key or a certificate. */
function openPem(key: PublicKey): KeyObject {
  const text = key.keyval.public
  if (!text.startsWith('-----BEGIN PUBLIC KEY-----')) throw new TypeError('not a public key')
  return createPublicKey(text)
}

function fits(scheme: Scheme, key: KeyObject): boolean {
  if (scheme === 'ed25519') return key.asymmetricKeyType === 'ed25519'
  if (scheme === 'rsassa-pss-sha256') return key.asymmetricKeyType === 'rsa'
  const isEc = key.asymmetricKeyType === 'ec'
  return isEc && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
}
