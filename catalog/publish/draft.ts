/** What the publisher has decided but not signed: the releases of each app, and which one each channel points to. */
import { z } from 'zod'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { messageOf } from '../../src/core/errors.ts'
import { readFileBounded, writeFileAtomic } from '../../src/core/files.ts'
import { PublishError } from '../errors.ts'
import { blobRef } from '../manifest/schema.ts'
import { appId, label, version } from '../manifest/values.ts'
import { DRAFT_BYTES_MAX } from './limits.ts'
import type { OriginFolder } from './origin-folder.ts'

const count = z.int().min(0)

const releaseSchema = z.strictObject({
  seq: z.int().min(1),
  version,
  manifest: blobRef,
  totalSize: count,
  /** True from just before it is signed for the first time; such a release is never changed again. */
  isPublished: z.boolean(),
})

const draftSchema = z.strictObject({
  v: z.literal(1),
  /** The highest version of each role that was ever signed, or was about to be. */
  versions: z.strictObject({ targets: count, snapshot: count, timestamp: count }),
  apps: z.record(
    appId,
    z.strictObject({
      /** In the order of `seq`. */
      releases: z.array(releaseSchema),
      /** The `seq` of the head of each channel. */
      channels: z.record(label, z.int().min(1)),
    }),
  ),
})

export type Draft = z.infer<typeof draftSchema>
export type DraftApp = Draft['apps'][string]
export type DraftRelease = z.infer<typeof releaseSchema>

export const EMPTY_DRAFT: Draft = {
  v: 1,
  versions: { targets: 0, snapshot: 0, timestamp: 0 },
  apps: {},
}

/** @throws PublishError `ORIGIN_MISSING`, `ORIGIN_DAMAGED` */
export async function readDraft(folder: OriginFolder): Promise<Draft> {
  const bytes = await readFileBounded(folder.state, DRAFT_BYTES_MAX)
  if (bytes === undefined) {
    throw new PublishError(
      'ORIGIN_MISSING',
      `${folder.root} is not an origin; make one with "archy origin init ${folder.root}"`,
    )
  }
  try {
    return draftSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (cause) {
    throw new PublishError(
      'ORIGIN_DAMAGED',
      `${folder.state} cannot be read; restore it from a backup: ${messageOf(cause).slice(0, 200)}`,
      { cause },
    )
  }
}

export async function writeDraft(folder: OriginFolder, draft: Draft): Promise<void> {
  await writeFileAtomic(folder.state, canonicalJson(draft), { mode: 0o600 })
}
