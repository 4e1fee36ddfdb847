/** The node's long-lived Ed25519 key: it is the peer id, so it must survive restarts. */
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import { SwarmError } from '../errors.ts'

const IDENTITY_BYTES_MAX = 4096

/**
 * Reads the key, or makes one with mode 0600.
 * @throws SwarmError `IDENTITY_DAMAGED` when the file is not an Ed25519 key.
 */
export async function openIdentity(path: string): Promise<PrivateKey> {
  const bytes = await readFileBounded(path, IDENTITY_BYTES_MAX)
  if (bytes === undefined) {
    const made = await generateKeyPair('Ed25519')
    await writeFileAtomic(path, privateKeyToProtobuf(made), { mode: 0o600 })
    return made
  }
  try {
    const key = privateKeyFromProtobuf(bytes)
    if (key.type === 'Ed25519') return key
    throw new TypeError(`the key is of type ${key.type}`)
  } catch (cause) {
    throw new SwarmError(
      'IDENTITY_DAMAGED',
      `${path} does not hold an Ed25519 key; restore it from a backup, or delete it to get a new peer id`,
      { cause },
    )
  }
}
