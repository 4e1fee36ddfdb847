/** `origin init`: makes keys, the first root and an empty signed catalog, for one person with one passphrase. */
import type { KeyObject } from 'node:crypto'
import { basename, join, resolve } from 'node:path'
import { writeFileAtomic } from '../../src/core/files.ts'
import { EMPTY_DRAFT, writeDraft } from './draft.ts'
import { encodeKeyFile, generateKey, type Protection } from './keys/key-file.ts'
import { type Keyring, writeKeyring } from './keys/keyring.ts'
import { recoveryText } from './keys/recovery-text.ts'
import { signerOf, signWith } from './keys/signer.ts'
import { makeOriginFolder } from './new-folder.ts'
import type { OriginFolder } from './origin-folder.ts'
import { type Publication, publishOrigin } from './publish.ts'
import { firstRoot } from './sign.ts'

export interface InitializedOrigin {
  /** What nodes embed in their configuration: the bytes of `1.root.json`. */
  readonly root: Uint8Array
  readonly rootPath: string
  readonly publicFolder: string
  /** The recovery key, for paper: it is kept nowhere else. */
  readonly recovery: string
  readonly publication: Publication
}

export interface NewOrigin {
  readonly nowMs: number
  /** Guards the keys that a person uses; without it they are kept as they are. */
  readonly protection?: Protection | undefined
  /** For people; default: the name of the folder. */
  readonly name?: string
}

/** Keys that a person uses, behind the passphrase; and keys that a machine uses alone, every day. */
const OWNER_KEYS = ['root', 'targets', 'core'] as const
const ONLINE_KEYS = ['registry', 'snapshot', 'timestamp'] as const
/** On paper only: it stands beside the keys for root and targets, so that one lost file or passphrase is no end. */
const RECOVERY = 'recovery'

type FileKey = (typeof OWNER_KEYS)[number] | (typeof ONLINE_KEYS)[number]
type Keys = Readonly<Record<FileKey | typeof RECOVERY, KeyObject>>

/**
 * Makes an origin at `path`, which must not exist or be an empty folder.
 * @throws PublishError `ORIGIN_EXISTS`, `PASSPHRASE_WEAK`
 * @throws FileError `DISK_FULL`
 */
export async function initOrigin(path: string, options: NewOrigin): Promise<InitializedOrigin> {
  const { nowMs, protection, name = basename(resolve(path)) } = options
  const { folder, made } = await makeOriginFolder(path, async building => {
    const keys = makeKeys()
    await writeKeys(building, keys, protection)
    const root = await buildRoot(keys, name, nowMs)
    await writeFileAtomic(join(building.catalog, '1.root.json'), root)
    await writeDraft(building, EMPTY_DRAFT)
    const passphrase = async (): Promise<string> => protection?.passphrase ?? ''
    const publication = await publishOrigin(building.root, { nowMs, passphrase })
    return { root, recovery: recoveryText('ed25519', keys.recovery), publication }
  })
  const rootPath = join(folder.catalog, '1.root.json')
  return { ...made, rootPath, publicFolder: folder.public }
}

function makeKeys(): Keys {
  const names = [...OWNER_KEYS, ...ONLINE_KEYS, RECOVERY]
  return Object.fromEntries(names.map(name => [name, generateKey('ed25519')])) as unknown as Keys
}

async function writeKeys(
  folder: OriginFolder,
  keys: Keys,
  protection: Protection | undefined,
): Promise<void> {
  const ring: Keyring = {
    v: 1,
    keys: Object.fromEntries(
      Object.entries(keys).map(([name, key]) => [
        name,
        {
          locator: name === RECOVERY ? 'none' : `file:${keyFileName(name)}`,
          public: signerOf(key).publicKey,
        },
      ]),
    ),
    delegated: {
      core: { keys: ['core'], threshold: 1 },
      claimed: { keys: ['targets'], threshold: 1 },
      registry: { keys: ['registry'], threshold: 1 },
    },
  }
  for (const name of OWNER_KEYS) await writeKeyFile(folder, name, keys[name], protection)
  for (const name of ONLINE_KEYS) await writeKeyFile(folder, name, keys[name], undefined)
  await writeKeyring(folder, ring)
}

/** Relative to the origin. */
export function keyFileName(name: string): string {
  return `keys/${name}.key`
}

export async function writeKeyFile(
  folder: OriginFolder,
  name: string,
  key: KeyObject,
  protection: Protection | undefined,
): Promise<void> {
  const path = join(folder.root, keyFileName(name))
  await writeFileAtomic(path, encodeKeyFile(key, protection), { mode: 0o600 })
}

async function buildRoot(keys: Keys, name: string, nowMs: number): Promise<Uint8Array> {
  const of = (...names: readonly (keyof Keys)[]) => ({
    keys: names.map(each => signerOf(keys[each]).publicKey),
    threshold: 1,
  })
  const roles = {
    root: of('root', RECOVERY),
    targets: of('targets', RECOVERY),
    snapshot: of('snapshot'),
    timestamp: of('timestamp'),
  }
  return await signWith(firstRoot({ name, roles }, nowMs), [signerOf(keys.root)])
}
