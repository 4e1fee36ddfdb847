/** One peer of four lies in every piece: what it costs, beside the same download without it. */
import { pieceSizeOf } from '../../../src/core/blake3/index.ts'
import type { Part } from '../../support/bench/swarm/bench.ts'
import { type BenchNode, startBenchNode } from '../../support/bench/swarm/node-process.ts'
import { median } from '../../support/bench/swarm/samples.ts'
import { makeTemplate } from '../../support/bench/swarm/seed-stores.ts'
import { writtenBytesOf } from '../../support/bench/swarm/usage.ts'
import { seconds } from '../../support/bench/swarm/words.ts'

const MIB = 2 ** 20
/** Honest peers are capped, so that the time is that of the network and not of two busy cores. */
const PEER_RATE = 25_000_000
const RATIO_MAX = 1.1
/** Frames, encryption, the piece layer and the talk of the DHT, on top of one piece. */
const OVERHEAD_BYTES = 128 * 1024

export const liar: Part = {
  ids: ['liar'],
  async run(bench) {
    await using stack = new AsyncDisposableStack()
    const blob = await bench.blob('liar', (bench.isQuick ? 64 : 384) * MIB)
    await using template = await makeTemplate(bench, blob)
    const start = async (name: string, options: { isLiar?: true }): Promise<BenchNode> => {
      const rest = { folder: await template.nodeFolder(), uploadBytesPerSecond: PEER_RATE }
      return stack.use(await startBenchNode(bench, name, { ...rest, ...options }))
    }
    const honest = [await start('peer 1', {}), await start('peer 2', {}), await start('peer 3', {})]
    const lying = await start('liar', { isLiar: true })
    const clean: number[] = []
    const dirty: number[] = []
    const wasted: number[] = []
    let bannedCount = 0
    for (let repetition = 0; repetition < bench.repetitions; repetition++) {
      for (const peers of [honest, [...honest, lying]]) {
        await using getter = await startBenchNode(bench, 'getter', {
          folder: bench.newFolder('getter'),
          bootstrap: peers.map(({ address }) => address),
        })
        await getter.untilPeers(peers.length)
        const sentBefore = writtenBytesOf(lying.pid)
        const answer = await getter.fetch(blob)
        const isClean = peers === honest
        ;(isClean ? clean : dirty).push(answer.seconds)
        if (isClean) continue
        wasted.push(writtenBytesOf(lying.pid) - sentBefore)
        if (answer.bans.length === 1 && answer.bans[0] === lying.peerId) bannedCount += 1
        bench.say(`  ${seconds(answer.seconds)}, the liar sent ${wasted.at(-1)} bytes`)
      }
    }
    const pieceBytes = pieceSizeOf(blob.sizeBytes)
    const ratio = median(dirty) / median(clean)
    const worst = Math.max(...wasted)
    return [
      {
        id: 'liar',
        must: `a liar beside 3 honest peers: it sends ≤ 1 piece (${pieceBytes / MIB} MiB), is banned, ≤ ${RATIO_MAX} × the time of the three alone`,
        measured:
          `${ratio.toFixed(2)} × (${seconds(median(dirty))}, clean ${seconds(median(clean))}); the liar sent at most ` +
          `${(worst / pieceBytes).toFixed(2)} pieces with all overhead; banned in ${bannedCount} of ${dirty.length} runs`,
        ok:
          ratio <= RATIO_MAX &&
          worst <= pieceBytes + OVERHEAD_BYTES &&
          bannedCount === dirty.length,
      },
    ]
  },
}
