/** Replaces keys of an origin: new key files, a keyring that knows them, and a root that its holders signed. */
import { rm } from 'node:fs/promises'
import { writeFileAtomic } from '../../../src/core/files.ts'
import { PublishError } from '../../errors.ts'
import type { PublicKey, TopRole } from '../../trust/document.ts'
import { keyIdOf } from '../../trust/key.ts'
import { readDraft } from '../draft.ts'
import { keyFileName, writeKeyFile } from '../init.ts'
import { generateKey, type Protection } from '../keys/key-file.ts'
import {
  type AskPassphrase,
  type DelegatedRole,
  type Keyring,
  openSome,
  placesOf,
  readKeyring,
  withKey,
  writeKeyring,
} from '../keys/keyring.ts'
import { recoveryText } from '../keys/recovery-text.ts'
import { type Signer, signerOf } from '../keys/signer.ts'
import { lockOrigin, type OriginFolder, originFolder } from '../origin-folder.ts'
import { newestRoot, type RoleChange, stagedPath, stagedRoot } from '../root-file.ts'
import type { OriginRole } from '../terms.ts'
import { rootRequest } from './create.ts'
import {
  type DetachedSignature,
  mergeRequest,
  type SigningRequest,
  signRequest,
} from './request.ts'

export interface ReplaceOptions {
  readonly nowMs: number
  readonly passphrase: AskPassphrase
  /** For the new keys of a person; keys that a machine uses alone have none. */
  readonly protection: Protection | undefined
  /** The key on the recovery sheet signs in place of a lost one, and is replaced too. */
  readonly recoveryKey?: Signer
}

export interface Replaced {
  /** Names of the new keys, by role. */
  readonly keys: Readonly<Record<string, string>>
  /** The version of the new root; `undefined` when none was needed. */
  readonly root: number | undefined
  /** The new recovery key, for paper. */
  readonly recovery: string | undefined
}

const OWNED: readonly string[] = ['root', 'targets', 'core']
const DELEGATED: readonly string[] = ['core', 'registry']
const RECOVERY = 'recovery'

/**
 * Gives each of `roles` a new key in place of the one that is a file here. Takes effect with the next publication,
 * which signs everything that the replaced keys signed.
 * @throws PublishError `KEY_MISSING` also for a role without a key file here, `PASSPHRASE_REQUIRED`, `THRESHOLD_UNMET`
 * when the root cannot be signed here, `ROOT_PENDING`
 */
export async function replaceKeys(
  path: string,
  roles: readonly OriginRole[],
  options: ReplaceOptions,
): Promise<Replaced> {
  const folder = originFolder(path)
  await readDraft(folder)
  await using _lock = await lockOrigin(folder)
  const before = await newestRoot(folder)
  const top = roles.filter((role): role is TopRole => !DELEGATED.includes(role))
  if (top.length > 0) await refusePending(folder)
  const old = await readKeyring(folder)
  const made = await makeKeys(folder, old, roles, options)
  try {
    const changes = changesFor(old, made, before.document, top, options.recoveryKey !== undefined)
    if (top.length === 0) {
      await writeKeyring(folder, made.ring)
      return { keys: made.names, root: undefined, recovery: undefined }
    }
    const request = rootRequest(made.ring, before.document, changes, options.nowMs)
    const root = await signHere(folder, made.ring, request, options)
    await writeKeyring(folder, made.ring)
    await writeFileAtomic(stagedPath(folder, request.document.version), root)
    return { keys: made.names, root: request.document.version, recovery: made.recovery }
  } catch (error) {
    // Nothing knows the new keys yet.
    for (const name of Object.values(made.names)) {
      await rm(`${folder.root}/${keyFileName(name)}`, { force: true })
    }
    throw error
  }
}

/** Several people may have met to sign it. */
async function refusePending(folder: OriginFolder): Promise<void> {
  const pending = (await stagedRoot(folder))?.document.version
  if (pending === undefined) return
  const fix = `archy origin publish makes it live; or delete ${stagedPath(folder, pending)}`
  throw new PublishError('ROOT_PENDING', `root ${pending} is signed and waits; ${fix}`)
}

interface Made {
  readonly ring: Keyring
  readonly names: Readonly<Record<string, string>>
  readonly recovery: string | undefined
}

async function makeKeys(
  folder: OriginFolder,
  old: Keyring,
  roles: readonly OriginRole[],
  { protection, recoveryKey }: ReplaceOptions,
): Promise<Made> {
  let ring = old
  const names: Record<string, string> = {}
  for (const role of roles) {
    const name = freeName(ring, role)
    const key = generateKey('ed25519')
    await writeKeyFile(folder, name, key, OWNED.includes(role) ? protection : undefined)
    ring = withKey(ring, name, `file:${keyFileName(name)}`, signerOf(key).publicKey)
    names[role] = name
    ring = withDelegated(ring, role, name)
  }
  if (recoveryKey === undefined) return { ring, names, recovery: undefined }
  const next = generateKey('ed25519')
  ring = withKey(ring, freeName(ring, RECOVERY), 'none', signerOf(next).publicKey)
  return { ring, names, recovery: recoveryText('ed25519', next) }
}

/** Confirmed publishers are listed by the holder of the targets key. */
function withDelegated(ring: Keyring, role: OriginRole, name: string): Keyring {
  const changed: readonly DelegatedRole[] =
    role === 'targets' ? ['claimed'] : role === 'core' || role === 'registry' ? [role] : []
  const entries = changed.map(each => [each, { keys: [name], threshold: 1 }])
  return { ...ring, delegated: { ...ring.delegated, ...Object.fromEntries(entries) } }
}

/** In each role the keys that are files here give way; those that are elsewhere stay, but for a used recovery key. */
function changesFor(
  old: Keyring,
  { ring, names }: Made,
  root: {
    readonly keys: Readonly<Record<string, PublicKey>>
    readonly roles: Readonly<Record<TopRole, { keyids: readonly string[]; threshold: number }>>
  },
  roles: readonly TopRole[],
  isRecovery: boolean,
): Partial<Record<TopRole, RoleChange>> {
  const places = placesOf(old)
  const isGoing = (id: string): boolean => {
    const place = places.find(({ publicKey }) => keyIdOf(publicKey) === id)
    if (place === undefined) return false
    return place.locator.startsWith('file:') || (isRecovery && place.name.startsWith(RECOVERY))
  }
  const newest = placesOf(ring)
    .filter(({ name }) => name.startsWith(RECOVERY))
    .at(-1)
  return Object.fromEntries(
    roles.map(role => {
      const { keyids, threshold } = root.roles[role]
      const staying = keyids.filter(id => !isGoing(id)).map(id => root.keys[id])
      if (staying.length === keyids.length) throw nothingToReplace(role)
      const added = ring.keys[names[role] ?? '']?.public
      const hadRecovery = keyids.length > staying.length + 1
      const recovery = isRecovery && hadRecovery ? newest?.publicKey : undefined
      const keys = [...staying, added, recovery].filter(key => key !== undefined)
      return [role, { keys, threshold }]
    }),
  )
}

/** One more key beside the others would be enough to sign alone where one was enough before. */
function nothingToReplace(role: TopRole): PublishError {
  return new PublishError(
    'KEY_MISSING',
    `no key of ${role} is a file of this origin; name all of its next keys: archy origin request create --set ${role}=…`,
  )
}

/** Signs for the present and the next holders with what is here. */
async function signHere(
  folder: OriginFolder,
  ring: Keyring,
  request: SigningRequest,
  { passphrase, recoveryKey }: ReplaceOptions,
): Promise<Uint8Array> {
  const signatures = new Map<string, DetachedSignature>()
  // A sheet that is worth nothing any more is told, also where other keys would do.
  if (recoveryKey !== undefined) {
    signatures.set(recoveryKey.keyId, await signRequest(request, recoveryKey))
  }
  for (const { who, threshold, keys } of request.quorums) {
    const keyIds = Object.values(keys).map(keyIdOf)
    const signers =
      recoveryKey !== undefined && keyIds.includes(recoveryKey.keyId)
        ? [recoveryKey]
        : await openSome(folder, ring, { role: who, keyIds, threshold }, passphrase)
    for (const signer of signers) {
      signatures.set(signer.keyId, await signRequest(request, signer))
    }
  }
  return mergeRequest(request, [...signatures])
}

function freeName(ring: Keyring, base: string): string {
  if (ring.keys[base] === undefined) return base
  for (let number = 2; ; number += 1) {
    const name = `${base}-${number}`
    if (ring.keys[name] === undefined) return name
    if (number > 10_000) throw new PublishError('ORIGIN_EXISTS', `too many keys named ${base}`)
  }
}
