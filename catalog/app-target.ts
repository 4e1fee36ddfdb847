/** How an app stands in signed targets: its path, its fields, and reading both back into an offer. */
import { z } from 'zod'
import type { BlobRef } from '../src/core/blob.ts'
import { hexOf, parseDigest, parseSha256 } from '../src/core/digest.ts'
import type { AppOffer, CatalogEntry, Rollback, Rollout, Yank } from './entry.ts'
import { PUBLISHED_MANIFEST_BYTES_MAX as MANIFEST_BYTES_MAX } from './manifest/parse.ts'
import { appId, label, version } from './manifest/values.ts'
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
const publisherId = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/)
const seq = z.int().min(1)
const size = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const address = z.string().regex(/^blake3:[0-9a-f]{64}$/)
const releaseFields = { seq, version, totalSize: size }
/** A release beside the head: everything that the target itself says of the head. */
const otherRelease = z.object({
  ...releaseFields,
  blake3: address,
  sha256: hash,
  length: size.max(MANIFEST_BYTES_MAX),
})
const time = z.string().transform((text, context) => {
  const timeMs = parseTime(text)
  if (timeMs === undefined) context.addIssue('must be a time of the form YYYY-MM-DDTHH:MM:SSZ')
  return timeMs ?? 0
})
const STEP_COUNT_MAX = 32
const steps = z
  .array(z.tuple([z.int().min(0), z.int().min(0).max(100)]))
  .min(1)
  .max(STEP_COUNT_MAX)
  .refine(
    all =>
      all.every(([after, percent], index) => {
        const before = all[index - 1]
        return before === undefined || (after > before[0] && percent >= before[1])
      }),
    'must grow: later steps reach at least as many nodes',
  )
/** More than a careful publisher keeps; bounds what one entry can cost. */
const LIST_COUNT_MAX = 64
const customSchema = z.object({
  v: z.literal(1),
  blake3: address,
  mediaType: z.string().min(1).max(255),
  release: z.object(releaseFields),
  older: z.array(otherRelease).max(LIST_COUNT_MAX).default([]),
  floor: z.int().min(0).default(0),
  next: otherRelease
    .extend({
      rollout: z.object({
        salt: z.string().min(1).max(64),
        start: time,
        steps,
        halted: z.boolean(),
      }),
    })
    .nullish(),
  yanked: z
    .array(
      z.object({
        seq,
        severity: z.enum(['low', 'high', 'critical']),
        action: z.enum(['warn', 'stop-new', 'replace']),
        reason: z.string().max(500),
      }),
    )
    .max(LIST_COUNT_MAX)
    .default([]),
  rollbackTo: z
    .object({
      from: z.array(seq).min(1).max(LIST_COUNT_MAX),
      to: seq,
      dataCompatible: z.boolean(),
    })
    .nullish(),
})

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

/** Reads one signed target. `other`: not an app. `refused`: an app that this program cannot use, and why. */
export function readAppTarget(path: string, target: TargetEntry): AppTarget {
  const match = /^apps\/([^./]+)\.([^./]+)\/([^/]+)$/.exec(path)
  if (match === null) return { kind: 'other' }
  const [, publisher = '', app = '', channel = ''] = match
  if (!publisherId.safeParse(publisher).success) return refused('the publisher is not an id')
  if (!appId.safeParse(app).success) return refused('the app is not an app id')
  if (!label.safeParse(channel).success) return refused('the channel is not a label')
  if (target.length > MANIFEST_BYTES_MAX) {
    return refused(`the manifest has ${target.length} bytes; the limit is ${MANIFEST_BYTES_MAX}`)
  }
  if (!hash.safeParse(target.hashes.sha256).success) {
    return refused('a digest of the manifest is malformed')
  }
  const custom = customSchema.safeParse(target.custom)
  if (!custom.success) return refused(z.prettifyError(custom.error).replaceAll('\n', ' '))
  const place = { publisher, app, channel }
  return { kind: 'offer', offer: offerOf(place, target, custom.data) }
}

function offerOf(
  place: Pick<CatalogEntry, 'publisher' | 'app' | 'channel'>,
  target: TargetEntry,
  custom: z.infer<typeof customSchema>,
): TargetOffer {
  const { mediaType } = custom
  const entryOf = (release: z.infer<typeof otherRelease>): CatalogEntry => {
    const { seq, version, totalSize, blake3, sha256, length } = release
    const address = { blake3: parseDigest(blake3), sha256: parseSha256(`sha256:${sha256}`) }
    return { ...place, seq, version, totalSize, manifest: { ...address, size: length, mediaType } }
  }
  const { blake3, release, next, older, floor, yanked, rollbackTo } = custom
  const sha256 = target.hashes.sha256 ?? ''
  return {
    ...place,
    head: entryOf({ ...release, blake3, sha256, length: target.length }),
    next: next ? { entry: entryOf(next), rollout: readRollout(next.rollout) } : undefined,
    older: older.map(entryOf),
    floor,
    yanked,
    rollbackTo: rollbackTo ?? undefined,
  }
}

function readRollout(rollout: {
  salt: string
  start: number
  steps: [number, number][]
  halted: boolean
}): Rollout {
  const { salt, start, steps, halted } = rollout
  return { salt, startMs: start, steps, halted }
}

function refused(why: string): AppTarget {
  return { kind: 'refused', why }
}
