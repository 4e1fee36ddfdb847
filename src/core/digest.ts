/** Content addresses: the BLAKE3 digest that names a blob, and the SHA-256 digest that OCI uses. */
import blake3 from 'blake3-wasm'
import { NodeError } from './errors.ts'

declare const blake3Brand: unique symbol
declare const sha256Brand: unique symbol

/** `blake3:` followed by 64 lower-case hex digits: the address of a blob, as `b3sum` prints it. */
export type Digest = string & { readonly [blake3Brand]: 'Digest' }

/** `sha256:` followed by 64 lower-case hex digits: the digest form of the OCI image specification. */
export type Sha256 = string & { readonly [sha256Brand]: 'Sha256' }

export class DigestError extends NodeError<'DIGEST_MALFORMED'> {}

/** The digest of `bytes`; for files use the streaming hasher `createDigestHasher`. */
export function digestOf(bytes: Uint8Array): Digest {
  return createDigestHasher().update(bytes).digest()
}

export interface DigestHasher {
  update(bytes: Uint8Array): DigestHasher
  /** Ends the hasher; it cannot be used after. */
  digest(): Digest
}

export function createDigestHasher(): DigestHasher {
  const hash = blake3.createHash()
  const hasher: DigestHasher = {
    update(bytes) {
      hash.update(bytes)
      return hasher
    },
    digest: () => `blake3:${hash.digest('hex')}` as Digest,
  }
  return hasher
}

export function isDigest(text: string): text is Digest {
  return /^blake3:[0-9a-f]{64}$/.test(text)
}

/** What TUF writes is the digest without its algorithm; `undefined` when `hex` is not 64 lower-case hex digits. */
export function sha256FromHex(hex: string): Sha256 | undefined {
  return /^[0-9a-f]{64}$/.test(hex) ? (`sha256:${hex}` as Sha256) : undefined
}

/** @throws DigestError `DIGEST_MALFORMED` when `text` is not `blake3:` and 64 lower-case hex digits. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw malformed(text, 'blake3:<64 hex digits>')
  return text
}

/** @throws DigestError `DIGEST_MALFORMED` when `text` is not `sha256:` and 64 lower-case hex digits. */
export function parseSha256(text: string): Sha256 {
  if (!/^sha256:[0-9a-f]{64}$/.test(text)) throw malformed(text, 'sha256:<64 hex digits>')
  return text as Sha256
}

/** The 64 hex digits of a digest, without its algorithm: the form used in file names and URLs. */
export function hexOf(digest: Digest | Sha256): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** @throws DigestError `DIGEST_MALFORMED` when `bytes` is not 32 bytes long. */
export function digestFromBytes(bytes: Uint8Array): Digest {
  return parseDigest(`blake3:${Buffer.from(bytes).toString('hex')}`)
}

export function digestBytes(digest: Digest): Uint8Array {
  return Buffer.from(hexOf(digest), 'hex')
}

function malformed(text: string, form: string): DigestError {
  const shown = JSON.stringify(text.slice(0, 80))
  return new DigestError('DIGEST_MALFORMED', `not a digest of the form ${form}: ${shown}`)
}
