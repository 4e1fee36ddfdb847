/**
 * The shape of an app manifest, version 1: one app, 1 to 32 components. Unknown keys are errors.
 * Two forms share it: the author's (images are folders or archives beside the file) and the published one
 * (images are blobs by address). Rules across fields are in `rules.ts`.
 */
import { z } from 'zod'
import { parseDigest, parseSha256 } from '../../src/core/digest.ts'
import {
  appId,
  byteSize,
  containerPath,
  durationBetween,
  environmentName,
  label,
  line,
  textWanted,
  version,
} from './values.ts'

export const MANIFEST_API_VERSION = 'archy.app/v1'
export const MANIFEST_MEDIA_TYPE = 'application/vnd.archy.manifest.v1+json'

const integer = (min: number, max: number) => z.int().min(min).max(max)
const argv = z.array(line(8192)).min(1).max(256)
/** Ids 0 to 65535 are what a subordinate id range of the usual 65536 can map. */
const containerUserId = integer(0, 65_535)

export const platformName = z.enum(['amd64', 'arm64'])

const secret = z.strictObject({
  generate: z.strictObject({
    kind: z.enum(['password', 'hex', 'base64', 'uuid']),
    /** Characters of the value, except for `uuid`. */
    length: integer(16, 256).default(32),
  }),
  label: line(80).optional(),
})

const dataSet = z.strictObject({
  /** Ids as the container sees them; the node maps them through its subordinate id range. */
  owner: z.strictObject({ uid: containerUserId, gid: containerUserId }).default({ uid: 0, gid: 0 }),
  mode: z
    .string({ error: textWanted })
    .regex(/^0[0-7]{3}$/, 'must be four octal digits in quotes, such as "0750"')
    .default('0750'),
  class: z.enum(['user', 'app', 'cache', 'regenerable']).default('app'),
})

const mount = z.union([
  z.strictObject({ data: label, path: containerPath, readOnly: z.boolean().default(false) }),
  z.strictObject({ tmpfs: byteSize, path: containerPath }),
])

const port = z.strictObject({
  container: integer(1, 65_535),
  host: integer(1, 65_535),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  bind: z.enum(['lan', 'local']).default('lan'),
})

const health = z.strictObject({
  /** Runs inside the container; argv, no shell. */
  exec: argv.optional(),
  /** Asked by the node on a host port that the component publishes. */
  http: z.strictObject({ port: integer(1, 65_535), path: line(1024).default('/') }).optional(),
  tcp: z.strictObject({ port: integer(1, 65_535) }).optional(),
  interval: durationBetween('1s', '1h').default('30s'),
  timeout: durationBetween('1s', '10m').default('5s'),
  failures: integer(1, 100).default(3),
  /** How long the first start may take before the start counts as failed. */
  startBudget: durationBetween('1s', '7d').default('5m'),
})

const component = z.strictObject({
  image: label,
  entrypoint: argv.optional(),
  command: argv.optional(),
  workdir: containerPath.optional(),
  user: z.strictObject({ uid: containerUserId, gid: containerUserId }).optional(),
  /** Runs a small init as process 1 that reaps zombies and forwards signals. */
  init: z.boolean().default(true),
  /** Values may hold `${secrets.<name>}`; such a value is a secret itself. `$${` is a literal `${`. */
  env: z.record(environmentName, line(32_768)).default({}),
  secretFiles: z
    .array(
      z.strictObject({
        secret: label,
        path: containerPath,
        owner: z
          .strictObject({ uid: containerUserId, gid: containerUserId })
          .default({ uid: 0, gid: 0 }),
      }),
    )
    .max(32)
    .default([]),
  mounts: z.array(mount).max(64).default([]),
  ports: z.array(port).max(64).default([]),
  /** Names other components reach this one by, on the app's own network. Default: the component's name. */
  aliases: z.array(label).max(16).optional(),
  dependsOn: z
    .record(label, z.strictObject({ condition: z.enum(['started', 'healthy']).default('started') }))
    .default({}),
  health: health.optional(),
  stop: z
    .strictObject({
      signal: z
        .enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
        .default('SIGTERM'),
      grace: durationBetween('0s', '1h').default('30s'),
    })
    .default({ signal: 'SIGTERM', grace: '30s' }),
  resources: z
    .strictObject({
      memory: byteSize.optional(),
      pids: integer(1, 65_536).optional(),
      /** Hundredths of one core: 50 is half a core. Floats cannot be signed. */
      cpuPercent: integer(1, 6400).optional(),
      shm: byteSize.optional(),
    })
    .default({}),
  security: z
    .strictObject({
      /** Capabilities beyond none; all are dropped first. */
      capabilities: z
        .array(
          z.enum([
            'CHOWN',
            'DAC_OVERRIDE',
            'FOWNER',
            'FSETID',
            'KILL',
            'NET_BIND_SERVICE',
            'SETGID',
            'SETUID',
            'SYS_CHROOT',
          ]),
        )
        .max(16)
        .default([]),
      readOnlyRoot: z.boolean().default(false),
      noNewPrivileges: z.boolean().default(true),
    })
    .default({ capabilities: [], readOnlyRoot: false, noNewPrivileges: true }),
})

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
  components: z
    .record(label, component)
    .refine(all => Object.keys(all).length >= 1 && Object.keys(all).length <= 32, {
      message: 'must have 1 to 32 components',
    }),
  interfaces: z.array(appInterface).max(32).default([]),
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
