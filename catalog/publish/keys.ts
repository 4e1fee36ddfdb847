/** The private keys of an origin: one Ed25519 key file per role, for nobody but its owner. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { messageOf } from '../../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import { TOP_ROLES, type TopRole } from '../trust/document.ts'
import type { SigningKey } from '../trust/envelope.ts'
import { keyIdOf, publicKeyOf } from '../trust/key.ts'
import { keyPath, type OriginFolder } from './origin-folder.ts'

/** PKCS #8 PEM of an Ed25519 key has 119 bytes; of a P-256 key 241. */
const KEY_FILE_BYTES_MAX = 4096

export type RoleKeyFiles = Readonly<Record<TopRole, KeyObject>>

/** Makes and writes the four keys of a new origin, mode 0600. */
export async function createKeys(folder: OriginFolder): Promise<RoleKeyFiles> {
  const made = TOP_ROLES.map(role => [role, generateKeyPairSync('ed25519').privateKey] as const)
  for (const [role, key] of made) {
    const pem = key.export({ format: 'pem', type: 'pkcs8' })
    await writeFileAtomic(keyPath(folder, role), pem, { mode: 0o600 })
  }
  return Object.fromEntries(made) as RoleKeyFiles
}

/** @throws PublishError `KEY_MISSING` */
export async function readKey(folder: OriginFolder, role: TopRole): Promise<SigningKey> {
  const path = keyPath(folder, role)
  const pem = await readFileBounded(path, KEY_FILE_BYTES_MAX)
  if (pem === undefined) {
    throw new PublishError('KEY_MISSING', `the key of the role ${role} is not at ${path}`)
  }
  try {
    return signingKeyOf(createPrivateKey(Buffer.from(pem)))
  } catch (cause) {
    const why = messageOf(cause)
    throw new PublishError('KEY_MISSING', `${path} holds no private key: ${why}`, { cause })
  }
}

export function signingKeyOf(privateKey: KeyObject): SigningKey {
  return { keyId: keyIdOf(publicKeyOf(privateKey)), privateKey }
}
