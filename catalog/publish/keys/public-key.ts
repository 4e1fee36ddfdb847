/** The public half of a key as a file: as `archy origin key new` writes it, or as other tools do (PEM, DER). Pure. */
import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { messageOf } from '../../../src/core/errors.ts'
import { CatalogError } from '../../errors.ts'
import type { PublicKey } from '../../trust/document.ts'
import { openKey, publicKeyOf } from '../../trust/key.ts'

const schema = z.strictObject({
  keytype: z.string(),
  scheme: z.string(),
  keyval: z.strictObject({ public: z.string() }),
})

/** @param what for messages @throws CatalogError `KEY_REFUSED` */
export function parsePublicKey(what: string, bytes: Uint8Array): PublicKey {
  let key: PublicKey
  try {
    key = read(Buffer.from(bytes))
  } catch (cause) {
    throw refused(what, messageOf(cause).slice(0, 200), cause)
  }
  if (openKey(key) === undefined) throw refused(what, 'only Ed25519 and P-256 keys sign')
  return key
}

function read(bytes: Buffer): PublicKey {
  const text = bytes.toString('latin1').trimStart()
  if (text.startsWith('{')) return schema.parse(JSON.parse(bytes.toString('utf8')))
  if (text.startsWith('-----BEGIN')) return publicKeyOf(createPublicKey(text))
  return publicKeyOf(createPublicKey({ key: bytes, format: 'der', type: 'spki' }))
}

function refused(what: string, why: string, cause?: unknown): CatalogError {
  return new CatalogError('KEY_REFUSED', `${what} is no public key that can be used: ${why}`, {
    cause,
  })
}
