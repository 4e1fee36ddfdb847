/** A private key as text that a person can print, keep, and type again. Pure. */
import { createECDH, createHash, createPrivateKey, type KeyObject } from 'node:crypto'
import { PublishError } from '../../errors.ts'

export type PublisherKeyType = 'ed25519' | 'p256'

const KEY_BYTES = 32
const CHECK_BYTES = 2
/** The DER header of an Ed25519 PKCS #8 key; the 32 key bytes follow. @see RFC 8410 §7 */
const ED25519_PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')

/** `ed25519 1a2b 3c4d …`: the 32 secret bytes and two to notice a slip of the pen, in groups of four digits. */
export function recoveryText(type: PublisherKeyType, key: KeyObject): string {
  const secret = secretOf(key)
  const digits = Buffer.concat([secret, checkOf(type, secret)]).toString('hex')
  return `${type} ${(digits.match(/.{4}/g) ?? []).join(' ')}`
}

/** @throws PublishError `KEY_MISSING` for text that is not such a key, or has a slip in it */
export function parseRecoveryText(text: string): {
  readonly type: PublisherKeyType
  readonly key: KeyObject
} {
  const [type, ...groups] = text.trim().toLowerCase().split(/\s+/)
  const digits = groups.join('')
  if ((type !== 'ed25519' && type !== 'p256') || !/^[0-9a-f]{68}$/.test(digits)) {
    throw notRecovery('it must be "ed25519" or "p256" and 17 groups of four digits')
  }
  const bytes = Buffer.from(digits, 'hex')
  const secret = bytes.subarray(0, KEY_BYTES)
  if (!checkOf(type, secret).equals(bytes.subarray(KEY_BYTES))) {
    throw notRecovery('a digit is wrong')
  }
  return { type, key: type === 'ed25519' ? ed25519Of(secret) : p256Of(secret) }
}

function secretOf(key: KeyObject): Buffer {
  const { d } = key.export({ format: 'jwk' })
  const secret = Buffer.from(d ?? '', 'base64url')
  if (secret.length > KEY_BYTES || secret.length === 0) throw new TypeError('not a private key')
  return Buffer.concat([Buffer.alloc(KEY_BYTES - secret.length), secret])
}

function checkOf(type: PublisherKeyType, secret: Buffer): Buffer {
  const hash = createHash('sha256').update(`archy recovery ${type}`).update(secret)
  return hash.digest().subarray(0, CHECK_BYTES)
}

function ed25519Of(secret: Buffer): KeyObject {
  const der = Buffer.concat([ED25519_PKCS8_HEADER, secret])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

function p256Of(secret: Buffer): KeyObject {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(secret)
  const point = curve.getPublicKey()
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: secret.toString('base64url'),
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

function notRecovery(why: string): PublishError {
  return new PublishError('KEY_MISSING', `this is no recovery key: ${why}`)
}
