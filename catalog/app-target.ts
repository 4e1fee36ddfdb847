/** How an app stands in signed targets: its path, its fields, and reading both back into an offer. */
import type { BlobRef } from '../src/core/blob.ts'
import { hexOf } from '../src/core/digest.ts'
import type { AppOffer, CatalogEntry, Rollback, Rollout, StagedRelease, Yank } from './entry.ts'
import {
  blake3Of,
  booleanOf,
  integerOf,
  isAbsent,
  type Json,
  listOf,
  memberOf,
  objectOf,
  sha256Of,
  textOf,
  wordOf,
  wrong,
} from './entry-fields.ts'
import { CatalogError } from './errors.ts'
import { isAppId, isLabel, isVersion } from './manifest/names.ts'
import { PUBLISHED_MANIFEST_BYTES_MAX as MANIFEST_BYTES_MAX } from './manifest/parse.ts'
import { formatTime, parseTime, type TargetEntry } from './trust/document.ts'

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

function readOffer(place: Place, target: TargetEntry): TargetOffer {
  const custom = objectOf(target.custom, 'custom')
  if (memberOf(custom, 'v') !== 1) throw wrong('custom.v', 'must be 1')
  const mediaType = textOf(memberOf(custom, 'mediaType'), 'custom.mediaType', 1, 255)
  const manifest: BlobRef = {
    blake3: blake3Of(memberOf(custom, 'blake3'), 'custom.blake3'),
    sha256: sha256Of(memberOf(target.hashes, 'sha256'), 'hashes.sha256'),
    size: integerOf(target.length, 'length', 0, MANIFEST_BYTES_MAX),
    mediaType,
  }
  const release = objectOf(memberOf(custom, 'release'), 'custom.release')
  const [next, older] = [memberOf(custom, 'next'), memberOf(custom, 'older')]
  const [yanked, rollbackTo] = [memberOf(custom, 'yanked'), memberOf(custom, 'rollbackTo')]
  const floor = memberOf(custom, 'floor')
  const readOther = (value: unknown, at: string) => otherReleaseOf(place, mediaType, value, at)
  return {
    publisher: place.publisher,
    app: place.app,
    channel: place.channel,
    head: entryOf(place, release, 'custom.release', manifest),
    next: isAbsent(next) ? undefined : stagedOf(next, readOther),
    older: older === undefined ? [] : listOf(older, 'custom.older', 0, readOther),
    floor: floor === undefined ? 0 : integerOf(floor, 'custom.floor', 0),
    yanked: yanked === undefined ? [] : listOf(yanked, 'custom.yanked', 0, yankOf),
    rollbackTo: isAbsent(rollbackTo) ? undefined : rollbackOf(rollbackTo),
  }
}

function entryOf(place: Place, release: Json, at: string, manifest: BlobRef): CatalogEntry {
  const version = textOf(memberOf(release, 'version'), `${at}.version`)
  if (!isVersion(version)) {
    const form = 'must be at most 64 letters, digits and . + _ -, among them a digit'
    throw wrong(`${at}.version`, form)
  }
  return {
    publisher: place.publisher,
    app: place.app,
    channel: place.channel,
    seq: integerOf(memberOf(release, 'seq'), `${at}.seq`, 1),
    version,
    totalSize: integerOf(memberOf(release, 'totalSize'), `${at}.totalSize`, 0),
    manifest,
  }
}

/** A release beside the head: it has everything that the target itself says of the head. */
function otherReleaseOf(place: Place, mediaType: string, value: unknown, at: string): CatalogEntry {
  const release = objectOf(value, at)
  return entryOf(place, release, at, {
    blake3: blake3Of(memberOf(release, 'blake3'), `${at}.blake3`),
    sha256: sha256Of(memberOf(release, 'sha256'), `${at}.sha256`),
    size: integerOf(memberOf(release, 'length'), `${at}.length`, 0, MANIFEST_BYTES_MAX),
    mediaType,
  })
}

function stagedOf(
  value: unknown,
  readOther: (value: unknown, at: string) => CatalogEntry,
): StagedRelease {
  const at = 'custom.next.rollout'
  const entry = readOther(value, 'custom.next')
  const rollout = objectOf(memberOf(objectOf(value, 'custom.next'), 'rollout'), at)
  const startMs = parseTime(textOf(memberOf(rollout, 'start'), `${at}.start`))
  if (startMs === undefined) {
    throw wrong(`${at}.start`, 'must be a time of the form YYYY-MM-DDTHH:MM:SSZ')
  }
  const salt = textOf(memberOf(rollout, 'salt'), `${at}.salt`, 1, 64)
  const steps = stepsOf(memberOf(rollout, 'steps'), `${at}.steps`)
  const halted = booleanOf(memberOf(rollout, 'halted'), `${at}.halted`)
  return { entry, rollout: { salt, startMs, steps, halted } }
}

function stepsOf(value: unknown, at: string): Rollout['steps'] {
  let [afterBefore, percentBefore] = [-1, 0]
  const readStep = (step: unknown, at: string) => {
    if (!Array.isArray(step) || step.length !== 2) {
      throw wrong(at, 'must be two numbers: seconds after the start, and a percentage')
    }
    const after = integerOf(step[0], at, 0)
    const percent = integerOf(step[1], at, 0, 100)
    if (after <= afterBefore || percent < percentBefore) {
      throw wrong(at, 'must be later than the step before it and reach at least as many nodes')
    }
    ;[afterBefore, percentBefore] = [after, percent]
    return [after, percent] as const
  }
  return listOf(value, at, 1, readStep, STEP_COUNT_MAX)
}

function yankOf(value: unknown, at: string): Yank {
  const yank = objectOf(value, at)
  return {
    seq: integerOf(memberOf(yank, 'seq'), `${at}.seq`, 1),
    severity: wordOf(memberOf(yank, 'severity'), `${at}.severity`, SEVERITIES),
    action: wordOf(memberOf(yank, 'action'), `${at}.action`, ACTIONS),
    reason: textOf(memberOf(yank, 'reason'), `${at}.reason`, 0, 500),
  }
}

function rollbackOf(value: unknown): Rollback {
  const at = 'custom.rollbackTo'
  const rollback = objectOf(value, at)
  const readSeq = (seq: unknown, at: string) => integerOf(seq, at, 1)
  return {
    from: listOf(memberOf(rollback, 'from'), `${at}.from`, 1, readSeq),
    to: integerOf(memberOf(rollback, 'to'), `${at}.to`, 1),
    dataCompatible: booleanOf(memberOf(rollback, 'dataCompatible'), `${at}.dataCompatible`),
  }
}
