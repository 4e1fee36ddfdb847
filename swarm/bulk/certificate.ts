/** The certificate of the bulk channel: self-signed, made at each start, worth only as much as who tells its fingerprint. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { bitString, DerTag, der, integer, objectId, sequence, utcTime, utf8 } from './der.ts'

/** Of both sides. The first cipher that both have is used: AES, which nearly every processor has in hardware. */
export const TLS_OPTIONS = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
} as const

export interface BulkCertificate {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS #8. */
  readonly key: string
  /** SHA-256 of the DER form, 32 bytes. */
  readonly fingerprint: Uint8Array
}

const COMMON_NAME = objectId('2.5.4.3')
const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))
const SERIAL_BYTES = 16
/** Libraries of other languages read no older one. */
const VERSION_3 = der(DerTag.explicit0, integer(Buffer.of(2)))

/** Nobody looks at the dates: the certificate is believed by its fingerprint, and that only with a valid token. */
const VALIDITY = sequence(utcTime('200101000000Z'), utcTime('491231235959Z'))

/** @see RFC 5280 §4.1, RFC 5480 */
export function createBulkCertificate(): BulkCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(der(DerTag.set, sequence(COMMON_NAME, utf8('archy bulk'))))
  const serial = randomBytes(SERIAL_BYTES)
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0)
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' })
  const signed = sequence(
    VERSION_3,
    integer(serial),
    ECDSA_WITH_SHA256,
    name,
    VALIDITY,
    name,
    subjectKey,
  )
  const raw = sequence(signed, ECDSA_WITH_SHA256, bitString(sign('sha256', signed, privateKey)))
  return {
    cert: pemOf(raw),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: fingerprintOf(raw),
  }
}

/** Of a certificate in DER form. */
export function fingerprintOf(raw: Uint8Array): Uint8Array {
  return createHash('sha256').update(raw).digest()
}

function pemOf(raw: Buffer): string {
  const lines = raw.toString('base64').replaceAll(/(.{64})/g, '$1\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}
