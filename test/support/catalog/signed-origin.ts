/** An origin's catalog in memory, with real keys: publishes valid sets, and broken ones on request. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { appPath, appTargetOf } from '../../../catalog/app-target.ts'
import type { MetadataSource } from '../../../catalog/source.ts'
import {
  formatTime,
  metaEntryOf,
  type RoleKeys,
  type RootDocument,
  type SnapshotDocument,
  SPEC_VERSION,
  type TargetEntry,
  type TargetsDocument,
  type TimestampDocument,
  TOP_ROLES,
  type TopRole,
} from '../../../catalog/trust/document.ts'
import { type SigningKey, signDocument } from '../../../catalog/trust/envelope.ts'
import { keyIdOf, publicKeyOf } from '../../../catalog/trust/key.ts'
import { digestOf, parseSha256 } from '../../../src/core/digest.ts'

export const START_MS = Date.UTC(2026, 0, 1)
export const DAY_MS = 86_400_000

export interface TestKey extends SigningKey {
  readonly publicKey: ReturnType<typeof publicKeyOf>
}

export function makeKey(type: 'ed25519' | 'p256' = 'ed25519'): TestKey {
  const { privateKey } = pairOf(type)
  const publicKey = publicKeyOf(privateKey)
  return { keyId: keyIdOf(publicKey), privateKey, publicKey }
}

/** An app's target for a manifest that nobody looks at. */
export function appTarget(seq: number, version: string, text = `manifest ${version}`): TargetEntry {
  const bytes = Buffer.from(text)
  const { length, hashes } = metaEntryOf(1, bytes)
  const manifest = {
    blake3: digestOf(bytes),
    sha256: parseSha256(`sha256:${hashes.sha256}`),
    size: length,
    mediaType: 'application/json',
  }
  return appTargetOf({ head: { manifest, seq, version, totalSize: 1000 } })
}

export type Keys = Record<TopRole, readonly TestKey[]>

export function makeKeys(): Keys {
  return { root: [makeKey()], timestamp: [makeKey()], snapshot: [makeKey()], targets: [makeKey()] }
}

/** What may differ from a proper set; every part is used as given, so the result may be invalid on purpose. */
export interface SetOptions {
  readonly keys?: Partial<Keys>
  readonly versions?: Partial<Record<TopRole, number>>
  readonly expiresMs?: Partial<Record<TopRole, number>>
  readonly targets?: Readonly<Record<string, TargetEntry>>
  readonly extra?: Partial<Record<TopRole, object>>
  /** Delegated roles, in the order of delegation. */
  readonly roles?: readonly TestRole[]
}

export interface TestRole {
  readonly name: string
  readonly keys: readonly TestKey[]
  readonly paths: readonly string[]
  /** The delegated role that delegates this one; without it, `targets` does. It must come before this one. */
  readonly by?: string
  readonly terminating?: boolean
  readonly version?: number
  readonly expiresMs?: number
  readonly targets?: Readonly<Record<string, TargetEntry>>
  readonly extra?: object
  /** Who signs, when it is not `keys`. */
  readonly signers?: readonly SigningKey[]
  /** The snapshot names it, but it is not there. */
  readonly isMissing?: boolean
}

export interface SignedOrigin extends MetadataSource {
  readonly files: Map<string, Uint8Array>
  /** Names that were asked for, in order. */
  readonly asked: string[]
  readonly keys: Keys
  /** Called before each answer; may throw. */
  beforeAnswer: (name: string) => void
  publishRoot(version: number, options?: RootOptions): Uint8Array
  publishSet(version: number, options?: SetOptions): void
}

export interface RootOptions {
  /** Who may sign from now on. */
  readonly keys?: Partial<Keys>
  /** Who signs this root. */
  readonly signers?: readonly SigningKey[]
  readonly thresholds?: Partial<Record<TopRole, number>>
  readonly expiresMs?: number
  readonly extra?: object
}

/** An origin with root 1 and, unless told otherwise, set 1 with the app `hello`. */
export function createSignedOrigin(keys: Keys = makeKeys()): SignedOrigin {
  const files = new Map<string, Uint8Array>()
  const current: Keys = { ...keys }
  const origin: SignedOrigin = {
    name: 'the test origin',
    kind: 'origin',
    files,
    asked: [],
    keys: current,
    beforeAnswer: () => undefined,
    async get(name) {
      origin.asked.push(name)
      origin.beforeAnswer(name)
      return files.get(name)
    },
    publishRoot(version, options = {}) {
      const before = current.root
      Object.assign(current, options.keys)
      const signers = options.signers ?? unique([...before, ...current.root])
      const bytes = signDocument(rootDocument(version, current, options), signers)
      files.set(`${version}.root.json`, bytes)
      return bytes
    },
    publishSet(version, options = {}) {
      for (const [name, bytes] of signSet(version, { ...current, ...options.keys }, options)) {
        files.set(name, bytes)
      }
    },
  }
  origin.publishRoot(1)
  return origin
}

export function rootDocument(version: number, keys: Keys, options: RootOptions = {}): RootDocument {
  const roleOf = (role: TopRole): RoleKeys => ({
    keyids: keys[role].map(({ keyId }) => keyId),
    threshold: options.thresholds?.[role] ?? 1,
  })
  const all = TOP_ROLES.flatMap(role => keys[role].map(key => [key.keyId, key.publicKey] as const))
  return {
    _type: 'root',
    spec_version: SPEC_VERSION,
    version,
    expires: formatTime(options.expiresMs ?? START_MS + 365 * DAY_MS),
    consistent_snapshot: true,
    keys: Object.fromEntries(all),
    roles: {
      root: roleOf('root'),
      timestamp: roleOf('timestamp'),
      snapshot: roleOf('snapshot'),
      targets: roleOf('targets'),
    },
    ...options.extra,
  }
}

function signSet(
  version: number,
  keys: Keys,
  options: SetOptions,
): readonly (readonly [string, Uint8Array])[] {
  const common = (role: TopRole, days: number) => ({
    spec_version: SPEC_VERSION,
    version: options.versions?.[role] ?? version,
    expires: formatTime(options.expiresMs?.[role] ?? START_MS + days * DAY_MS),
  })
  const targetsDocument: TargetsDocument = {
    _type: 'targets',
    ...common('targets', 180),
    targets: options.targets ?? {
      [appPath('core', 'hello', 'stable')]: appTarget(version, `1.0.${version}`),
    },
    ...delegationsOf(options.roles ?? [], undefined),
    ...options.extra?.targets,
  }
  const roles = (options.roles ?? []).map(role => signRole(role, options.roles ?? [], version))
  const targets = signDocument(targetsDocument, keys.targets)
  const snapshotDocument: SnapshotDocument = {
    _type: 'snapshot',
    ...common('snapshot', 30),
    meta: {
      'targets.json': metaEntryOf(targetsDocument.version, targets),
      ...Object.fromEntries(
        roles.map(each => [`${each.name}.json`, metaEntryOf(each.version, each.bytes)]),
      ),
    },
    ...options.extra?.snapshot,
  }
  const snapshot = signDocument(snapshotDocument, keys.snapshot)
  const timestampDocument: TimestampDocument = {
    _type: 'timestamp',
    ...common('timestamp', 7),
    meta: { 'snapshot.json': metaEntryOf(snapshotDocument.version, snapshot) },
    'x-issued': formatTime(START_MS),
    ...options.extra?.timestamp,
  }
  const timestamp = signDocument(timestampDocument, keys.timestamp)
  return [
    [`${targetsDocument.version}.targets.json`, targets],
    [`${snapshotDocument.version}.snapshot.json`, snapshot],
    ...roles
      .filter(({ isMissing }) => !isMissing)
      .map(each => [`${each.version}.${each.name}.json`, each.bytes] as const),
    [`${timestampDocument.version}.timestamp.json`, timestamp],
    ['timestamp.json', timestamp],
  ]
}

function delegationsOf(roles: readonly TestRole[], by: string | undefined) {
  const mine = roles.filter(role => role.by === by)
  if (mine.length === 0) return {}
  return {
    delegations: {
      keys: Object.fromEntries(
        mine.flatMap(({ keys }) => keys.map(key => [key.keyId, key.publicKey])),
      ),
      roles: mine.map(({ name, keys, paths, terminating = false }) => ({
        name,
        keyids: keys.map(({ keyId }) => keyId),
        threshold: 1,
        terminating,
        paths,
      })),
    },
  }
}

function signRole(role: TestRole, all: readonly TestRole[], setVersion: number) {
  const { name, keys, version = setVersion, isMissing = false } = role
  const document: TargetsDocument = {
    _type: 'targets',
    spec_version: SPEC_VERSION,
    version,
    expires: formatTime(role.expiresMs ?? START_MS + 90 * DAY_MS),
    targets: role.targets ?? {},
    ...delegationsOf(all, name),
    ...role.extra,
  }
  return { name, version, isMissing, bytes: signDocument(document, role.signers ?? keys) }
}

function unique(keys: readonly TestKey[]): readonly TestKey[] {
  return [...new Map(keys.map(key => [key.keyId, key])).values()]
}

function pairOf(type: 'ed25519' | 'p256'): { privateKey: KeyObject } {
  return type === 'ed25519'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
}
