/** A node that is killed in the middle of a large download: what it fetches again, and that no byte is wrong. */
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createDigestHasher } from '../../../src/core/digest.ts'
import { IN_FLIGHT_BYTES_MAX } from '../../../swarm/limits.ts'
import { SYNC_BYTES_MAX } from '../../../swarm/store/limits.ts'
import { blobPathsOf } from '../../../swarm/store/paths.ts'
import type { Bench, Part } from '../../support/bench/swarm/bench.ts'
import type { BlobFile } from '../../support/bench/swarm/blob-file.ts'
import { type BenchNode, startBenchNode } from '../../support/bench/swarm/node-process.ts'
import { makeTemplate } from '../../support/bench/swarm/seed-stores.ts'
import { writtenBytesOf } from '../../support/bench/swarm/usage.ts'
import { megabytes } from '../../support/bench/swarm/words.ts'

const MARKS = [0.1, 0.5, 0.9]
/** Frames, encryption and the talk of the DHT. */
const OVERHEAD_SHARE = 0.005

export const kills: Part = {
  ids: ['kill-9'],
  async run(bench) {
    const roundCount = bench.isQuick ? 2 : 20
    const blob = await bench.blob('large', bench.sizeBytes)
    await using template = await makeTemplate(bench, blob)
    await using seeder = await startBenchNode(bench, 'seeder', {
      folder: await template.nodeFolder(),
    })
    const lost: number[] = []
    const fetchedAgain: number[] = []
    let rightCount = 0
    for (let round = 0; round < roundCount; round++) {
      const folder = bench.newFolder('killed')
      const sentBefore = writtenBytesOf(seeder.pid)
      const download = { bench, seeder, folder, blob }
      let storedBytes = 0
      for (const mark of MARKS) {
        const run = await fetchAndKill(download, mark)
        lost.push(storedBytes - run.atStartBytes)
        storedBytes = run.storedBytes
      }
      const last = await finish(download)
      lost.push(storedBytes - last.atStartBytes)
      if (last.isRight) rightCount += 1
      const sent = (writtenBytesOf(seeder.pid) - sentBefore) / (1 + OVERHEAD_SHARE)
      fetchedAgain.push(Math.max(0, sent - blob.sizeBytes) / MARKS.length)
      bench.say(`  ${round + 1}/${roundCount}: ${megabytes(fetchedAgain.at(-1) ?? 0)} again each`)
      await rm(folder, { recursive: true })
    }
    const bound = SYNC_BYTES_MAX + IN_FLIGHT_BYTES_MAX
    const [worstLost, worst] = [Math.max(...lost), Math.max(...fetchedAgain)]
    return [
      {
        id: 'kill-9',
        must: `kill −9 at 10, 50 and 90 %, ${roundCount} times: ≤ ${megabytes(bound)} fetched again each (sync interval and in flight), 0 wrong bytes`,
        measured:
          `at most ${megabytes(worst)} sent again for each kill, at most ${megabytes(worstLost)} stored and not yet safe; ` +
          `${rightCount} of ${roundCount} files have the right hash`,
        ok: worst <= bound && worstLost <= bound && rightCount === roundCount,
      },
    ]
  },
}

interface Download {
  readonly bench: Bench
  readonly seeder: BenchNode
  readonly folder: string
  readonly blob: BlobFile
}

async function startGetter({ bench, seeder, folder }: Download): Promise<BenchNode> {
  const options = { folder, bootstrap: [seeder.address], keepFolder: true }
  const getter = await startBenchNode(bench, 'killed getter', options)
  await getter.untilPeers(1)
  return getter
}

/** @returns what the store had at the start, and what the node said it had stored when it was killed */
async function fetchAndKill(
  download: Download,
  mark: number,
): Promise<{ readonly atStartBytes: number; readonly storedBytes: number }> {
  const { blob } = download
  const reached = Promise.withResolvers<void>()
  let storedBytes = 0
  await using getter = await startGetter(download)
  getter.process.onEvent = event => {
    storedBytes = (event as { readonly heldBytes: number }).heldBytes
    if (storedBytes >= mark * blob.sizeBytes) reached.resolve()
  }
  const fetched = getter.fetch(blob, { hasEvents: true }).then(
    () => reached.reject(new Error('it finished before it was killed')),
    () => {
      /* It was killed, as it should be. */
    },
  )
  await reached.promise
  await getter.process.kill()
  await fetched
  return { atStartBytes: getter.heldBytes, storedBytes }
}

/** Fetches the rest, and hashes the file with an implementation that the node does not use for pieces. */
async function finish(
  download: Download,
): Promise<{ readonly atStartBytes: number; readonly isRight: boolean }> {
  const { blob, folder } = download
  let atStartBytes: number
  {
    await using getter = await startGetter(download)
    await getter.fetch(blob)
    atStartBytes = getter.heldBytes
  }
  const { data } = blobPathsOf(join(folder, 'store/blobs'), blob.digest)
  const hasher = createDigestHasher()
  for await (const bytes of createReadStream(data, { highWaterMark: 2 ** 20 })) {
    hasher.update(bytes as Uint8Array)
  }
  return { atStartBytes, isRight: hasher.digest() === blob.digest }
}
