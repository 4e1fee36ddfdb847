/** Asks Podman about itself, once, with a deadline. */
import { z } from 'zod'
import type { Run } from '../../orchestrator/index.ts'
import type { Clock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/errors.ts'
import type { PodmanAnswer, PodmanInfo } from './facts.ts'

/** A healthy Podman takes 0.1 s; whatever takes longer makes every operation of the node fail. */
const INFO_TIMEOUT_MS = 5_000

const text = z.string().default('')
/** What we read of `podman info --format json`; more fields may be there. */
const podmanInfo = z.object({
  version: z.object({ Version: z.string() }),
  host: z.object({
    databaseBackend: text,
    cgroupManager: text,
    cgroupVersion: text,
    ociRuntime: z.object({ name: text, path: text }).default({ name: '', path: '' }),
    conmon: z.object({ path: text }).default({ path: '' }),
    networkBackend: text,
    networkBackendInfo: z
      .object({ dns: z.object({ path: text }).default({ path: '' }) })
      .default({ dns: { path: '' } }),
    rootlessNetworkCmd: text,
    pasta: z.object({ executable: text }).default({ executable: '' }),
    security: z.object({ rootless: z.boolean() }),
  }),
  store: z.object({ graphDriverName: text, graphRoot: z.string() }),
})

export async function askPodman(run: Run, clock: Clock): Promise<PodmanAnswer> {
  const startMs = clock.monotonicMs()
  try {
    const result = await run(['podman', 'info', '--format', 'json'], { timeoutMs: INFO_TIMEOUT_MS })
    const tookMs = clock.monotonicMs() - startMs
    if (result.code !== 0) return { kind: 'failed', reason: result.stderr.trim().slice(-500) }
    return { kind: 'answered', tookMs, info: infoOf(podmanInfo.parse(JSON.parse(result.stdout))) }
  } catch (error) {
    const kind = KINDS[codeOf(error) ?? ''] ?? 'failed'
    return { kind, reason: messageOf(error) }
  }
}

const KINDS: Readonly<Record<string, 'missing' | 'late'>> = {
  HOST_PROGRAM_MISSING: 'missing',
  HOST_COMMAND_TIMEOUT: 'late',
}

function infoOf({ version, host, store }: z.infer<typeof podmanInfo>): PodmanInfo {
  return {
    version: version.Version,
    database: host.databaseBackend,
    cgroupManager: host.cgroupManager,
    cgroupVersion: host.cgroupVersion,
    runtime: host.ociRuntime,
    conmonPath: host.conmon.path,
    networkBackend: host.networkBackend,
    dnsPath: host.networkBackendInfo.dns.path,
    networkCommand: host.rootlessNetworkCmd,
    pastaPath: host.pasta.executable,
    storageDriver: store.graphDriverName,
    storageFolder: store.graphRoot,
    isRootless: host.security.rootless,
  }
}
