/** Twenty nodes want the same blob at once, and there is one seeder and a small origin: how much they ask of it. */
import type { Bench, Part } from '../../support/bench/swarm/bench.ts'
import { openCappedLine } from '../../support/bench/swarm/capped-line.ts'
import { startHttpsOrigin } from '../../support/bench/swarm/https-origin.ts'
import { type BenchNode, startBenchNode } from '../../support/bench/swarm/node-process.ts'
import { median } from '../../support/bench/swarm/samples.ts'
import { makeTemplate } from '../../support/bench/swarm/seed-stores.ts'
import { rate, seconds } from '../../support/bench/swarm/words.ts'

const MIB = 2 ** 20
const GETTER_COUNT = 20
const ORIGIN_RATE = 10_000_000
const ORIGIN_SHARE_MAX = 1.3
const LAST_TO_MEDIAN_MAX = 1.5

interface CrowdRun {
  readonly seconds: readonly number[]
  /** Through the line of the origin, as a share of the blob, with the overhead of TLS. */
  readonly originShare: number
}

export const crowd: Part = {
  ids: ['crowd-processes'],
  async run(bench) {
    const runs: CrowdRun[] = []
    for (let repetition = 0; repetition < bench.repetitions; repetition++) {
      const run = await runOnce(bench)
      runs.push(run)
      bench.say(
        `  origin ${run.originShare.toFixed(2)} × blob, last after ${seconds(Math.max(...run.seconds))}`,
      )
    }
    const share = median(runs.map(run => run.originShare))
    const tail = median(runs.map(run => Math.max(...run.seconds) / median(run.seconds)))
    const middle = median(runs.map(run => median(run.seconds)))
    const sizeBytes = blobBytes(bench)
    return [
      {
        id: 'crowd-processes',
        must: `${GETTER_COUNT} getters (processes), 1 seeder, origin capped at 10 MB/s: origin bytes ≤ ${ORIGIN_SHARE_MAX} × blob, last ÷ median ≤ ${LAST_TO_MEDIAN_MAX}`,
        measured:
          `origin ${share.toFixed(2)} × blob (${sizeBytes / MIB} MiB), last ÷ median ${tail.toFixed(2)}, median ${seconds(middle)}, ` +
          `all together ${rate(sizeBytes * GETTER_COUNT, middle)}; medians of ${runs.length}`,
        ok: share <= ORIGIN_SHARE_MAX && tail <= LAST_TO_MEDIAN_MAX,
      },
    ]
  },
}

function blobBytes({ isQuick }: Bench): number {
  return (isQuick ? 16 : 128) * MIB
}

async function runOnce(bench: Bench): Promise<CrowdRun> {
  await using stack = new AsyncDisposableStack()
  const blob = await bench.blob('crowd', blobBytes(bench))
  const origin = stack.use(await startHttpsOrigin(bench))
  const line = stack.use(await openCappedLine(origin.port, ORIGIN_RATE))
  const template = stack.use(await makeTemplate(bench, blob))
  const seeder = stack.use(
    await startBenchNode(bench, 'seeder', { folder: await template.nodeFolder() }),
  )
  const start = async (index: number): Promise<BenchNode> =>
    stack.use(
      await startBenchNode(bench, `getter ${index}`, {
        folder: bench.newFolder('getter'),
        origins: [`https://127.0.0.1:${line.port}/`],
        certificateFile: origin.certificateFile,
        bootstrap: [seeder.address],
      }),
    )
  const getters = await Promise.all(
    Array.from({ length: GETTER_COUNT }, (_, index) => start(index)),
  )
  await Promise.all(getters.map(getter => getter.untilPeers(1)))
  const sentBefore = line.sentBytes
  const answers = await Promise.all(getters.map(getter => getter.fetch(blob)))
  return {
    seconds: answers.map(answer => answer.seconds),
    originShare: (line.sentBytes - sentBefore) / blob.sizeBytes,
  }
}
