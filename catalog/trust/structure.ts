/** Turns authenticated JSON into models. Only called on bytes whose signatures were checked (or the embedded root). */
import { type Digest, parseDigest } from '../../src/core/digest.ts'
import { parseBootstrap } from '../bootstrap.ts'
import {
  type CatalogPolicy,
  PROFILE,
  type PublicKey,
  parseTime,
  type TargetEntry,
  TOP_ROLES,
  type TopRole,
} from './document.ts'
import {
  booleanOf,
  documentField,
  type Field,
  integerOf,
  itemsOf,
  member,
  membersOf,
  objectOf,
  textOf,
  wrong,
} from './fields.ts'
import { ROLE_FILE_CHARS_MAX, ROLE_KEY_COUNT_MAX, ROLE_NAME_CHARS_MAX } from './limits.ts'
import type {
  DelegationModel,
  MetaModel,
  PublisherModel,
  RoleModel,
  RootModel,
  SnapshotModel,
  TargetsModel,
  TimestampModel,
} from './model.ts'

/** The signed part of a file whose signatures hold, and the hash of the bytes that they cover. */
export interface Authentic {
  readonly signed: unknown
  readonly content: string
}

/** @throws CatalogError `METADATA_MALFORMED`, as every function here */
export function parseRoot(name: string, signed: unknown): RootModel {
  const field = documentField(name, signed)
  const keys = parseKeys(member(field, 'keys'))
  const roles = member(field, 'roles')
  return {
    ...parseCommon(field, 'root'),
    policy: parsePolicy(member(field, 'x-catalog')),
    consistentSnapshot: booleanOf(member(field, 'consistent_snapshot')),
    roles: {
      root: parseRole(member(roles, 'root'), keys),
      timestamp: parseRole(member(roles, 'timestamp'), keys),
      snapshot: parseRole(member(roles, 'snapshot'), keys),
      targets: parseRole(member(roles, 'targets'), keys),
    },
  }
}

export function parseTimestamp(name: string, { signed, content }: Authentic): TimestampModel {
  const field = documentField(name, signed)
  const issued = member(field, 'x-issued')
  return {
    ...parseCommon(field, 'timestamp'),
    snapshot: parseMeta(member(member(field, 'meta'), 'snapshot.json')),
    issuedMs: issued.value === undefined ? undefined : timeOf(issued),
    previous: parsePrevious(member(field, 'x-prev')),
    content,
  }
}

export function parseSnapshot(name: string, { signed, content }: Authentic): SnapshotModel {
  const field = documentField(name, signed)
  const meta = new Map<string, MetaModel>()
  for (const [file, entry] of membersOf(member(field, 'meta'))) {
    if (!file.endsWith('.json')) throw wrong(entry, 'must be named <role>.json')
    meta.set(roleNameOf(entry, file.slice(0, -'.json'.length)), parseMeta(entry))
  }
  return { ...parseCommon(field, 'snapshot'), meta, content }
}

export function parseTargets(name: string, { signed, content }: Authentic): TargetsModel {
  const field = documentField(name, signed)
  const targets = new Map<string, TargetEntry>()
  for (const [path, entry] of membersOf(member(field, 'targets'))) {
    targets.set(path, parseTarget(entry))
  }
  const delegations = member(field, 'delegations')
  return {
    ...parseCommon(field, 'targets'),
    targets,
    delegations: delegations.value === undefined ? [] : parseDelegations(delegations),
    revokedDids: textList(member(field, 'x-revoked-dids')) ?? [],
    acknowledgedForks: parseForks(member(field, 'x-ack-forks')),
    bootstrap: parseBootstrap(member(field, 'x-bootstrap').value),
    publisher: parsePublisher(field),
    content,
  }
}

function parseCommon(field: Field, type: TopRole): { version: number; expiresMs: number } {
  const found = textOf(member(field, '_type'))
  if (found !== type)
    throw wrong(member(field, '_type'), `is ${JSON.stringify(found.slice(0, 40))}`)
  const spec = member(field, 'spec_version')
  if (!/^1(\.\d{1,6}){1,2}$/.test(textOf(spec))) throw wrong(spec, 'must be a version 1.x of TUF')
  return {
    version: integerOf(member(field, 'version'), 1),
    expiresMs: timeOf(member(field, 'expires')),
  }
}

function parsePolicy(field: Field): CatalogPolicy | undefined {
  if (field.value === undefined) return undefined
  const profile = member(field, 'profile')
  if (textOf(profile) !== PROFILE) throw wrong(profile, `must be ${PROFILE}`)
  return {
    profile: PROFILE,
    name: textOf(member(field, 'name')),
    origins: textList(member(field, 'origins')) ?? [],
    staleGraceDays: integerOf(member(field, 'staleGraceDays'), 0),
    maxTimestampDays: integerOf(member(field, 'maxTimestampDays'), 1),
  }
}

function parsePrevious(field: Field): TimestampModel['previous'] {
  if (field.value === undefined) return undefined
  return {
    version: integerOf(member(field, 'version'), 1),
    content: sha256Of(member(field, 'sha256')),
  }
}

function parseForks(field: Field): readonly (readonly string[])[] {
  return field.value === undefined ? [] : itemsOf(field).map(fork => itemsOf(fork).map(sha256Of))
}

/** Who says to have signed a file, and its number; proven by nothing yet. */
export function parsePublisherClaim(
  name: string,
  signed: unknown,
): { readonly publisher: PublisherModel | undefined; readonly version: number } {
  const field = documentField(name, signed)
  return { publisher: parsePublisher(field), version: integerOf(member(field, 'version'), 1) }
}

function parsePublisher(field: Field): PublisherModel | undefined {
  const did = member(field, 'x-did')
  if (did.value === undefined) return undefined
  const next = member(field, 'x-next')
  const rotations = member(field, 'x-rotations')
  return {
    did: textOf(did),
    next: next.value === undefined ? undefined : sha256Of(next),
    rotations:
      rotations.value === undefined
        ? []
        : itemsOf(rotations).map(item => ({
            key: textOf(member(item, 'key')),
            next: sha256Of(member(item, 'next')),
            sig: textOf(member(item, 'sig')),
          })),
  }
}

function sha256Of(field: Field): string {
  const text = textOf(field)
  if (!/^[0-9a-f]{64}$/.test(text)) throw wrong(field, 'must be a SHA-256 in lower-case hex')
  return text
}

/** P3: one form of a time, and only dates that exist. */
function timeOf(field: Field): number {
  const timeMs = parseTime(textOf(field))
  if (timeMs !== undefined) return timeMs
  throw wrong(field, 'must be a time of the form YYYY-MM-DDTHH:MM:SSZ', 'TIME_MALFORMED')
}

function parseKeys(field: Field): ReadonlyMap<string, PublicKey> {
  const keys = new Map<string, PublicKey>()
  for (const [id, key] of membersOf(field)) {
    keys.set(id, {
      keytype: textOf(member(key, 'keytype')),
      scheme: textOf(member(key, 'scheme')),
      keyval: { public: textOf(member(member(key, 'keyval'), 'public')) },
    })
  }
  return keys
}

function parseRole(field: Field, keys: ReadonlyMap<string, PublicKey>): RoleModel {
  const ids = itemsOf(member(field, 'keyids')).map(textOf)
  if (ids.length > ROLE_KEY_COUNT_MAX)
    throw wrong(field, `has more than ${ROLE_KEY_COUNT_MAX} keys`)
  if (new Set(ids).size !== ids.length) throw wrong(field, 'names a key twice')
  const own = new Map<string, PublicKey>()
  for (const id of ids) {
    const key = keys.get(id)
    if (key !== undefined) own.set(id, key)
  }
  return { keys: own, threshold: integerOf(member(field, 'threshold'), 1) }
}

function parseMeta(field: Field): MetaModel {
  const length = member(field, 'length')
  const blake3 = member(field, 'x-blake3')
  const hashes = member(field, 'hashes')
  return {
    version: integerOf(member(field, 'version'), 1),
    length: length.value === undefined ? undefined : integerOf(length, 1),
    hashes: hashes.value === undefined ? new Map() : parseHashes(hashes),
    blake3: blake3.value === undefined ? undefined : parseBlake3(blake3),
  }
}

function parseHashes(field: Field): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>()
  for (const [algorithm, hash] of membersOf(field)) {
    const text = textOf(hash)
    if (!/^([0-9a-f]{2}){16,64}$/.test(text)) throw wrong(hash, 'must be lower-case hex')
    hashes.set(algorithm, text)
  }
  if (hashes.size === 0) throw wrong(field, 'must name at least one hash')
  return hashes
}

function parseBlake3(field: Field): Digest {
  try {
    return parseDigest(textOf(field))
  } catch {
    throw wrong(field, 'must be blake3: and 64 hex digits')
  }
}

function parseTarget(field: Field): TargetEntry {
  const custom = member(field, 'custom')
  return {
    length: integerOf(member(field, 'length'), 0),
    hashes: Object.fromEntries(parseHashes(member(field, 'hashes'))),
    ...(custom.value === undefined ? {} : { custom: objectOf(custom) }),
  }
}

function parseDelegations(field: Field): readonly DelegationModel[] {
  const keys = parseKeys(member(field, 'keys'))
  const seen = new Set<string>()
  return itemsOf(member(field, 'roles')).map(item => {
    const name = roleNameOf(item, textOf(member(item, 'name')))
    // TUF 1.0.34 §4.5: a delegated role may not take the place of a top-level one; P9: nor be there twice.
    if (isTopRole(name)) {
      throw wrong(item, `has the name of a top-level role: ${name}`, 'ROLE_NAME_REFUSED')
    }
    if (seen.has(name)) {
      throw wrong(item, `has a name that is taken: ${JSON.stringify(name)}`, 'DELEGATION_TWICE')
    }
    seen.add(name)
    const paths = textList(member(item, 'paths'))
    const pathHashPrefixes = textList(member(item, 'path_hash_prefixes'))
    if ((paths === undefined) === (pathHashPrefixes === undefined)) {
      throw wrong(item, 'must have either "paths" or "path_hash_prefixes"')
    }
    return {
      ...parseRole(item, keys),
      name,
      terminating: booleanOf(member(item, 'terminating')),
      paths: paths ?? [],
      pathHashPrefixes: pathHashPrefixes ?? [],
    }
  })
}

/** The name becomes a part of a file name, here and at the origin. */
function roleNameOf(field: Field, name: string): string {
  const isFit =
    name !== '' &&
    name.length <= ROLE_NAME_CHARS_MAX &&
    name.isWellFormed() &&
    encodeURIComponent(name).length <= ROLE_FILE_CHARS_MAX
  if (isFit) return name
  throw wrong(field, 'has a role name that is empty or too long', 'ROLE_NAME_REFUSED')
}

function isTopRole(name: string): boolean {
  return TOP_ROLES.some(role => role === name)
}

function textList(field: Field): readonly string[] | undefined {
  return field.value === undefined ? undefined : itemsOf(field).map(textOf)
}
