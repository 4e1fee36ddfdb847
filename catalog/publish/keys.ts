/** The private keys of an origin: one Ed25519 key file per role, for nobody but its owner. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { messageOf } from '../../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import type { OriginPolicy } from './documents.ts'
import { type Signer, signerOf } from './keys/signer.ts'
import { keyPath, type OriginFolder } from './origin-folder.ts'
import type { OriginRole } from './terms.ts'

/** PKCS #8 PEM of an Ed25519 key has 119 bytes; of a P-256 key 241. */
const KEY_FILE_BYTES_MAX = 4096

/** Roles with a key file of their own; confirmed publishers are listed by the holder of the targets key. */
export const KEY_ROLES = ['root', 'targets', 'core', 'registry', 'snapshot', 'timestamp'] as const
export type KeyRole = (typeof KEY_ROLES)[number]
export type RoleKeyFiles = Readonly<Record<KeyRole, KeyObject>>

/** Who signs what, and the way to their signatures. */
export interface OriginKeys {
  readonly policy: OriginPolicy
  /**
   * As many as the threshold of the role asks for.
   * @throws PublishError `KEY_MISSING` when they cannot be had on this machine
   */
  signers(role: OriginRole): Promise<readonly Signer[]>
}

/** Makes and writes the keys of a new origin, mode 0600. */
export async function createKeys(folder: OriginFolder): Promise<RoleKeyFiles> {
  const made = KEY_ROLES.map(role => [role, generateKeyPairSync('ed25519').privateKey] as const)
  for (const [role, key] of made) {
    const pem = key.export({ format: 'pem', type: 'pkcs8' })
    await writeFileAtomic(keyPath(folder, role), pem, { mode: 0o600 })
  }
  return Object.fromEntries(made) as RoleKeyFiles
}

/** @throws PublishError `KEY_MISSING` */
export async function openOriginKeys(folder: OriginFolder): Promise<OriginKeys> {
  const open = async (role: OriginRole) =>
    signerOf(await readPrivateKey(folder, role === 'claimed' ? 'targets' : role))
  const policyOf = async (role: OriginRole) => ({
    keys: [(await open(role)).publicKey],
    threshold: 1,
  })
  return {
    policy: {
      core: await policyOf('core'),
      claimed: await policyOf('claimed'),
      registry: await policyOf('registry'),
    },
    signers: async role => [await open(role)],
  }
}

/** @throws PublishError `KEY_MISSING` */
export async function readPrivateKey(folder: OriginFolder, name: string): Promise<KeyObject> {
  const path = keyPath(folder, name)
  const pem = await readFileBounded(path, KEY_FILE_BYTES_MAX)
  if (pem === undefined) {
    throw new PublishError('KEY_MISSING', `the key ${name} is not at ${path}`)
  }
  try {
    return createPrivateKey(Buffer.from(pem))
  } catch (cause) {
    const why = messageOf(cause)
    throw new PublishError('KEY_MISSING', `${path} holds no private key: ${why}`, { cause })
  }
}
