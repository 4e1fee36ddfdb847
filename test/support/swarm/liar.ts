/**
 * A peer that flips one byte in every piece it sends, for tests and for the demo.
 * `node test/support/swarm/liar.ts --network N --listen /ip4/…/tcp/… --blobs <public folder of an origin>` serves that
 * folder's blobs until it is ended, and prints {"peerId","addresses"} as one JSON line when it can be dialled.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../../../src/core/clock.ts'
import { parseDigest } from '../../../src/core/digest.ts'
import { silentLog } from '../../../src/core/log.ts'
import { type BlobStore, createSwarm, openBlobStore } from '../../../swarm/index.ts'
import { CALM, TEST_SERVING } from './serving.ts'

/** The same store, except that the first byte of every piece is wrong when it is read. Piece layers stay right. */
export function lyingStore(store: BlobStore): BlobStore {
  return new Proxy(store, {
    get(target, name) {
      if (name !== 'read') {
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      }
      const read: BlobStore['read'] = async (digest, offset, length, into) => {
        const bytes = await target.read(digest, offset, length, into)
        const pieceSizeBytes = target.held(digest)?.pieceSizeBytes ?? bytes.byteLength
        const first = (pieceSizeBytes - (offset % pieceSizeBytes)) % pieceSizeBytes
        for (let at = first; at < bytes.byteLength; at += pieceSizeBytes) {
          bytes[at] = (bytes[at] ?? 0) ^ 1
        }
        return bytes
      }
      return read
    },
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      network: { type: 'string' },
      listen: { type: 'string', default: '/ip4/127.0.0.1/tcp/0' },
      blobs: { type: 'string' },
    },
  })
  if (values.network === undefined || values.blobs === undefined) {
    throw new Error('usage: liar.ts --network NAME [--listen MULTIADDR] --blobs FOLDER')
  }
  const folder = await mkdtemp(join(tmpdir(), 'archy-liar-'))
  const store = await openBlobStore(
    { folder: join(folder, 'store'), clock: systemClock, log: silentLog },
    { minFreeBytes: 0 },
  )
  await importAll(store, values.blobs)
  const swarm = await createSwarm(
    {
      store: lyingStore(store),
      clock: systemClock,
      log: silentLog,
      random: Math.random,
      mayServe: () => true,
      surroundings: () => CALM,
    },
    {
      networkName: values.network,
      identityFile: join(folder, 'identity.key'),
      stateFolder: join(folder, 'swarm'),
      listen: [values.listen],
      announceAddresses: [],
      bootstrap: [],
      origins: [],
      serving: TEST_SERVING,
      bulk: { port: 0 },
      limits: {
        uploadBytesPerSecond: undefined,
        downloadBytesPerSecond: undefined,
        originBytesPerSecond: undefined,
        connectionsMax: 50,
      },
    },
  )
  await swarm.start()
  const stop = async (): Promise<void> => {
    await swarm.stop()
    await store[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
  process.stdout.write(
    `${JSON.stringify({ peerId: swarm.peerId, addresses: swarm.addresses() })}\n`,
  )
}

async function importAll(store: BlobStore, publicFolder: string): Promise<void> {
  const blobs = join(publicFolder, 'blobs', 'blake3')
  for (const name of await readdir(blobs, { recursive: true })) {
    const hex = name.slice(name.lastIndexOf('/') + 1)
    if (!/^[0-9a-f]{64}$/.test(hex)) continue
    const path = join(blobs, name)
    const { size } = await stat(path)
    await store.importFile({ digest: parseDigest(`blake3:${hex}`), sizeBytes: size }, path)
  }
}

if (import.meta.main) await main()
