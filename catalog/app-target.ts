/** How an app stands in signed targets: its path, its fields, and reading both back into a catalog entry. */
import { z } from 'zod'
import type { BlobRef } from '../src/core/blob.ts'
import { hexOf, parseDigest, parseSha256 } from '../src/core/digest.ts'
import type { CatalogEntry } from './entry.ts'
import { PUBLISHED_MANIFEST_BYTES_MAX as MANIFEST_BYTES_MAX } from './manifest/parse.ts'
import { appId, label, version } from './manifest/values.ts'
import type { TargetEntry } from './trust/document.ts'

/** The publisher whose apps are found by their bare name. */
export const FIRST_PARTY = 'core'

export interface ReleaseFields {
  readonly seq: number
  readonly version: string
  readonly totalSize: number
}

/** Text of a part of a target path; ids of did:key publishers (`z…`) are of this form too. */
const publisherId = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/)
const customSchema = z.object({
  v: z.literal(1),
  blake3: z.string(),
  mediaType: z.string().min(1).max(255),
  release: z.object({
    seq: z.int().min(1),
    version,
    totalSize: z.int().min(0),
  }),
})

/** `apps/<publisher>.<app>/<channel>` */
export function appPath(publisher: string, app: string, channel: string): string {
  return `apps/${publisher}.${app}/${channel}`
}

/** The target that says: the head of the channel is this manifest. */
export function appTargetOf(manifest: BlobRef, release: ReleaseFields): TargetEntry {
  return {
    length: manifest.size,
    hashes: { sha256: hexOf(manifest.sha256) },
    custom: {
      v: 1,
      blake3: manifest.blake3,
      mediaType: manifest.mediaType,
      release: { seq: release.seq, version: release.version, totalSize: release.totalSize },
    },
  }
}

export type AppTarget =
  | { readonly kind: 'entry'; readonly entry: CatalogEntry }
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
  const custom = customSchema.safeParse(target.custom)
  if (!custom.success) return refused(z.prettifyError(custom.error).replaceAll('\n', ' '))
  const { blake3, mediaType, release } = custom.data
  try {
    const sha256 = parseSha256(`sha256:${target.hashes.sha256 ?? ''}`)
    const manifest = { blake3: parseDigest(blake3), sha256, size: target.length, mediaType }
    return { kind: 'entry', entry: { publisher, app, channel, ...release, manifest } }
  } catch {
    return refused('a digest of the manifest is malformed')
  }
}

function refused(why: string): AppTarget {
  return { kind: 'refused', why }
}
