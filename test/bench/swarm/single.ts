/** One server, one getter, one large blob, to disk and verified: our node beside everything that does the same. */
import type { Bench, Part } from '../../support/bench/swarm/bench.ts'
import {
  type MaybeContender,
  prepareCurl,
  prepareIroh,
  prepareLibtorrent,
  prepareNoise,
  prepareOurs,
} from '../../support/bench/swarm/contenders.ts'
import { startHttpsOrigin } from '../../support/bench/swarm/https-origin.ts'
import { borrowMemory } from '../../support/bench/swarm/lent-memory.ts'
import { interleave, medianOf, type Sample } from '../../support/bench/swarm/samples.ts'
import { costs, times } from '../../support/bench/swarm/words.ts'
import type { Row } from '../../support/report-rows.ts'

const GIB = 2 ** 30

export const single: Part = {
  ids: ['bulk-vs-curl', 'bulk-vs-libtorrent', 'bulk-vs-iroh', 'stream-vs-noise', 'bulk-cpu'],
  async run(bench) {
    await using stack = new AsyncDisposableStack()
    const { sizeBytes } = bench
    const blob = await bench.blob('large', sizeBytes)
    const origin = stack.use(await startHttpsOrigin(bench))
    const contenders: readonly MaybeContender[] = [
      await prepareOurs(bench, stack, blob, { name: 'bulk', hasBulk: true }),
      prepareCurl(bench, origin, blob),
      await prepareLibtorrent(bench, stack, blob, { name: 'libtorrent', mode: 'encrypted' }),
      await prepareLibtorrent(bench, stack, blob, {
        name: 'libtorrent in plain text',
        mode: 'plain',
      }),
      await prepareIroh(bench, stack, blob),
      await prepareOurs(bench, stack, blob, { name: 'stream', hasBulk: false }),
      await prepareNoise(bench, stack),
    ]
    const able = contenders.filter(one => 'run' in one)
    const samples = await interleave(able, bench.repetitions, bench.say, () =>
      borrowMemory(bench.newFolder('lent'), sizeBytes),
    )
    const found = (name: string): Found => {
      const missing = contenders.find(one => one.name === name && 'missing' in one)
      if (missing !== undefined && 'missing' in missing) return { name, missing: missing.missing }
      return { name, sample: medianOf(samples.get(name)) }
    }
    return [
      ratioRow(bench, 'bulk-vs-curl', [found('bulk'), found('curl')], 1),
      beside(
        ratioRow(bench, 'bulk-vs-libtorrent', [found('bulk'), found('libtorrent')], 2),
        found('libtorrent in plain text'),
        sizeBytes,
      ),
      ratioRow(bench, 'bulk-vs-iroh', [found('bulk'), found('iroh-blobs')], 5),
      ratioRow(bench, 'stream-vs-noise', [found('stream'), found('noise')], 0.8),
      cpuRow(bench, [found('bulk'), found('curl')]),
    ]
  },
}

type Found =
  | { readonly name: string; readonly missing: string }
  | { readonly name: string; readonly sample: Sample | undefined }

/** The rate of the first is at least `bound` times that of the second. */
function ratioRow(
  { sizeBytes, repetitions }: Bench,
  id: string,
  [mine, theirs]: readonly [Found, Found],
  bound: number,
): Row {
  const must = `1 seeder → 1 getter, ${sizeBytes / GIB} GiB: ${mine.name} ≥ ${bound} × ${theirs.name}`
  return compare(id, must, mine, theirs, (ours, rival) => {
    const ratio = rival.seconds / ours.seconds
    const both = `${costs(mine.name, ours, sizeBytes)}, ${costs(theirs.name, rival, sizeBytes)}`
    const measured = `${times(ratio)}: ${both}; medians of ${repetitions}`
    return { measured, ok: ratio >= bound }
  })
}

/** What else is worth knowing and decides nothing. */
function beside(row: Row, other: Found, sizeBytes: number): Row {
  if ('missing' in other || other.sample === undefined) return row
  return { ...row, measured: `${row.measured}; ${costs(other.name, other.sample, sizeBytes)}` }
}

function cpuRow({ sizeBytes }: Bench, [mine, theirs]: readonly [Found, Found]): Row {
  const must = 'CPU seconds of both ends per GiB, bulk ≤ 1.3 × curl and nginx over HTTPS'
  return compare('bulk-cpu', must, mine, theirs, (ours, rival) => {
    const perGib = ({ getter, server }: Sample): number =>
      ((getter.cpuSeconds + server.cpuSeconds) * GIB) / sizeBytes
    const ratio = perGib(ours) / perGib(rival)
    const both = `bulk ${perGib(ours).toFixed(2)} s, curl and nginx ${perGib(rival).toFixed(2)} s`
    return { measured: `${times(ratio)}: ${both} per GiB`, ok: ratio <= 1.3 }
  })
}

/**
 * A rival that cannot run here is named in the row, which then proves nothing and does not fail either: the other
 * rows still count. With CI=true every rival must be there.
 */
function compare(
  id: string,
  must: string,
  mine: Found,
  theirs: Found,
  judge: (mine: Sample, theirs: Sample) => Pick<Row, 'measured' | 'ok'>,
): Row {
  if ('missing' in theirs) {
    const measured = `${theirs.name} is not installed, nothing was compared: ${theirs.missing}`
    return { id, must, measured, ok: process.env.CI !== 'true' }
  }
  if ('missing' in mine || mine.sample === undefined || theirs.sample === undefined) {
    return { id, must, measured: 'nothing was measured', ok: false }
  }
  return { id, must, ...judge(mine.sample, theirs.sample) }
}
