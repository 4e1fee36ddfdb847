/** Several slow sources at once: four capped seeders and a capped origin give together what they give one by one. */
import type { Part } from '../../support/bench/swarm/bench.ts'
import { openCappedLine } from '../../support/bench/swarm/capped-line.ts'
import { startHttpsOrigin } from '../../support/bench/swarm/https-origin.ts'
import { startBenchNode } from '../../support/bench/swarm/node-process.ts'
import { median } from '../../support/bench/swarm/samples.ts'
import { makeTemplate } from '../../support/bench/swarm/seed-stores.ts'
import { seconds } from '../../support/bench/swarm/words.ts'

const MIB = 2 ** 20
const SEEDER_COUNT = 4
const SEEDER_RATE = 5_000_000
const ORIGIN_RATE = 2_000_000
const TOTAL_RATE = SEEDER_COUNT * SEEDER_RATE + ORIGIN_RATE
const SHARE_MIN = 0.95

export const capped: Part = {
  ids: ['capped-sources'],
  async run(bench) {
    await using stack = new AsyncDisposableStack()
    // About 20 s at the full rate: what passes at once when a cap begins is then about one percent.
    const blob = await bench.blob('capped', (bench.isQuick ? 64 : 416) * MIB)
    await using template = await makeTemplate(bench, blob)
    const origin = stack.use(await startHttpsOrigin(bench))
    const line = stack.use(await openCappedLine(origin.port, ORIGIN_RATE))
    const bootstrap: string[] = []
    for (let index = 0; index < SEEDER_COUNT; index++) {
      const folder = await template.nodeFolder()
      const options = { folder, uploadBytesPerSecond: SEEDER_RATE }
      const seeder = stack.use(await startBenchNode(bench, `capped seeder ${index}`, options))
      bootstrap.push(seeder.address)
    }
    const times: number[] = []
    let originBytes = 0
    for (let repetition = 0; repetition < bench.repetitions; repetition++) {
      await using getter = await startBenchNode(bench, 'getter', {
        folder: bench.newFolder('getter'),
        origins: [`https://127.0.0.1:${line.port}/`],
        certificateFile: origin.certificateFile,
        bootstrap,
      })
      await getter.untilPeers(SEEDER_COUNT)
      const answer = await getter.fetch(blob)
      times.push(answer.seconds)
      originBytes = answer.bytes.origin
      bench.say(`  ${seconds(answer.seconds)}, ${answer.bytes.origin} bytes from the origin`)
    }
    const rate = blob.sizeBytes / median(times)
    const share = rate / TOTAL_RATE
    return [
      {
        id: 'capped-sources',
        must: `${SEEDER_COUNT} seeders capped at 5 MB/s each and an origin capped at 2 MB/s: ≥ ${SHARE_MIN * 100} % of 22 MB/s`,
        measured:
          `${(share * 100).toFixed(1)} %: ${(rate / 1e6).toFixed(2)} MB/s over ${seconds(median(times))}, ` +
          `${((originBytes * 100) / blob.sizeBytes).toFixed(1)} % from the origin; median of ${times.length}`,
        ok: share >= SHARE_MIN,
      },
    ]
  },
}
