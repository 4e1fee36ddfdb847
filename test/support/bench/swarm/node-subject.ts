/**
 * A real swarm node with a store on disk, as a process that is measured; see `subject-process.ts`.
 * Usage: node-subject.ts <JSON of NodeSubjectSettings>
 */
import { join } from 'node:path'
import { systemClock } from '../../../../src/core/clock.ts'
import { type Digest, digestOf } from '../../../../src/core/digest.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { type BlobStore, createSwarm, openBlobStore } from '../../../../swarm/index.ts'
import { lyingStore } from '../../swarm/liar.ts'
import { CALM, TEST_SERVING } from '../../swarm/serving.ts'
import { waitFor } from '../../wait-for.ts'
import { serveAsks, tell } from './serve-asks.ts'

export interface NodeSubjectSettings {
  readonly folder: string
  readonly bootstrap?: readonly string[]
  readonly origins?: readonly string[]
  readonly uploadBytesPerSecond?: number
  /** Blobs go over the bulk channel where the other side has it too; otherwise over a libp2p stream. */
  readonly hasBulk?: boolean
  /** It flips a byte in every piece that it sends. */
  readonly isLiar?: boolean
}

export interface NodeReady {
  readonly peerId: string
  readonly address: string
  /** What the store held when it was opened. */
  readonly heldBytes: number
}

export interface WantedBlob {
  readonly digest: Digest
  readonly sizeBytes: number
}

export interface FetchSettings {
  /** Tell how far it is, again and again. */
  readonly hasEvents?: boolean
  /** Under which its holders are found; absent: the one release of the benchmark. */
  readonly release?: Digest
}

export interface FetchAnswer {
  readonly seconds: number
  /** Received and verified in this run of the process, by source. */
  readonly bytes: { readonly peer: number; readonly origin: number }
  readonly bans: readonly string[]
}

/** Everything in one benchmark belongs to this release. */
const RELEASE = digestOf(Buffer.from('the release of the benchmark'))
const PEERS_TIMEOUT_MS = 60_000

const settings = JSON.parse(process.argv[2] ?? '{}') as NodeSubjectSettings
const { folder, uploadBytesPerSecond, hasBulk = false, isLiar = false } = settings

const store = await openBlobStore(
  { folder: join(folder, 'store'), clock: systemClock, log: silentLog },
  { minFreeBytes: 0 },
)
const served = isLiar ? lyingStore(store) : store
const swarm = await createSwarm(
  {
    store: served,
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    mayServe: () => true,
    surroundings: () => CALM,
  },
  {
    networkName: 'bench',
    identityFile: join(folder, 'identity.key'),
    stateFolder: join(folder, 'swarm'),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announceAddresses: [],
    bootstrap: settings.bootstrap ?? [],
    origins: settings.origins ?? [],
    bulk: hasBulk ? { port: 0 } : undefined,
    serving: TEST_SERVING,
    limits: {
      uploadBytesPerSecond,
      downloadBytesPerSecond: undefined,
      originBytesPerSecond: undefined,
      connectionsMax: 100,
    },
  },
)
await swarm.start()

function heldBytesOf({ list }: Pick<BlobStore, 'list'>): number {
  return list().reduce((sum, { heldPieceCount, pieceSizeBytes, sizeBytes }) => {
    return sum + Math.min(heldPieceCount * pieceSizeBytes, sizeBytes)
  }, 0)
}

async function fetch(wanted: WantedBlob & FetchSettings): Promise<FetchAnswer> {
  // As a node does as soon as it knows the manifest: it holds something soon.
  const { release = RELEASE } = wanted
  swarm.announce([release])
  const before = swarm.status().totals
  const startMs = performance.now()
  await swarm.fetch(
    { digest: wanted.digest, sizeBytes: wanted.sizeBytes },
    {
      release,
      ...(wanted.hasEvents === true && {
        onProgress: ({ heldBytes }: { heldBytes: number }) => {
          tell({ event: { heldBytes, atMs: performance.now() - startMs } })
        },
      }),
    },
  )
  const seconds = (performance.now() - startMs) / 1000
  const { totals, bans } = swarm.status()
  return {
    seconds,
    bytes: { peer: totals.peer - before.peer, origin: totals.origin - before.origin },
    bans: bans.map(({ peerId }) => peerId),
  }
}

const ready: NodeReady = {
  peerId: swarm.peerId,
  address: swarm.addresses()[0] ?? '',
  heldBytes: heldBytesOf({ list: () => store.list() }),
}
serveAsks(
  ready,
  {
    fetch,
    import: async ({ digest, sizeBytes, path }: WantedBlob & { readonly path: string }) => {
      await store.importFile({ digest, sizeBytes }, path)
      swarm.announce([RELEASE])
    },
    announce: () => swarm.announce([RELEASE]),
    untilPeers: async ({ count }: { readonly count: number }) => {
      const has = (): boolean => swarm.status().peers.length >= count
      await waitFor(`${count} peers`, PEERS_TIMEOUT_MS, has, 20)
    },
    status: () => swarm.status(),
    explain: ({ digest }: WantedBlob) => swarm.explain(digest),
  },
  async () => {
    await swarm.stop()
    await store[Symbol.asyncDispose]()
  },
)
