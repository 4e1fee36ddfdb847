/** How an app stands in signed targets: its path, its fields, and reading both back into an offer. */
import type { BlobRef } from '../src/core/blob.ts'
import { type Digest, hexOf, isDigest, type Sha256, sha256FromHex } from '../src/core/digest.ts'
import type { AppOffer, CatalogEntry, Rollback, Rollout, Yank } from './entry.ts'
import { CatalogError } from './errors.ts'
import { isAppId, isLabel, isVersion } from './manifest/names.ts'
import { PUBLISHED_MANIFEST_BYTES_MAX as MANIFEST_BYTES_MAX } from './manifest/parse.ts'
import { formatTime, parseTime, type TargetEntry } from './trust/document.ts'
import {
  booleanOf,
  documentField,
  type Field,
  integerOf,
  itemsOf,
  member,
  textOf,
  wrong,
} from './trust/fields.ts'

/** The publisher whose apps are found by their bare name. */
export const FIRST_PARTY = 'core'

/** A release as its publisher's draft knows it. */
export interface ReleaseFields {
  readonly seq: number
  readonly version: string
  readonly totalSize: number
  readonly manifest: BlobRef
}

/** What one channel of an app says, before it has a path. */
export interface ChannelFields {
  readonly head: ReleaseFields
  readonly next?: { readonly release: ReleaseFields; readonly rollout: Rollout } | undefined
  readonly older?: readonly ReleaseFields[]
  readonly floor?: number
  readonly yanked?: readonly Yank[]
  readonly rollbackTo?: Rollback | undefined
}

/** Text of a part of a target path; ids of did:key publishers (`z…`) are of this form too. */
const PUBLISHER_ID = /^[a-z][a-z0-9-]{0,63}$/
/** More than a careful publisher keeps; bounds what one entry can cost. */
const LIST_COUNT_MAX = 64
const STEP_COUNT_MAX = 32
const SEVERITIES = ['low', 'high', 'critical'] as const
const ACTIONS = ['warn', 'stop-new', 'replace'] as const

/** `apps/<publisher>.<app>/<channel>` */
export function appPath(publisher: string, app: string, channel: string): string {
  return `apps/${publisher}.${app}/${channel}`
}

/** The target of a channel: its bytes are the manifest of the head. Empty parts are left out. */
export function appTargetOf(fields: ChannelFields): TargetEntry {
  const { head, next, older = [], floor = 0, yanked = [], rollbackTo } = fields
  const { manifest } = head
  return {
    length: manifest.size,
    hashes: { sha256: hexOf(manifest.sha256) },
    custom: {
      v: 1,
      blake3: manifest.blake3,
      mediaType: manifest.mediaType,
      release: { seq: head.seq, version: head.version, totalSize: head.totalSize },
      ...(older.length === 0 ? {} : { older: older.map(otherOf) }),
      ...(floor === 0 ? {} : { floor }),
      ...(next === undefined
        ? {}
        : { next: { ...otherOf(next.release), rollout: rolloutOf(next.rollout) } }),
      ...(yanked.length === 0 ? {} : { yanked }),
      ...(rollbackTo === undefined ? {} : { rollbackTo }),
    },
  }
}

function otherOf({ seq, version, totalSize, manifest }: ReleaseFields) {
  const { blake3, sha256, size: length } = manifest
  return { seq, version, totalSize, blake3, sha256: hexOf(sha256), length }
}

function rolloutOf({ salt, startMs, steps, halted }: Rollout) {
  return { salt, start: formatTime(startMs), steps, halted }
}

/** What a target alone says; who signed it and how its publisher stands is added by the reader of the role. */
export type TargetOffer = Omit<AppOffer, 'role' | 'tier' | 'did' | 'expiresMs' | 'standing'>

export type AppTarget =
  | { readonly kind: 'offer'; readonly offer: TargetOffer }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'other' }

/**
 * Reads one signed target. `other`: not an app. `refused`: an app that this program cannot use, and which field is why.
 * Fields that it does not know are left out. Written by hand: a node reads every app of the catalog whenever that
 * changes, and a schema took twice as long.
 */
export function readAppTarget(path: string, target: TargetEntry): AppTarget {
  const match = /^apps\/([^./]+)\.([^./]+)\/([^/]+)$/.exec(path)
  if (match === null) return { kind: 'other' }
  const [, publisher = '', app = '', channel = ''] = match
  if (!PUBLISHER_ID.test(publisher)) return refused('the publisher is not an id')
  if (!isAppId(app)) return refused('the app is not an app id')
  if (!isLabel(channel)) return refused('the channel is not a label')
  try {
    return { kind: 'offer', offer: readOffer({ publisher, app, channel }, target) }
  } catch (error) {
    if (error instanceof CatalogError) return refused(error.message)
    throw error
  }
}

function refused(why: string): AppTarget {
  return { kind: 'refused', why }
}

type Place = Pick<CatalogEntry, 'publisher' | 'app' | 'channel'>
type ReleaseNames = Pick<CatalogEntry, 'seq' | 'version' | 'totalSize'>

function readOffer(place: Place, target: TargetEntry): TargetOffer {
  const entry = documentField('its entry', target)
  const custom = member(entry, 'custom')
  const version = member(custom, 'v')
  if (version.value !== 1) throw wrong(version, 'must be 1')
  const mediaType = textWithin(member(custom, 'mediaType'), 1, 255)
  const manifest: BlobRef = {
    blake3: readBlake3(member(custom, 'blake3')),
    sha256: readSha256(member(member(entry, 'hashes'), 'sha256')),
    size: integerWithin(member(entry, 'length'), 0, MANIFEST_BYTES_MAX),
    mediaType,
  }
  const readOther = (field: Field) => readOtherRelease(place, mediaType, field)
  const floor = member(custom, 'floor')
  return {
    ...place,
    head: entryOf(place, readRelease(member(custom, 'release')), manifest),
    next: optional(member(custom, 'next'), next => ({
      entry: readOther(next),
      rollout: readRollout(member(next, 'rollout')),
    })),
    older: listUnlessAbsent(member(custom, 'older'), readOther),
    floor: floor.value === undefined ? 0 : integerOf(floor, 0),
    yanked: listUnlessAbsent(member(custom, 'yanked'), readYank),
    rollbackTo: optional(member(custom, 'rollbackTo'), readRollback),
  }
}

function entryOf(place: Place, release: ReleaseNames, manifest: BlobRef): CatalogEntry {
  const { publisher, app, channel } = place
  const { seq, version, totalSize } = release
  return { publisher, app, channel, seq, version, totalSize, manifest }
}

function readRelease(field: Field): ReleaseNames {
  const version = member(field, 'version')
  const text = textOf(version)
  if (!isVersion(text)) {
    throw wrong(version, 'must be at most 64 letters, digits and . + _ -, among them a digit')
  }
  return {
    seq: integerOf(member(field, 'seq'), 1),
    version: text,
    totalSize: integerOf(member(field, 'totalSize'), 0),
  }
}

/** A release beside the head: it has everything that the target itself says of the head. */
function readOtherRelease(place: Place, mediaType: string, field: Field): CatalogEntry {
  return entryOf(place, readRelease(field), {
    blake3: readBlake3(member(field, 'blake3')),
    sha256: readSha256(member(field, 'sha256')),
    size: integerWithin(member(field, 'length'), 0, MANIFEST_BYTES_MAX),
    mediaType,
  })
}

function readRollout(field: Field): Rollout {
  const start = member(field, 'start')
  const startMs = parseTime(textOf(start))
  if (startMs === undefined) throw wrong(start, 'must be a time of the form YYYY-MM-DDTHH:MM:SSZ')
  return {
    salt: textWithin(member(field, 'salt'), 1, 64),
    startMs,
    steps: readSteps(member(field, 'steps')),
    halted: booleanOf(member(field, 'halted')),
  }
}

function readSteps(field: Field): Rollout['steps'] {
  let [afterBefore, percentBefore] = [-1, 0]
  return listWithin(field, 1, STEP_COUNT_MAX).map(item => {
    const [first, second, ...others] = itemsOf(item)
    if (first === undefined || second === undefined || others.length > 0) {
      throw wrong(item, 'must be two numbers: seconds after the start, and a percentage')
    }
    const after = integerOf(first, 0)
    const percent = integerWithin(second, 0, 100)
    if (after <= afterBefore || percent < percentBefore) {
      throw wrong(item, 'must be later than the step before it and reach at least as many nodes')
    }
    ;[afterBefore, percentBefore] = [after, percent]
    return [after, percent] as const
  })
}

function readYank(field: Field): Yank {
  return {
    seq: integerOf(member(field, 'seq'), 1),
    severity: oneOf(member(field, 'severity'), SEVERITIES),
    action: oneOf(member(field, 'action'), ACTIONS),
    reason: textWithin(member(field, 'reason'), 0, 500),
  }
}

function readRollback(field: Field): Rollback {
  const from = listWithin(member(field, 'from'), 1, LIST_COUNT_MAX)
  return {
    from: from.map(item => integerOf(item, 1)),
    to: integerOf(member(field, 'to'), 1),
    dataCompatible: booleanOf(member(field, 'dataCompatible')),
  }
}

function readBlake3(field: Field): Digest {
  const text = textOf(field)
  if (!isDigest(text)) throw wrong(field, 'must be "blake3:" and 64 lower-case hex digits')
  return text
}

function readSha256(field: Field): Sha256 {
  const digest = sha256FromHex(textOf(field))
  if (digest === undefined) throw wrong(field, 'must be 64 lower-case hex digits')
  return digest
}

function textWithin(field: Field, min: number, max: number): string {
  const text = textOf(field)
  if (text.length < min || text.length > max) {
    throw wrong(field, `must have ${min} to ${max} characters`)
  }
  return text
}

function integerWithin(field: Field, min: number, max: number): number {
  const value = integerOf(field, min)
  if (value > max) throw wrong(field, `is ${value}; the limit is ${max}`)
  return value
}

function oneOf<Word extends string>(field: Field, words: readonly Word[]): Word {
  const found = words.find(word => word === field.value)
  if (found === undefined) throw wrong(field, `must be one of: ${words.join(', ')}`)
  return found
}

function optional<Value>(field: Field, read: (field: Field) => Value): Value | undefined {
  return field.value === undefined || field.value === null ? undefined : read(field)
}

function listUnlessAbsent<Value>(field: Field, read: (field: Field) => Value): readonly Value[] {
  return field.value === undefined ? [] : listWithin(field, 0, LIST_COUNT_MAX).map(read)
}

function listWithin(field: Field, min: number, max: number): readonly Field[] {
  const { value } = field
  if (!Array.isArray(value) || value.length < min || value.length > max) {
    throw wrong(field, `must be a list of ${min} to ${max}`)
  }
  return itemsOf(field)
}
