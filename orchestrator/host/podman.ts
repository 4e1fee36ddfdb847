/** Podman through its command line, as the service's own user. */
import { z } from 'zod'
import { FileError } from '../../src/core/files.ts'
import { HostError } from '../errors.ts'
import type { ContainerState, Podman } from '../ports.ts'
import { commandFailed, run, runOrThrow } from './run.ts'
import { userFolders } from './user-folders.ts'

/** A gigabyte of layers took up to 18 s on the test machine; a slow board with an SD card needs far longer. */
const LOAD_TIMEOUT_MS = 60 * 60_000
const SYNC_TIMEOUT_MS = 10 * 60_000
const CHECK_TIMEOUT_MS = 30 * 60_000

/** Podman reads a secret from a pipe only; what Node gives a child as standard input is a socket. */
const FEED_SECRET = 'cat | podman secret create --replace "$1" -'

/** What we read of `podman ps --format json`; more fields may be there. */
const listedContainers = z.array(
  z.object({
    Names: z.array(z.string()).min(1),
    State: z.string(),
    Status: z.string().optional(),
    ExitCode: z.int().optional(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
)

export function createPodman(): Podman {
  return {
    version: async () => (await lines('version', '--format', '{{.Client.Version}}'))[0] ?? '',
    image: inspectImage,
    imageNames: () => lines('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}'),
    loadLayout,
    removeImage: name => tolerate(/image not known/, 'image', 'rm', name),
    damage,
    async repair() {
      // Ends with an error although it repaired: `damage` tells whether it worked.
      await run(['podman', 'system', 'check', '--quick', '--repair'], {
        timeoutMs: CHECK_TIMEOUT_MS,
      })
    },
    async syncStorage() {
      await syncFileSystem(await storageFolder())
    },
    containers: listContainers,
    async removeContainer(name) {
      await runOrThrow(['podman', 'rm', '--force', '--ignore', '--time', '0', name])
    },
    secretNames: () => lines('secret', 'ls', '--format', '{{.Name}}'),
    async createSecret(name, value) {
      await runOrThrow(['sh', '-c', FEED_SECRET, 'feed', name], { input: value })
    },
    removeSecret: name => tolerate(/no such secret/i, 'secret', 'rm', name),
    secretValue,
    networkNames: () => lines('network', 'ls', '--format', '{{.Name}}'),
    removeNetwork: name => tolerate(/network not found/i, 'network', 'rm', name),
    async ownFolder(path, uid, gid, mode) {
      await runOrThrow(['podman', 'unshare', 'chmod', mode, path])
      await runOrThrow(['podman', 'unshare', 'chown', `${uid}:${gid}`, path])
    },
    ...userFolders,
    syncFileSystem,
    storageFolder,
  }
}

async function secretValue(name: string): Promise<string | undefined> {
  const format = '{{.SecretData}}'
  const argv = ['podman', 'secret', 'inspect', '--showsecret', '--format', format, name]
  const result = await run(argv)
  if (result.code === 0) return result.stdout
  if (/no such secret/i.test(result.stderr)) return undefined
  throw commandFailed(argv, result)
}

async function storageFolder(): Promise<string> {
  const [folder = ''] = await lines('info', '--format', '{{.Store.GraphRoot}}')
  return folder
}

async function syncFileSystem(path: string): Promise<void> {
  await runOrThrow(['sync', '-f', path], { timeoutMs: SYNC_TIMEOUT_MS })
}

async function lines(...words: readonly string[]): Promise<readonly string[]> {
  const text = await runOrThrow(['podman', ...words])
  return text.split('\n').filter(line => line !== '')
}

/** A thing that is already gone is what the caller wants. */
async function tolerate(gone: RegExp, ...words: readonly string[]): Promise<void> {
  const argv = ['podman', ...words]
  const result = await run(argv)
  if (result.code !== 0 && !gone.test(result.stderr)) throw commandFailed(argv, result)
}

async function inspectImage(reference: string): ReturnType<Podman['image']> {
  const argv = ['podman', 'image', 'inspect', '--format', '{{.Id}} {{.Digest}}', reference]
  const result = await run(argv)
  const [id, manifestDigest] = result.stdout.trim().split(' ')
  if (result.code === 0 && id !== undefined && manifestDigest !== undefined) {
    return { id, manifestDigest }
  }
  if (/no such|not known|failed to find/i.test(result.stderr)) return undefined
  throw commandFailed(argv, result)
}

async function loadLayout(folder: string, name: string, signal?: AbortSignal): Promise<void> {
  const argv = ['podman', 'pull', '--quiet', `oci:${folder}:${name}`]
  const result = await run(argv, {
    timeoutMs: LOAD_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  })
  if (result.code === 0) return
  const failure = commandFailed(argv, result)
  if (!/no space left on device|disk quota exceeded/i.test(result.stderr)) throw failure
  throw new FileError('DISK_FULL', `no space left for the image ${name} in container storage`, {
    cause: failure,
  })
}

async function damage(): Promise<readonly string[]> {
  const result = await run(['podman', 'system', 'check', '--quick'], {
    timeoutMs: CHECK_TIMEOUT_MS,
  })
  if (result.code === 0) return []
  return `${result.stdout}\n${result.stderr}`.split('\n').filter(line => line.trim() !== '')
}

async function listContainers(): Promise<readonly ContainerState[]> {
  const text = await runOrThrow(['podman', 'ps', '--all', '--format', 'json'])
  const parsed = listedContainers.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new HostError('HOST_COMMAND_FAILED', 'podman ps printed something unexpected', {
      cause: parsed.error,
    })
  }
  return parsed.data.map(each => ({
    name: each.Names[0] ?? '',
    status: each.State,
    health: healthOf(each.Status ?? ''),
    exitCode: each.ExitCode ?? 0,
    labels: each.Labels ?? {},
  }))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HostError('HOST_COMMAND_FAILED', 'podman ps printed no JSON', { cause: error })
  }
}

/** `Up 3 seconds (healthy)`: the list has the health nowhere else. */
function healthOf(status: string): ContainerState['health'] {
  const word = /\((starting|healthy|unhealthy)\)$/.exec(status)?.[1]
  return word as ContainerState['health']
}
