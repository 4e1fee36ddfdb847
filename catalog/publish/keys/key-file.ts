/** A private key in a file: encrypted with a passphrase, or, for keys that a machine uses alone, as it is. */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scryptSync,
} from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '../../../src/core/canonical-json.ts'
import { messageOf } from '../../../src/core/errors.ts'
import { PublishError } from '../../errors.ts'
import type { PublicKey } from '../../trust/document.ts'
import { keyIdOf, publicKeyOf } from '../../trust/key.ts'

export type KeyType = 'ed25519' | 'p256'

/** What guards a key file. */
export interface Protection {
  readonly passphrase: string
  /** Memory and time of one guess, as N of scrypt; a power of two. */
  readonly cost?: number
}

/** 128 MiB and 0.4 s a guess. @see RFC 7914; OWASP asks for at least 2^17 */
const SCRYPT_COST = 2 ** 17
/** A file from outside must not ask for all memory, and must not be cheaper to guess than this. */
const SCRYPT_COST_MIN = 2 ** 14
const SCRYPT_COST_MAX = 2 ** 20
const SCRYPT_BLOCK = 8
const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
const PASSPHRASE_LENGTH_MIN = 8

/** The one way to write its bytes: the bits that a last character leaves over are zero. */
const base64 = z
  .base64()
  .max(4096)
  .refine(text => Buffer.from(text, 'base64').toString('base64') === text, 'not plain base64')
const schema = z.strictObject({
  v: z.literal(1),
  public: z.strictObject({
    keytype: z.string().max(64),
    scheme: z.string().max(64),
    keyval: z.strictObject({ public: z.string().max(2048) }),
  }),
  scrypt: z
    .strictObject({
      n: z.int().min(SCRYPT_COST_MIN).max(SCRYPT_COST_MAX),
      r: z.literal(SCRYPT_BLOCK),
      p: z.literal(1),
      salt: base64,
    })
    .nullable(),
  cipher: z.strictObject({ name: z.literal(CIPHER), iv: base64, tag: base64 }).nullable(),
  /** PKCS #8 DER, encrypted unless `cipher` is null. */
  data: base64,
})

/** Far above any key file of ours. */
export const KEY_FILE_BYTES_MAX = 16_384

export interface KeyFile {
  readonly publicKey: PublicKey
  readonly keyId: string
  readonly isEncrypted: boolean
  /**
   * @param passphrase is only asked for when the file is encrypted
   * @throws PublishError `PASSPHRASE_WRONG`, `KEY_FILE_DAMAGED`
   */
  open(passphrase: () => Promise<string>): Promise<KeyObject>
}

export function generateKey(type: KeyType): KeyObject {
  return type === 'ed25519'
    ? generateKeyPairSync('ed25519').privateKey
    : generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
}

/**
 * The bytes of a key file. The public key is bound to the encrypted one, so that nobody can put another before it.
 * @throws PublishError `PASSPHRASE_WEAK`
 */
export function encodeKeyFile(key: KeyObject, protection: Protection | undefined): Uint8Array {
  const publicKey = publicKeyOf(key)
  const secret = key.export({ format: 'der', type: 'pkcs8' })
  if (protection === undefined) {
    const plain = { v: 1, public: publicKey, scrypt: null, cipher: null }
    return canonicalJson({ ...plain, data: secret.toString('base64') })
  }
  const { passphrase, cost = SCRYPT_COST } = protection
  checkPassphrase(passphrase)
  const salt = randomBytes(16)
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, derive(passphrase, salt, cost), iv)
  cipher.setAAD(boundTo(publicKey))
  const data = Buffer.concat([cipher.update(secret), cipher.final()])
  return canonicalJson({
    v: 1,
    public: publicKey,
    scrypt: { n: cost, r: SCRYPT_BLOCK, p: 1, salt: salt.toString('base64') },
    cipher: {
      name: CIPHER,
      iv: iv.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
    },
    data: data.toString('base64'),
  })
}

/** @throws PublishError `PASSPHRASE_WEAK` */
export function checkPassphrase(passphrase: string): void {
  if (passphrase.length >= PASSPHRASE_LENGTH_MIN) return
  throw new PublishError(
    'PASSPHRASE_WEAK',
    `a passphrase has at least ${PASSPHRASE_LENGTH_MIN} characters; five random words are a good one`,
  )
}

/** @param path for messages @throws PublishError `KEY_FILE_DAMAGED` */
export function parseKeyFile(path: string, bytes: Uint8Array): KeyFile {
  let file: z.infer<typeof schema>
  try {
    file = schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (cause) {
    throw damaged(path, messageOf(cause).slice(0, 200), cause)
  }
  if ((file.scrypt === null) !== (file.cipher === null)) {
    throw damaged(path, 'it is half encrypted')
  }
  const publicKey = file.public
  return {
    publicKey,
    keyId: keyIdOf(publicKey),
    isEncrypted: file.cipher !== null,
    async open(passphrase) {
      const secret =
        file.cipher === null
          ? Buffer.from(file.data, 'base64')
          : decrypt(path, file, await passphrase())
      const key = readSecret(path, secret)
      if (keyIdOf(publicKeyOf(key)) === keyIdOf(publicKey)) return key
      throw damaged(path, 'the public key in it is not that of the private key')
    },
  }
}

function decrypt(path: string, file: z.infer<typeof schema>, passphrase: string): Buffer {
  const { scrypt, cipher } = file
  if (scrypt === null || cipher === null) throw damaged(path, 'it is half encrypted')
  const iv = Buffer.from(cipher.iv, 'base64')
  const tag = Buffer.from(cipher.tag, 'base64')
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) throw damaged(path, 'a part is too short')
  const key = derive(passphrase, Buffer.from(scrypt.salt, 'base64'), scrypt.n)
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(boundTo(file.public))
  decipher.setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(Buffer.from(file.data, 'base64')), decipher.final()])
  } catch (cause) {
    throw new PublishError(
      'PASSPHRASE_WRONG',
      `${path} does not open: the passphrase is another one, or the file was changed`,
      { cause },
    )
  }
}

function readSecret(path: string, der: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw damaged(path, 'there is no private key in it', cause)
  }
}

function derive(passphrase: string, salt: Buffer, cost: number): Buffer {
  const maxmem = 256 * cost * SCRYPT_BLOCK
  const options = { N: cost, r: SCRYPT_BLOCK, p: 1, maxmem }
  return scryptSync(passphrase.normalize('NFKC'), salt, KEY_BYTES, options)
}

function boundTo(publicKey: PublicKey): Uint8Array {
  return canonicalJson({ v: 1, public: publicKey })
}

function damaged(path: string, why: string, cause?: unknown): PublishError {
  return new PublishError('KEY_FILE_DAMAGED', `${path} is no key file that can be used: ${why}`, {
    cause,
  })
}
