/** How much memory a getter needs at most, with the bulk channel that every node has: for a large blob, and for one ten times as large. */
import { rm, statfs } from 'node:fs/promises'
import type { Bench, Part } from '../../support/bench/swarm/bench.ts'
import { startBenchNode } from '../../support/bench/swarm/node-process.ts'
import { makeTemplate } from '../../support/bench/swarm/seed-stores.ts'
import { megabytes, rate } from '../../support/bench/swarm/words.ts'

const GIB = 2 ** 30
const RSS_MAX = 200_000_000
/** Two runs of the same download differ by this much: the heap is collected when it likes. */
const SAME_SHARE = 0.15
const FACTOR = 10
/** The blob of the origin and the seeder's copy; when the first is gone, the getter's. */
const COPIES_ON_DISK = 2

export const memory: Part = {
  ids: ['memory'],
  async run(bench) {
    const sizes = [bench.sizeBytes, bench.sizeBytes * FACTOR]
    const names = sizes.map(size => `${size / GIB} GiB`)
    const must = `peak RSS of the getter, ${names.join(' and ')}: ≤ ${megabytes(RSS_MAX)}, and the same within ${SAME_SHARE * 100} %`
    const { bavail, bsize } = await statfs(bench.folder)
    const wanted = sizes.reduce((sum, size) => sum + size, 0) * COPIES_ON_DISK
    if (bavail * bsize < wanted) {
      const measured = `nothing: ${bench.folder} has ${megabytes(bavail * bsize)} free and ${megabytes(wanted)} are needed`
      return [{ id: 'memory', must, measured, ok: false }]
    }
    await compile(bench)
    const peaks: number[] = []
    for (const size of sizes) peaks.push(await peakOf(bench, size))
    const [small = 0, large = 0] = peaks
    const difference = Math.abs(large - small) / small
    return [
      {
        id: 'memory',
        must,
        measured: `${megabytes(small)} and ${megabytes(large)}: ${(difference * 100).toFixed(0)} % apart`,
        ok: small <= RSS_MAX && large <= RSS_MAX && difference <= SAME_SHARE,
      },
    ]
  },
}

/** The first start of a version keeps the compiled program for all later ones; it takes 30 MB more itself. */
async function compile(bench: Bench): Promise<void> {
  await using _node = await startBenchNode(bench, 'first start', {
    folder: bench.newFolder('first'),
  })
}

async function peakOf(bench: Bench, sizeBytes: number): Promise<number> {
  const blob = await bench.blob('memory', sizeBytes)
  const template = await makeTemplate(bench, blob)
  await rm(blob.path)
  const folder = await template.nodeFolder()
  await template[Symbol.asyncDispose]()
  await using seeder = await startBenchNode(bench, 'seeder', { folder, hasBulk: true })
  await using getter = await startBenchNode(bench, 'getter', {
    folder: bench.newFolder('getter'),
    bootstrap: [seeder.address],
    hasBulk: true,
  })
  await getter.untilPeers(1)
  const { seconds } = await getter.fetch(blob)
  const { peakBytes } = getter.usage()
  bench.say(`  ${sizeBytes / GIB} GiB: ${megabytes(peakBytes)}, ${rate(sizeBytes, seconds)}`)
  return peakBytes
}
