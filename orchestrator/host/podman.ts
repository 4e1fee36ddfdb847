/** Podman of this user through its REST socket; what that cannot do is in `podman-command.ts`. */
import { join } from 'node:path'
import { z } from 'zod'
import { HostError } from '../errors.ts'
import type { ContainerState, Podman } from '../ports.ts'
import { containerCare } from './container-care.ts'
import { containerFiles } from './container-files.ts'
import { createPodmanApi, type PodmanApi, type PodmanRequest, refusal } from './podman-api.ts'
import { podmanCommands } from './podman-command.ts'
import { createPodmanEvents } from './podman-events.ts'
import { execInContainer } from './podman-exec.ts'
import { runOrThrow } from './run.ts'
import { userFolders } from './user-folders.ts'

const SYNC_TIMEOUT_MS = 10 * 60_000
/** Podman waits for conmon, and removes layers; both are slow on a busy disk. */
const REMOVE_TIMEOUT_MS = 120_000

const version = z.object({ Version: z.string() })
const info = z.object({ store: z.object({ graphRoot: z.string() }) })
const image = z.object({ Id: z.string(), Digest: z.string() })
const images = z.array(z.object({ RepoTags: z.array(z.string()).nullish() }))
const secrets = z.array(z.object({ Spec: z.object({ Name: z.string() }) }))
const secret = z.object({ SecretData: z.string() })
const networks = z.array(z.object({ name: z.string() }))
/** Removals answer 200 also when they failed. */
const removed = z.array(z.object({ Err: z.unknown().optional() }))
/** What we read of each container; more fields are there. */
const containers = z.array(
  z
    .object({
      Names: z.array(z.string()).min(1),
      State: z.string(),
      /** Its health; empty without a health check. */
      Status: z.string(),
      ExitCode: z.int(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .transform(
      (each): ContainerState => ({
        name: each.Names[0] ?? '',
        status: each.State,
        health: healthOf(each.Status),
        exitCode: each.ExitCode,
        labels: each.Labels ?? {},
      }),
    ),
)

/** `startSocket` starts the user's `podman.socket`. Nothing is connected before it is needed. */
export function createPodman(runtimeFolder: string, startSocket: () => Promise<void>): Podman {
  const api = createPodmanApi(join(runtimeFolder, 'podman/podman.sock'), startSocket)
  const events = createPodmanEvents(api)
  const names = async <T>(path: string, schema: z.ZodType<readonly T[]>, of: (each: T) => string) =>
    (await read(api, path, schema)).map(of)

  const storageFolder = async () => (await read(api, '/info', info)).store.graphRoot

  return {
    ...podmanCommands,
    ...containerCare,
    ...userFolders,
    ...containerFiles,
    version: async () => (await read(api, '/version', version)).Version,
    async image(reference) {
      const path = `/images/${encodeURIComponent(reference)}/json`
      const found = await readMaybe(api, path, image)
      return found && { id: found.Id, manifestDigest: found.Digest }
    },
    imageNames: async () =>
      (await read(api, '/images/json', images)).flatMap(({ RepoTags }) => RepoTags ?? []),
    removeImage: name => remove(api, `/images/${encodeURIComponent(name)}`),
    storageFolder,
    syncFileSystem,
    syncStorage: async () => await syncFileSystem(await storageFolder()),
    async containers() {
      events.follow()
      return await read(api, '/containers/json?all=true', containers)
    },
    removeContainer: name =>
      remove(api, `/containers/${encodeURIComponent(name)}?force=true&ignore=true&timeout=0`),
    async renameContainer(name, to) {
      const query = `name=${encodeURIComponent(to)}`
      await act(api, {
        method: 'POST',
        path: `/containers/${encodeURIComponent(name)}/rename?${query}`,
      })
    },
    exec: (container, command) => execInContainer(api, container, command),
    secretNames: () => names('/secrets/json', secrets, ({ Spec }) => Spec.Name),
    async createSecret(name, value) {
      const path = `/secrets/create?name=${encodeURIComponent(name)}&replace=true`
      await act(api, { method: 'POST', path, body: value })
    },
    removeSecret: name => remove(api, `/secrets/${encodeURIComponent(name)}`),
    async secretValue(name) {
      const path = `/secrets/${encodeURIComponent(name)}/json?showsecret=true`
      return (await readMaybe(api, path, secret))?.SecretData
    },
    networkNames: () => names('/networks/json', networks, ({ name }) => name),
    removeNetwork: name => remove(api, `/networks/${encodeURIComponent(name)}`),
    onChange: listener => events.listen(listener),
  }
}

async function syncFileSystem(path: string): Promise<void> {
  await runOrThrow(['sync', '-f', path], { timeoutMs: SYNC_TIMEOUT_MS })
}

function healthOf(word: string): ContainerState['health'] {
  return word === 'starting' || word === 'healthy' || word === 'unhealthy' ? word : undefined
}

async function act(api: PodmanApi, asked: PodmanRequest): Promise<Buffer> {
  const { status, problem, body } = await api.ask(asked)
  if (status >= 400) throw refusal(asked, problem)
  return body
}

async function read<T>(api: PodmanApi, path: string, schema: z.ZodType<T>): Promise<T> {
  const value = await readMaybe(api, path, schema)
  if (value === undefined) throw refusal({ method: 'GET', path }, 'not found')
  return value
}

/** `undefined` when Podman says that there is none. */
async function readMaybe<T>(
  api: PodmanApi,
  path: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const asked: PodmanRequest = { method: 'GET', path }
  const { status, problem, body } = await api.ask(asked)
  if (status === 404) return undefined
  if (status >= 400) throw refusal(asked, problem)
  const parsed = schema.safeParse(parseJson(body))
  if (parsed.success) return parsed.data
  const text = `podman answered ${path} with something unexpected`
  throw new HostError('HOST_COMMAND_FAILED', text, { cause: parsed.error })
}

/** A thing that is already gone is what the caller wants. */
async function remove(api: PodmanApi, path: string): Promise<void> {
  const asked: PodmanRequest = { method: 'DELETE', path, timeoutMs: REMOVE_TIMEOUT_MS }
  const { status, problem, body } = await api.ask(asked)
  if (status === 404) return
  if (status >= 400) throw refusal(asked, problem)
  const reports = removed.safeParse(parseJson(body))
  const failure = reports.data?.find(({ Err }) => Err !== undefined && Err !== null)
  if (failure !== undefined) throw refusal(asked, JSON.stringify(failure.Err))
}

/** `undefined` for what is no JSON, such as an empty answer. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // The caller's schema says whether that is wrong.
    return undefined
  }
}
