/** What can sign: the port between documents and the many places where a private key may live. */
import { type KeyObject, sign } from 'node:crypto'
import type { CatalogDocument, PublicKey } from '../../trust/document.ts'
import { encodeEnvelope, signedBytes } from '../../trust/envelope.ts'
import { keyIdOf, publicKeyOf } from '../../trust/key.ts'

export interface Signer {
  readonly keyId: string
  readonly publicKey: PublicKey
  /** @returns the signature in lower-case hex */
  sign(bytes: Uint8Array): Promise<string>
}

/** A key that is in memory. */
export function signerOf(privateKey: KeyObject): Signer {
  const publicKey = publicKeyOf(privateKey)
  const algorithm = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    sign: async bytes => sign(algorithm, bytes, privateKey).toString('hex'),
  }
}

/** The bytes of a catalog file, signed by every one of `signers`. */
export async function signWith(
  document: CatalogDocument,
  signers: readonly Signer[],
): Promise<Uint8Array> {
  const bytes = signedBytes(document)
  const signatures: { keyid: string; sig: string }[] = []
  // One after another: a person may have to enter a code or touch a token for each.
  for (const signer of signers) {
    signatures.push({ keyid: signer.keyId, sig: await signer.sign(bytes) })
  }
  return encodeEnvelope(document, signatures)
}
