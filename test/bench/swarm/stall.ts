/** One of four peers stops dead while it owes one of the last pieces: how long the last piece takes. */
import { pieceSizeOf } from '../../../src/core/blake3/index.ts'
import type { Explanation } from '../../../swarm/explanation.ts'
import type { Bench, Part } from '../../support/bench/swarm/bench.ts'
import type { BlobFile } from '../../support/bench/swarm/blob-file.ts'
import { type BenchNode, startBenchNode } from '../../support/bench/swarm/node-process.ts'
import { median } from '../../support/bench/swarm/samples.ts'
import { makeTemplate } from '../../support/bench/swarm/seed-stores.ts'

const MIB = 2 ** 20
const PEER_COUNT = 4
/** A piece then takes a quarter of a second: far longer than a signal or a message needs. */
const PEER_RATE = 1_000_000
/** A peer that owed nothing when it stopped proves nothing; the run is then made again. */
const TRIES_MAX = 4

interface StalledRun {
  /** From when nothing but the last piece was missing. */
  readonly tailMs: number
  readonly sinceStallMs: number
  readonly boundMs: number
  readonly pieceTimeMs: NonNullable<Explanation['pieceTimeMs']>
  readonly isProof: boolean
}

export const stall: Part = {
  ids: ['stall-last-piece'],
  async run(bench) {
    await using stack = new AsyncDisposableStack()
    const blob = await bench.blob('stall', (bench.isQuick ? 8 : 24) * MIB)
    const template = stack.use(await makeTemplate(bench, blob))
    const peers: BenchNode[] = []
    for (let index = 0; index < PEER_COUNT; index++) {
      const options = { folder: await template.nodeFolder(), uploadBytesPerSecond: PEER_RATE }
      peers.push(stack.use(await startBenchNode(bench, `peer ${index}`, options)))
    }
    const runs: StalledRun[] = []
    for (let repetition = 0; repetition < bench.repetitions; repetition++) {
      for (let turn = 0; turn < TRIES_MAX; turn++) {
        const stalling = peers[(repetition + turn) % PEER_COUNT] as BenchNode
        const run = await runOnce(bench, blob, peers, stalling)
        bench.say(
          `  last piece ${run.tailMs.toFixed(0)} ms, bound ${run.boundMs.toFixed(0)} ms` +
            `${run.isProof ? '' : ' (the stalled peer owed nothing: again)'}`,
        )
        if (!run.isProof) continue
        runs.push(run)
        break
      }
    }
    return [rowOf(runs, bench.repetitions)]
  },
}

async function runOnce(
  bench: Bench,
  blob: BlobFile,
  peers: readonly BenchNode[],
  stalling: BenchNode,
): Promise<StalledRun> {
  await using getter = await startBenchNode(bench, 'getter', {
    folder: bench.newFolder('getter'),
    bootstrap: peers.map(({ address }) => address),
  })
  await getter.untilPeers(PEER_COUNT)
  const pieceBytes = pieceSizeOf(blob.sizeBytes)
  let [stalledAtMs, oneLeftAtMs, doneAtMs] = [0, 0, 0]
  getter.process.onEvent = event => {
    const { heldBytes, atMs } = event as { readonly heldBytes: number; readonly atMs: number }
    const missingCount = (blob.sizeBytes - heldBytes) / pieceBytes
    if (stalledAtMs === 0 && missingCount <= PEER_COUNT) {
      stalledAtMs = atMs
      stalling.process.signal('SIGSTOP')
    }
    if (oneLeftAtMs === 0 && missingCount <= 1) oneLeftAtMs = atMs
    if (doneAtMs === 0 && missingCount === 0) doneAtMs = atMs
  }
  try {
    await getter.fetch(blob, { hasEvents: true })
  } finally {
    stalling.process.signal('SIGCONT')
  }
  const { pieceTimeMs, sources } = await getter.explain(blob)
  if (pieceTimeMs === undefined) throw new Error('the getter says no piece times')
  const story = sources.find(({ name }) => name === stalling.peerId)
  return {
    tailMs: doneAtMs - oneLeftAtMs,
    sinceStallMs: doneAtMs - stalledAtMs,
    boundMs: pieceTimeMs.mean + 2 * pieceTimeMs.deviation,
    pieceTimeMs,
    isProof: Object.keys(story?.troubles ?? {}).length > 0,
  }
}

function rowOf(runs: readonly StalledRun[], wanted: number) {
  const tailMs = median(runs.map(run => run.tailMs))
  const sinceStallMs = median(runs.map(run => run.sinceStallMs))
  const boundMs = median(runs.map(run => run.boundMs))
  const mean = median(runs.map(run => run.pieceTimeMs.mean))
  const holdCount = runs.filter(run => run.tailMs <= run.boundMs).length
  const whole = (ms: number): string => `${ms.toFixed(0)} ms`
  return {
    id: 'stall-last-piece',
    must: `1 of ${PEER_COUNT} peers stops while it owes one of the last pieces: the last piece comes ≤ mean + 2 × deviation of the node's piece times after all others`,
    measured:
      `${whole(tailMs)}, bound ${whole(boundMs)} (mean ${whole(mean)}); ${whole(sinceStallMs)} after the stop; ` +
      `held in ${holdCount} of ${runs.length} runs, medians`,
    ok: runs.length === wanted && tailMs <= boundMs,
  }
}
