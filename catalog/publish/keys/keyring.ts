/** The keys of an origin: their names, where each private one is, and which of them sign which role. */
import { join } from 'node:path'
import { z } from 'zod'
import { canonicalJson } from '../../../src/core/canonical-json.ts'
import { codeOf, messageOf } from '../../../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import type { PublicKey } from '../../trust/document.ts'
import { keyIdOf } from '../../trust/key.ts'
import type { OriginPolicy, RolePolicy } from '../documents.ts'
import type { OriginFolder } from '../origin-folder.ts'
import { newestRoot, stagedRoot, topRole } from '../root-file.ts'
import type { OriginRole } from '../terms.ts'
import { type KeyPlace, openSigner, splitLocator } from './locator.ts'
import type { Signer } from './signer.ts'

const keyName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/)
const schema = z.strictObject({
  v: z.literal(1),
  keys: z.record(
    keyName,
    z.strictObject({
      locator: z.string().min(1).max(1000),
      public: z.strictObject({
        keytype: z.string().max(64),
        scheme: z.string().max(64),
        keyval: z.strictObject({ public: z.string().max(2048) }),
      }),
    }),
  ),
  /** The roles that the top-level targets delegate to; the others stand in the root. */
  delegated: z.record(
    z.enum(['core', 'claimed', 'registry']),
    z.strictObject({ keys: z.array(keyName).min(1).max(64), threshold: z.int().min(1) }),
  ),
})

export type Keyring = z.infer<typeof schema>
export type DelegatedRole = keyof OriginPolicy

/** Who signs what, and the way to their signatures. */
export interface OriginKeys {
  readonly policy: OriginPolicy
  /**
   * As many as the threshold of the role asks for.
   * @throws PublishError `KEY_MISSING`, `PASSPHRASE_REQUIRED` when they cannot be had on this machine
   */
  signers(role: OriginRole): Promise<readonly Signer[]>
}

/** Asked at most once, however many keys it opens. */
export type AskPassphrase = () => Promise<string>

const KEYRING_BYTES_MAX = 1_048_576

/** @throws PublishError `ORIGIN_DAMAGED` */
export async function readKeyring(folder: OriginFolder): Promise<Keyring> {
  const path = keyringPath(folder)
  const bytes = await readFileBounded(path, KEYRING_BYTES_MAX)
  try {
    if (bytes === undefined) throw new TypeError('it is missing')
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (cause) {
    throw new PublishError(
      'ORIGIN_DAMAGED',
      `${path} cannot be read; restore it from a backup: ${messageOf(cause).slice(0, 200)}`,
      { cause },
    )
  }
}

export async function writeKeyring(folder: OriginFolder, ring: Keyring): Promise<void> {
  await writeFileAtomic(keyringPath(folder), canonicalJson(ring), { mode: 0o600 })
}

/** @throws PublishError `ORIGIN_DAMAGED` */
export async function openKeyring(
  folder: OriginFolder,
  passphrase: AskPassphrase,
): Promise<OriginKeys> {
  const ring = await readKeyring(folder)
  const ask = askOnce(passphrase)
  return {
    policy: {
      core: policyOf(ring, 'core'),
      claimed: policyOf(ring, 'claimed'),
      registry: policyOf(ring, 'registry'),
    },
    async signers(role) {
      const { keyIds, threshold } = await whoSigns(folder, ring, role)
      return await openSome(folder, ring, { role, keyIds, threshold }, ask)
    },
  }
}

export interface Quorum {
  /** For messages. */
  readonly role: string
  readonly keyIds: readonly string[]
  readonly threshold: number
}

/**
 * Opens as many of the keys as the threshold asks for; keys that are elsewhere are passed over.
 * @throws PublishError `KEY_MISSING`, `PASSPHRASE_REQUIRED`, `PASSPHRASE_WRONG`, `KEY_FILE_DAMAGED`
 */
export async function openSome(
  folder: OriginFolder,
  ring: Keyring,
  { role, keyIds, threshold }: Quorum,
  passphrase: AskPassphrase,
): Promise<readonly Signer[]> {
  const opened: Signer[] = []
  const away: string[] = []
  for (const place of placesOf(ring).filter(({ publicKey }) =>
    keyIds.includes(keyIdOf(publicKey)),
  )) {
    if (opened.length === threshold) break
    try {
      opened.push(await openSigner(folder.root, place, passphrase))
    } catch (error) {
      if (codeOf(error) !== 'KEY_MISSING') throw error
      away.push(place.name)
    }
  }
  if (opened.length >= threshold) return opened
  const names = away.length === 0 ? '' : `; not here: ${away.join(', ')}`
  throw new PublishError(
    'KEY_MISSING',
    `the role ${role} needs ${threshold} of its ${keyIds.length} keys, ${opened.length} can be used on this machine${names}`,
  )
}

export function placesOf(ring: Keyring): readonly KeyPlace[] {
  return Object.entries(ring.keys).map(([name, { locator, public: publicKey }]) => ({
    name,
    locator,
    publicKey,
  }))
}

/** The name that the keyring gives to a key; otherwise the beginning of its id. */
export function nameOfKey(ring: Keyring, keyId: string): string {
  return (
    placesOf(ring).find(({ publicKey }) => keyIdOf(publicKey) === keyId)?.name ?? keyId.slice(0, 12)
  )
}

/** @throws PublishError `LOCATOR_UNKNOWN`, `ORIGIN_EXISTS` when the name is taken by another key */
export function withKey(
  ring: Keyring,
  name: string,
  locator: string,
  publicKey: PublicKey,
): Keyring {
  splitLocator(locator)
  keyName.parse(name)
  const before = ring.keys[name]
  if (before !== undefined && keyIdOf(before.public) !== keyIdOf(publicKey)) {
    throw new PublishError('ORIGIN_EXISTS', `the keyring has another key with the name "${name}"`)
  }
  return { ...ring, keys: { ...ring.keys, [name]: { locator, public: publicKey } } }
}

function policyOf(ring: Keyring, role: DelegatedRole): RolePolicy {
  const { keys, threshold } = ring.delegated[role]
  return { keys: keys.map(name => keyNamed(ring, name)), threshold }
}

function keyNamed(ring: Keyring, name: string): PublicKey {
  const found = Object.hasOwn(ring.keys, name) ? ring.keys[name] : undefined
  if (found !== undefined) return found.public
  throw new PublishError('ORIGIN_DAMAGED', `the keyring has no key "${name}", which a role names`)
}

async function whoSigns(
  folder: OriginFolder,
  ring: Keyring,
  role: OriginRole,
): Promise<{ readonly keyIds: readonly string[]; readonly threshold: number }> {
  if (role === 'core' || role === 'claimed' || role === 'registry') {
    const { keys, threshold } = policyOf(ring, role)
    return { keyIds: keys.map(keyIdOf), threshold }
  }
  // The root itself is signed by the present holders, everything below it by those whom the next root names.
  const root =
    (role === 'root' ? undefined : await stagedRoot(folder)) ?? (await newestRoot(folder))
  return topRole(root.document, role)
}

function askOnce(passphrase: AskPassphrase): AskPassphrase {
  let asked: Promise<string> | undefined
  return () => {
    asked ??= passphrase()
    return asked
  }
}

function keyringPath(folder: OriginFolder): string {
  return join(folder.root, 'origin.json')
}
