/** One component of an app: the container, what it may use, how it is checked and ended. */
import { z } from 'zod'
import { health } from './health-schema.ts'
import { argv, containerUser, fileMode, integer } from './parts.ts'
import { byteSize, containerPath, durationBetween, environmentName, label, line } from './values.ts'

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

const secretFile = z.strictObject({
  secret: label,
  path: containerPath,
  owner: containerUser.default({ uid: 0, gid: 0 }),
})

/** A text file that the node writes and mounts read-only. With a secret in it, it is a secret itself. */
const textFile = z.strictObject({
  path: containerPath,
  /** May hold references, as values of `env` may. */
  content: z.string().max(65_536),
  owner: containerUser.default({ uid: 0, gid: 0 }),
  mode: fileMode.default('0444'),
})

/** A device of the machine. An optional one is left out where it does not exist. */
const device = z.strictObject({
  path: z
    .string()
    .regex(/^\/dev\/[A-Za-z0-9._/-]+$/, 'must be a path below /dev')
    .max(255),
  optional: z.boolean().default(false),
})

/** More than a container gets by default; the owner sees the reason and agrees to each. */
export const GRANTS = {
  'net-admin': 'change the network settings of its own container',
  'net-raw': 'send and receive raw packets in its own network',
  'host-network': 'use the network of the machine itself, with every port on it',
  tun: 'make tunnels (/dev/net/tun)',
  gpu: 'use the graphics processor (/dev/dri)',
  'usb-serial': 'use serial devices of the machine (/dev/serial)',
} as const

const grantName = z.enum(Object.keys(GRANTS) as [keyof typeof GRANTS, ...(keyof typeof GRANTS)[]])
export type GrantName = keyof typeof GRANTS

/** What an image that starts as root may use; everything else is beyond the container, or a grant. */
export const CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETUID',
  'SYS_CHROOT',
] as const

const capability = z.enum(CAPABILITIES)

export const component = z.strictObject({
  image: label,
  /** A `job` runs to its end at every start of the app, before those that wait for it to be `completed`. */
  role: z.enum(['service', 'job']).default('service'),
  entrypoint: argv.optional(),
  command: argv.optional(),
  workdir: containerPath.optional(),
  user: containerUser.optional(),
  /** Runs a small init as process 1 that reaps zombies and forwards signals. */
  init: z.boolean().default(true),
  /** Values may hold references such as `${secrets.<name>}`; a value with a secret is a secret itself. */
  env: z.record(environmentName, line(32_768)).default({}),
  secretFiles: z.array(secretFile).max(32).default([]),
  files: z.array(textFile).max(32).default([]),
  mounts: z.array(mount).max(64).default([]),
  devices: z.array(device).max(16).default([]),
  ports: z.array(port).max(64).default([]),
  /** Names other components reach this one by, on the app's default network. Default: the component's name. */
  aliases: z.array(label).max(16).optional(),
  /** The app's networks it joins, with the names it has there. Default: only the default network, with `aliases`. */
  networks: z
    .record(label, z.strictObject({ aliases: z.array(label).max(16).optional() }))
    .optional(),
  dependsOn: z
    .record(
      label,
      z.strictObject({ condition: z.enum(['started', 'healthy', 'completed']).default('started') }),
    )
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
      capabilities: z.array(capability).max(16).default([]),
      readOnlyRoot: z.boolean().default(false),
      noNewPrivileges: z.boolean().default(true),
    })
    .default({ capabilities: [], readOnlyRoot: false, noNewPrivileges: true }),
  /** Grants by name, each with the reason that the owner reads. */
  grants: z.partialRecord(grantName, z.strictObject({ why: line(160).min(1) })).default({}),
})
