/** What adoption asks of Podman and does with containers of others, through the command line. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { ContainerCare, InspectedContainer } from '../adopt/inspected.ts'
import { HostError } from '../errors.ts'
import { commandFailed, run, runOrThrow } from './run.ts'

/** Beside the grace: Podman takes this long to clean up, at most. */
const STOP_MARGIN_MS = 60_000

const text = z.string().nullish()
/** What we read of `podman container inspect`; more fields are there. */
const inspected = z.array(
  z.object({
    Id: z.string(),
    Name: z.string(),
    Image: z.string(),
    ImageName: text,
    State: z.object({ Status: z.string(), Pid: z.int(), StartedAt: text }),
    Config: z.object({
      Env: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      User: text,
    }),
    HostConfig: z.object({
      AutoRemove: z.boolean().nullish(),
      RestartPolicy: z.object({ Name: text, MaximumRetryCount: z.int().nullish() }).nullish(),
    }),
    Mounts: z
      .array(
        z.object({
          Type: z.string(),
          Name: text,
          Source: text,
          Destination: z.string(),
          RW: z.boolean().nullish(),
        }),
      )
      .nullish(),
    NetworkSettings: z
      .object({
        Ports: z
          .record(z.string(), z.array(z.object({ HostPort: z.string() })).nullish())
          .nullish(),
        Networks: z.record(z.string(), z.unknown()).nullish(),
      })
      .nullish(),
  }),
)

export const containerCare: ContainerCare = {
  async inspectAll() {
    const names = (await runOrThrow(['podman', 'ps', '--all', '--quiet', '--no-trunc']))
      .split('\n')
      .filter(line => line !== '')
    if (names.length === 0) return []
    const printed = await runOrThrow(['podman', 'container', 'inspect', ...names])
    try {
      return inspected.parse(JSON.parse(printed)).map(asContainer)
    } catch (error) {
      throw new HostError('HOST_COMMAND_FAILED', 'podman inspect printed something unexpected', {
        cause: error,
      })
    }
  },
  async setRestartPolicy(name, policy) {
    await runOrThrow(['podman', 'update', `--restart=${policy}`, name])
  },
  async startContainer(name) {
    await runOrThrow(['podman', 'start', name])
  },
  async stopContainer(name, graceMs) {
    const seconds = String(Math.ceil(graceMs / 1000))
    await runOrThrow(['podman', 'stop', '--ignore', '--time', seconds, name], {
      timeoutMs: graceMs + STOP_MARGIN_MS,
    })
  },
  async processEnvironment(pid) {
    const printed = await runOrThrow(['podman', 'unshare', 'cat', `/proc/${pid}/environ`])
    return new Map(pairs(printed.split('\0')))
  },
  readInside,
}

/** By way of a private folder: Podman alone resolves links inside a container so that they cannot point out of it. */
async function readInside(
  name: string,
  path: string,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-read-'))
  const copy = join(folder, 'file')
  try {
    const argv = ['podman', 'cp', `${name}:${path}`, copy]
    const result = await run(argv)
    if (/could not be found|no such file/i.test(result.stderr)) return undefined
    if (result.code !== 0) throw commandFailed(argv, result)
    const { size } = await stat(copy)
    if (size <= bytesMax) return await readFile(copy)
    throw new HostError('HOST_COMMAND_FAILED', `${path} in ${name} has more than ${bytesMax} bytes`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function asContainer(raw: z.infer<typeof inspected>[number]): InspectedContainer {
  const { Config, HostConfig, NetworkSettings, State } = raw
  const policy = HostConfig.RestartPolicy?.Name ?? ''
  const retries = HostConfig.RestartPolicy?.MaximumRetryCount ?? 0
  return {
    id: raw.Id,
    name: raw.Name,
    imageId: raw.Image,
    imageName: raw.ImageName ?? '',
    status: State.Status,
    pid: State.Pid,
    startedAt: State.StartedAt ?? '',
    doesRemoveItself: HostConfig.AutoRemove ?? false,
    restartPolicy: policy === '' ? 'no' : retries > 0 ? `${policy}:${retries}` : policy,
    labels: Config.Labels ?? {},
    env: Object.fromEntries(pairs(Config.Env ?? [])),
    user: Config.User ?? '',
    mounts: (raw.Mounts ?? []).map(mount => ({
      kind: mount.Type === 'bind' || mount.Type === 'volume' ? mount.Type : 'other',
      name: mount.Name ?? '',
      source: mount.Source ?? '',
      path: mount.Destination,
      isWritable: mount.RW ?? true,
    })),
    ports: Object.entries(NetworkSettings?.Ports ?? {}).flatMap(([key, bindings]) => {
      const [container, protocol] = key.split('/')
      if (protocol !== 'tcp' && protocol !== 'udp') return []
      return (bindings ?? []).map(({ HostPort }) => ({
        ...{ container: Number(container), host: Number(HostPort), protocol },
      }))
    }),
    networks: Object.keys(NetworkSettings?.Networks ?? {}),
  }
}

function pairs(lines: readonly string[]): readonly (readonly [string, string])[] {
  return lines.flatMap(line => {
    const at = line.indexOf('=')
    return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const]
  })
}
