/**
 * The shape of an app manifest, version 1: one app, 1 to 32 components. Unknown keys are errors.
 * Two forms share it: the author's (images are folders or archives beside the file) and the published one
 * (images are blobs by address). Rules across fields are in `rules.ts`.
 */
import { z } from 'zod'
import { parseDigest, parseSha256 } from '../../src/core/digest.ts'
import { component } from './component-schema.ts'
import { hooks } from './hook-schema.ts'
import { containerUser, fileMode, integer } from './parts.ts'
import { appId, durationBetween, label, line, version } from './values.ts'

export const MANIFEST_API_VERSION = 'archy.app/v1'
export const MANIFEST_MEDIA_TYPE = 'application/vnd.archy.manifest.v1+json'

export const platformName = z.enum(['amd64', 'arm64'])

const secret = z.strictObject({
  /** Made once on the node and never again, but by `archy app rotate`. */
  generate: z.strictObject({
    kind: z.enum(['password', 'hex', 'base64', 'uuid']),
    /** Characters of the value, except for `uuid`. */
    length: integer(16, 256).default(32),
  }),
  label: line(80).optional(),
  /** Whether the app still works with another value: then the owner may have a new one made. */
  rotate: z.enum(['never', 'onDemand']).default('never'),
})

const dataSet = z.strictObject({
  /** Ids as the container sees them; the node maps them through its subordinate id range. */
  owner: containerUser.default({ uid: 0, gid: 0 }),
  mode: fileMode.default('0750'),
  class: z.enum(['user', 'app', 'cache', 'regenerable']).default('app'),
  /** Kept as it was before an update until the update has proven itself; a rollback brings it back. */
  snapshot: z.boolean().default(false),
  /** Default: `include` for user and app data, `exclude` for the rest. */
  backup: z.enum(['include', 'exclude']).optional(),
})

/** What the owner may set. Values are text in the end: `${config.<name>}`. */
const configField = z.strictObject({
  type: z.enum(['string', 'integer', 'boolean', 'enum', 'url', 'host', 'port', 'email']),
  title: line(80).optional(),
  help: line(400).optional(),
  default: z.union([line(4096), z.int(), z.boolean()]).optional(),
  /** Only for `enum`. */
  values: z.array(line(256)).min(1).max(64).optional(),
  /** Length of a string, value of an integer. */
  min: z.int().optional(),
  max: z.int().optional(),
  /** Cannot be changed once the app is installed. */
  immutable: z.boolean().default(false),
})

/** What other apps may use of this one: a network to reach it by, and values such as a port or a password. */
const provided = z.strictObject({
  component: label,
  version: version.optional(),
  /** Templates of this app, filled in for the other: `${needs.<name>.<key>}`. */
  values: z.record(label, line(4096)).default({}),
})

/** What this app needs of another one. */
const need = z.strictObject({
  app: appId,
  /** Name of an entry of the other app's `provides`. */
  export: label,
  /** A range such as ">=26.0 <28", of the export's version or else of the app's. */
  versions: line(160).optional(),
  /** What must be true of the other app before this one starts. */
  gate: z.enum(['installed', 'running', 'healthy']).default('healthy'),
  optional: z.boolean().default(false),
})

const update = z
  .strictObject({
    /** Versions from which this one can be reached directly; others take a step between. */
    from: line(160).optional(),
    /** `none`: nothing older can run once this version has run; the owner is asked first. */
    rollback: z.enum(['image', 'none']).default('image'),
    /** How long the new version must be healthy without a break before it counts. */
    healthyFor: durationBetween('0s', '1h').default('5s'),
    /** How long after that a crash or a failing check still takes the update back. */
    probation: durationBetween('0s', '24h').default('10m'),
  })
  .default({ rollback: 'image', healthyFor: '5s', probation: '10m' })

/** Containers that ran on this machine before the node did and are this app, by component. */
const adopt = z.record(label, z.array(line(128)).min(1).max(8)).default({})

const appInterface = z.strictObject({
  id: label,
  title: line(80),
  component: label,
  /** A host port that the component publishes. */
  port: integer(1, 65_535),
  protocol: z.enum(['http', 'https', 'tcp', 'udp']).default('http'),
  kind: z.enum(['ui', 'api', 'p2p', 'admin']).default('ui'),
  path: line(1024).default('/'),
})

/** A folder with an OCI image layout, or an `oci-archive` tar file; relative to the manifest. */
const authorImage = z.strictObject({
  oci: z
    .string()
    .min(1)
    .max(255)
    .refine(path => !path.startsWith('/') && !path.split('/').includes('..'), {
      message: 'must be a path inside the app folder',
    }),
  platforms: z.array(platformName).min(1).max(2).default(['amd64']),
})

const digest = z.string().transform((text, context) => attempt(() => parseDigest(text), context))
export const sha256 = z
  .string()
  .transform((text, context) => attempt(() => parseSha256(text), context))

export const blobRef = z.strictObject({
  blake3: digest,
  sha256,
  size: integer(0, Number.MAX_SAFE_INTEGER),
  mediaType: line(255).min(1),
})

/** One image for one platform: every blob of it, by address. The layers are in the order of the OCI manifest. */
const platformImage = z.strictObject({
  manifest: blobRef,
  config: blobRef,
  layers: z.array(blobRef).max(128),
})

const publishedImage = z.strictObject({
  platforms: z.partialRecord(platformName, platformImage),
})

const shared = {
  apiVersion: z.literal(MANIFEST_API_VERSION),
  id: appId,
  version,
  title: line(80).min(1),
  summary: line(160).optional(),
  description: z.string().max(16_384).optional(),
  license: line(80).optional(),
  links: z.record(label, z.url()).optional(),
  secrets: z.record(label, secret).default({}),
  data: z.record(label, dataSet).default({}),
  config: z.record(label, configField).default({}),
  /** Networks of the app beside its default one. An internal one has no way out. */
  networks: z.record(label, z.strictObject({ internal: z.boolean().default(false) })).default({}),
  components: z
    .record(label, component)
    .refine(all => Object.keys(all).length >= 1 && Object.keys(all).length <= 32, {
      message: 'must have 1 to 32 components',
    }),
  interfaces: z.array(appInterface).max(32).default([]),
  provides: z.record(label, provided).default({}),
  needs: z.record(label, need).default({}),
  hooks,
  update,
  adopt,
}

export const authorManifestSchema = z.strictObject({
  ...shared,
  images: z.record(label, authorImage),
})

export const publishedManifestSchema = z.strictObject({
  ...shared,
  images: z.record(label, publishedImage),
})

export type AuthorManifest = z.infer<typeof authorManifestSchema>
/** What the node runs. Durations and sizes are still text: `durationMs`, `byteCount`. */
export type AppManifest = z.infer<typeof publishedManifestSchema>
export type Component = AppManifest['components'][string]
export type DataSet = AppManifest['data'][string]
export type Platform = z.infer<typeof platformName>
export type PlatformImage = z.infer<typeof platformImage>

function attempt<T>(parse: () => T, context: z.RefinementCtx): T {
  try {
    return parse()
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: error instanceof Error ? error.message : String(error),
    })
    return z.NEVER
  }
}
