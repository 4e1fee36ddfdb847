/** What the publisher has decided but not signed: the releases of each app, what each channel says, and who else may publish. */
import { z } from 'zod'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { messageOf } from '../../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import { blobRef } from '../manifest/schema.ts'
import { appId, label, version } from '../manifest/values.ts'
import { DRAFT_BYTES_MAX } from './limits.ts'
import type { OriginFolder } from './origin-folder.ts'

/** The form of the draft; a draft of another form is refused, not guessed at. */
const DRAFT_VERSION = 2

const count = z.int().min(0)
const seq = z.int().min(1)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const releaseSchema = z.strictObject({
  seq,
  version,
  manifest: blobRef,
  totalSize: count,
  /** True from just before it is signed for the first time; such a release is never changed again. */
  isPublished: z.boolean(),
})

const rolloutSchema = z.strictObject({
  salt: z.string().min(1).max(64),
  startMs: count,
  /** Seconds after the start, and the percentage of nodes from then on. */
  steps: z.array(z.tuple([count, z.int().min(0).max(100)])).min(1),
  /** When it was halted, so that it can go on where it stopped; `null` while it runs. */
  haltedMs: count.nullable(),
})

const channelSchema = z.strictObject({
  head: seq,
  next: z.strictObject({ seq, rollout: rolloutSchema }).nullable(),
  /** Nodes may not install less; never falls. */
  floor: count,
  /** Heads before this one that were signed, in their order. */
  older: z.array(seq),
  rollbackTo: z
    .strictObject({ from: z.array(seq).min(1), to: seq, dataCompatible: z.boolean() })
    .nullable(),
})

const yankSchema = z.strictObject({
  seq,
  severity: z.enum(['low', 'high', 'critical']),
  action: z.enum(['warn', 'stop-new', 'replace']),
  reason: z.string().min(1).max(500),
})

const appSchema = z.strictObject({
  /** In the order of `seq`, which counts over all channels. */
  releases: z.array(releaseSchema),
  /** Holds in every channel: what is broken is broken for all. */
  yanked: z.array(yankSchema),
  channels: z.record(label, channelSchema),
})

const publicKeySchema = z.strictObject({
  keytype: z.string(),
  scheme: z.string(),
  keyval: z.strictObject({ public: z.string() }),
})

/** Another publisher whose signed file this origin lists. The file itself is `draft/publishers/<id>.json`. */
const delegationSchema = z.strictObject({
  did: z.string().min(1).max(255),
  id: z.string().regex(/^z[0-9a-f]{20}$/),
  /** `ended`: nobody delegates to it any more, but a snapshot must go on listing what it listed once. */
  tier: z.enum(['claimed', 'registry', 'ended']),
  /** Who signs its file now: after a rotation not the key of the `did` any more. */
  key: publicKeySchema,
  /** Of the file that is imported. */
  version: seq,
  content: sha256,
})

const publisherSchema = z.strictObject({
  /** The first key, from which the id and the paths are derived. */
  did: z.string().min(1).max(255),
  /** Every commitment to a next key so far; the last one was made by the present key. */
  rotations: z
    .array(z.strictObject({ key: z.string(), next: sha256, sig: z.string().regex(/^[0-9a-f]+$/) }))
    .min(1),
})

const draftSchema = z.strictObject({
  v: z.literal(DRAFT_VERSION),
  /** By role: the highest version that was ever signed, or was about to be. */
  versions: z.record(z.string(), count),
  /**
   * The timestamp that this folder published last and, while it publishes, the one that follows: another live head means
   * that somebody else published, or that this folder was restored from a backup.
   */
  heads: z.array(z.strictObject({ version: seq, content: sha256 })).max(2),
  apps: z.record(appId, appSchema),
  /** Set in the folder of a publisher that has no origin of its own: it signs one file for other origins. */
  publisher: publisherSchema.nullable(),
  delegations: z.array(delegationSchema),
  revokedDids: z.array(z.string().min(1).max(255)),
  /** Each the contents of two heads of one version that the holders of the offline keys know of. */
  acknowledgedForks: z.array(z.array(sha256).min(2)),
  /** Multiaddrs of peers that the catalog names to new nodes. */
  bootstrap: z.array(z.string().min(1).max(255)).default([]),
})

export type Draft = z.infer<typeof draftSchema>
export type DraftApp = Draft['apps'][string]
export type DraftChannel = z.infer<typeof channelSchema>
export type DraftRelease = z.infer<typeof releaseSchema>
export type DraftRollout = z.infer<typeof rolloutSchema>
export type DraftYank = z.infer<typeof yankSchema>
export type DraftPublisher = z.infer<typeof publisherSchema>
export type DraftDelegation = z.infer<typeof delegationSchema>

export const EMPTY_DRAFT: Draft = {
  v: DRAFT_VERSION,
  versions: {},
  heads: [],
  apps: {},
  publisher: null,
  delegations: [],
  revokedDids: [],
  acknowledgedForks: [],
  bootstrap: [],
}

/** @throws PublishError `ORIGIN_MISSING`, `ORIGIN_OUTDATED`, `ORIGIN_DAMAGED` */
export async function readDraft(folder: OriginFolder): Promise<Draft> {
  const bytes = await readFileBounded(folder.state, DRAFT_BYTES_MAX)
  if (bytes === undefined) {
    throw new PublishError(
      'ORIGIN_MISSING',
      `${folder.root} is not an origin; make one with "archy origin init ${folder.root}"`,
    )
  }
  return parseDraft(folder.state, bytes)
}

/** @throws PublishError `ORIGIN_OUTDATED`, `ORIGIN_DAMAGED` */
export function parseDraft(path: string, bytes: Uint8Array): Draft {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    const { v } = z.looseObject({ v: z.unknown() }).parse(value)
    if (v !== DRAFT_VERSION) throw outdated(path, v)
    return draftSchema.parse(value)
  } catch (cause) {
    if (cause instanceof PublishError) throw cause
    throw new PublishError(
      'ORIGIN_DAMAGED',
      `${path} cannot be read; restore it from a backup: ${messageOf(cause).slice(0, 200)}`,
      { cause },
    )
  }
}

export async function writeDraft(folder: OriginFolder, draft: Draft): Promise<void> {
  await writeFileAtomic(folder.state, canonicalJson(draft), { mode: 0o600 })
}

function outdated(path: string, found: unknown): PublishError {
  const form = JSON.stringify(found)?.slice(0, 40) ?? 'none'
  return new PublishError(
    'ORIGIN_OUTDATED',
    `${path} has the form ${form}, this program writes ${DRAFT_VERSION}; ` +
      `make a new origin with "archy origin init" and add the apps again`,
  )
}
