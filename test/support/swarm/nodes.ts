/** Real swarm nodes on loopback, each with a store on disk, and what tests ask of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../src/core/clock.ts'
import type { Digest } from '../../../src/core/digest.ts'
import type { Log, LogFields } from '../../../src/core/log.ts'
import {
  type BlobStore,
  type CatalogMirror,
  createSwarm,
  openBlobStore,
  type Surroundings,
  type Swarm,
  type SwarmOptions,
} from '../../../swarm/index.ts'

import { CALM, TEST_SERVING } from './serving.ts'

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

export interface TestNode extends AsyncDisposable {
  readonly swarm: Swarm
  readonly store: BlobStore
  readonly folder: string
  readonly lines: readonly LogLine[]
  /** Puts a blob into the store. */
  hold(digest: Digest, bytes: Uint8Array): Promise<void>
}

export type NodeSettings = Partial<Omit<SwarmOptions, 'limits'>> & {
  readonly limits?: Partial<SwarmOptions['limits']>
  readonly folder?: string
  readonly mayServe?: (digest: Digest) => boolean
  readonly surroundings?: () => Surroundings
  /** Absent: it does not relay the catalog. */
  readonly catalog?: CatalogMirror
  readonly wrapStore?: (store: BlobStore) => BlobStore
  /** Keep the folder when the node stops, to start it again. */
  readonly keepFolder?: boolean
}

/** A started node; its log is kept in memory. */
export async function startNode(settings: NodeSettings = {}): Promise<TestNode> {
  const {
    folder: given,
    mayServe,
    surroundings,
    wrapStore,
    keepFolder,
    limits,
    catalog,
    ...options
  } = settings
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'archy-swarm-')))
  const lines: LogLine[] = []
  const log = recordingLog(lines)
  const store = await openBlobStore(
    { folder: join(folder, 'store'), clock: systemClock, log },
    { minFreeBytes: 0 },
  )
  const served = wrapStore?.(store) ?? store
  const swarm = await createSwarm(
    {
      store: served,
      clock: systemClock,
      log,
      random: Math.random,
      mayServe: mayServe ?? (() => true),
      surroundings: surroundings ?? (() => CALM),
      ...(catalog && { catalog }),
    },
    {
      networkName: 'test',
      identityFile: join(folder, 'identity.key'),
      stateFolder: join(folder, 'swarm'),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announceAddresses: [],
      bootstrap: [],
      origins: [],
      serving: TEST_SERVING,
      bulk: { port: 0 },
      ...options,
      limits: {
        uploadBytesPerSecond: undefined,
        downloadBytesPerSecond: undefined,
        originBytesPerSecond: undefined,
        connectionsMax: 50,
        ...limits,
      },
    },
  )
  await swarm.start()
  return {
    swarm,
    store,
    folder,
    lines,
    async hold(digest, bytes) {
      const path = join(folder, 'import.bin')
      await writeFile(path, bytes)
      await store.importFile({ digest, sizeBytes: bytes.byteLength }, path)
      await rm(path)
    },
    async [Symbol.asyncDispose]() {
      await swarm.stop()
      await store[Symbol.asyncDispose]()
      if (keepFolder !== true) await rm(folder, { recursive: true, force: true })
    },
  }
}

function recordingLog(lines: LogLine[]): Log {
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields })
    }
  const log: Log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  return log
}

/** Waits until `isTrue`, or fails with what was waited for. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await sleep(20)
  }
}

export function untilPeers(node: TestNode, count: number): Promise<void> {
  return until(`${count} peers`, () => node.swarm.status().peers.length >= count)
}
