/** Every setting of a node, its default and its unit. One YAML file; all mistakes are reported together. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { DAYS, SEEDING_MODES } from '../swarm/index.ts'
import { codeOf, messageOf, NodeError } from './core/errors.ts'
import { explainIssues, formatProblem } from './core/schema.ts'
import { parseYaml } from './core/yaml.ts'

export class ConfigError extends NodeError<'CONFIG_INVALID' | 'CONFIG_MISSING'> {}

const DURATION = /^\d{1,7}(s|m|h)$/
const SECONDS = { s: 1, m: 60, h: 3600 } as const
const SIZE = /^\d{1,7}(KiB|MiB|GiB)$/
const BYTES = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const

const durationMs = z
  .string()
  .regex(DURATION, 'must be a duration such as "30s", "10m" or "1h"')
  .transform(
    text => Number.parseInt(text, 10) * SECONDS[text.slice(-1) as keyof typeof SECONDS] * 1000,
  )

const sizeBytes = z
  .string()
  .regex(SIZE, 'must be a size such as "512KiB", "20MiB" or "2GiB"')
  .transform(text => Number.parseInt(text, 10) * BYTES[text.slice(-3) as keyof typeof BYTES])

/** A rate; `null` means that there is no limit. */
const rate = sizeBytes.nullable().default(null)

/** In a schedule a limit that is not named stays as it is. */
const scheduledRate = sizeBytes.nullable().optional()

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "22:30"')
  .transform(text => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)))

const scheduleEntry = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .max(7)
      .default([...DAYS]),
    from: timeOfDay,
    to: timeOfDay,
    uploadLimit: scheduledRate,
    downloadLimit: scheduledRate,
    originLimit: scheduledRate,
  })
  .transform(({ days, from, to, uploadLimit, downloadLimit, originLimit }) => ({
    ...{ days, fromMinute: from, toMinute: to },
    limits: {
      ...(uploadLimit === undefined ? {} : { upload: uploadLimit }),
      ...(downloadLimit === undefined ? {} : { download: downloadLimit }),
      ...(originLimit === undefined ? {} : { origin: originLimit }),
    },
  }))

const originUrl = z
  .url({ protocol: /^https?$/ })
  .transform(url => (url.endsWith('/') ? url : `${url}/`))

const multiaddr = z
  .string()
  .regex(/^\/(ip4|ip6|dns|dns4|dns6)\/[^/]+\/tcp\/\d{1,5}(\/p2p\/[A-Za-z0-9]+)?$/, {
    error: 'must be a multiaddr such as "/ip4/192.0.2.7/tcp/4001"',
  })

const configSchema = z.strictObject({
  /** Nodes of one network find and serve each other. */
  network: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be at most 32 lower-case letters, digits and dashes'),
  origin: z.strictObject({
    /** Tried in turn; the first that answers is used. */
    urls: z.array(originUrl).min(1).max(16),
    /** The first root of the catalog, relative to this file. Trust starts here and nowhere else. */
    rootFile: z.string().min(1).default('root.json'),
  }),
  /** Publishers that no origin lists, and where each has its feed and its blobs. */
  feeds: z
    .array(
      z.strictObject({
        did: z.string().regex(/^did:key:z[1-9A-HJ-NP-Za-km-z]{40,70}$/, 'must be a did:key'),
        url: originUrl,
      }),
    )
    .max(32)
    .refine(feeds => new Set(feeds.map(({ did }) => did)).size === feeds.length, {
      message: 'must name each publisher once',
    })
    .default([]),
  /** The apps this node keeps installed and up to date. */
  apps: z
    .record(
      z.string().max(64),
      z
        .strictObject({ channel: z.string().max(32).default('stable') })
        .default({ channel: 'stable' }),
    )
    .default({}),
  catalog: z
    .strictObject({
      refreshInterval: durationMs.default(600_000),
      /** A folder with manifests for apps that the catalog does not have, relative to this file. */
      localManifests: z.string().min(1).nullable().default(null),
    })
    .prefault({}),
  swarm: z
    .strictObject({
      listen: z.array(multiaddr).max(16).default(['/ip4/0.0.0.0/tcp/4001']),
      /** Addresses told to others, when they differ from those listened on (port forwarding). */
      announce: z.array(multiaddr).max(16).default([]),
      bootstrap: z.array(multiaddr).max(64).default([]),
      /** Find nodes of this network on the local link. */
      mdns: z.boolean().default(true),
      /** `auto` asks the router of the home for a port, when there is one and this node listens behind it. */
      upnp: z.enum(['auto', 'off']).default('auto'),
      /** Introduce nodes that cannot be reached from outside. No blob goes this way. */
      relay: z.boolean().default(false),
      /** Port of the bulk channel; 0: any. */
      bulk: z.union([z.int().min(0).max(65_535), z.literal('off')]).default(4002),
      /** Bytes per second. */
      uploadLimit: rate,
      downloadLimit: rate,
      originLimit: rate,
      /** Limits at times of the week; the first entry that covers the time and names a limit sets it. */
      schedule: z.array(scheduleEntry).max(64).default([]),
      /** Whether limits hold for peers of the LAN as well. */
      limitLan: z.boolean().default(false),
      /** Who gets blobs from this node. */
      seeding: z.enum(SEEDING_MODES).default('always'),
      /** For `seeding: ratio`: a blob is given beyond the LAN this many times its size. */
      seedRatio: z.number().positive().max(1000).default(2),
      /** On a metered link only the LAN is served. */
      metered: z.enum(['yes', 'no', 'auto']).default('no'),
      /** A file to which every event of the swarm is written, relative to this file. */
      trace: z.string().min(1).nullable().default(null),
      /** Peers connected at once, in both directions. */
      connections: z.int().min(8).max(4096).default(300),
    })
    .prefault({}),
  storage: z
    .strictObject({
      /** What the blobs may take of the disk together; `null`: only the disk limits it. */
      quota: sizeBytes.nullable().default(null),
      minimumFree: sizeBytes.default(2 ** 30),
      /** How often every stored blob is read again and compared with its address. */
      scrubInterval: durationMs.default(720 * 3_600_000),
    })
    .prefault({}),
  metrics: z
    .strictObject({
      /** Where Prometheus may read, as `host:port`. */
      listen: z
        .string()
        .regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, {
          error: 'must be an address such as "127.0.0.1:9464"',
        })
        .nullable()
        .default(null),
    })
    .default({ listen: null }),
  orchestrator: z
    .strictObject({
      /** `render` writes and checks the units but starts nothing. */
      mode: z.enum(['systemd', 'render']).default('systemd'),
      /** How often every app is compared with what its owner wants, beside the events of the host. */
      reconcileInterval: durationMs.default(30_000),
    })
    .prefault({}),
  log: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

export type Config = Readonly<z.infer<typeof configSchema>>

/**
 * Reads the configuration of a node. `origin.rootFile` and `catalog.localManifests` come back as absolute paths.
 * @throws ConfigError `CONFIG_MISSING`, `CONFIG_INVALID` (every mistake with line and column)
 */
export async function readConfig(file: string): Promise<Config> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      const message = `cannot read the configuration ${file}: ${messageOf(error)}`
      throw new ConfigError('CONFIG_INVALID', message, { cause: error })
    }
    const fix = 'make one with "archy node init --origin URL --root FILE"'
    throw new ConfigError('CONFIG_MISSING', `no configuration at ${file}; ${fix}`, { cause: error })
  }
  const config = parseConfig(text, file)
  const folder = dirname(file)
  const rootFile = resolve(folder, config.origin.rootFile)
  const { localManifests } = config.catalog
  const { trace } = config.swarm
  const local = localManifests === null ? null : resolve(folder, localManifests)
  return Object.freeze({
    ...config,
    origin: { ...config.origin, rootFile },
    catalog: { ...config.catalog, localManifests: local },
    swarm: { ...config.swarm, trace: trace === null ? null : resolve(folder, trace) },
  })
}

/** @throws ConfigError `CONFIG_INVALID` */
export function parseConfig(text: string, file: string): Config {
  const document = parseYaml(text)
  if (document.errors.length > 0) {
    throw invalid(
      document.errors.map(({ message, position }) =>
        formatProblem(file, { path: '', message, position }),
      ),
    )
  }
  const result = configSchema.safeParse(document.value ?? {})
  if (result.success) return result.data
  throw invalid(
    explainIssues(result.error, configSchema, document).map(p => formatProblem(file, p)),
  )
}

function invalid(problems: readonly string[]): ConfigError {
  const count = problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`
  return new ConfigError('CONFIG_INVALID', `the configuration has ${count}`, { problems })
}
