/** A real node with a large store and many announced releases that has nothing to do: what it costs. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { NODE_ARGUMENTS } from '../../../orchestrator/index.ts'
import { messageOf } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import { serveOrigin } from '../../../src/http/origin-server.ts'
import type { Bench, Part } from '../../support/bench/swarm/bench.ts'
import {
  BLOBS_PER_RELEASE,
  fillStore,
  type SmallBlob,
  writeReleases,
} from '../../support/bench/swarm/many-releases.ts'
import { type BenchNode, startBenchNode } from '../../support/bench/swarm/node-process.ts'
import { residentBytesOf, type Usage, usageOf } from '../../support/bench/swarm/usage.ts'
import { megabytes } from '../../support/bench/swarm/words.ts'
import { NodeProcess } from '../../support/node-process.ts'

const RELEASE_COUNT = 1_000
const CPU_SHARE_MAX = 0.01
const RSS_MAX = 250_000_000
/** The node is settled when it uses less than this of a core over `SETTLE_WINDOW_MS`. */
const SETTLED_SHARE = 0.02
const SETTLE_WINDOW_MS = 10_000
const SETTLE_MS_MAX = 300_000
const MEASURE_MS = 60_000
const RSS_SAMPLE_MS = 1_000
/** A few lookups: the table of a network of three is small. */
const FIND_MS_MAX = 60_000

export const idle: Part = {
  ids: ['idle'],
  async run(bench) {
    const releaseCount = bench.isQuick ? RELEASE_COUNT / 10 : RELEASE_COUNT
    const measureMs = bench.isQuick ? MEASURE_MS / 4 : MEASURE_MS
    await using stack = new AsyncDisposableStack()
    const publicFolder = bench.newFolder('catalog')
    const blobs = await writeReleases(publicFolder, releaseCount)
    const server = await serveOrigin(publicFolder, { host: '127.0.0.1', port: 0, log: silentLog })
    stack.use(server)
    // Announcements need somebody who keeps them.
    const neighbour = stack.use(
      await startBenchNode(bench, 'neighbour', { folder: bench.newFolder('neighbour') }),
    )
    const node = stack.use(await NodeProcess.make())
    await copyFile(
      join(publicFolder, 'catalog/1.root.json'),
      join(node.folder, 'config/archipelago/root.json'),
    )
    await node.configure(configText(server.url, neighbour.address))
    const startMs = performance.now()
    await fillStore(join(node.stateFolder, 'store'), blobs, bench.newFolder('blob'))
    bench.say(
      `  ${blobs.length} blobs stored in ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
    )
    await node.start(asInstalled(bench))
    bench.say('  started')
    const settledMs = await settle(node.pid)
    bench.say(`  settled after ${(settledMs / 1000).toFixed(0)} s`)
    const { cpuShare, rssBytes } = await watch(node.pid, measureMs)
    const problem = await findLast(bench, neighbour, blobs)
    const found = problem === undefined ? 'the last release was found by its announcement' : problem
    return [
      {
        id: 'idle',
        must: `${releaseCount * BLOBS_PER_RELEASE} blobs, ${releaseCount} releases announced, idle: ≤ ${CPU_SHARE_MAX * 100} % of a core, ≤ ${megabytes(RSS_MAX)}`,
        measured:
          `${(cpuShare * 100).toFixed(2)} % of a core over ${measureMs / 1000} s, at most ${megabytes(rssBytes)}; ` +
          `settled ${(settledMs / 1000).toFixed(0)} s after its start; ${found}`,
        ok: cpuShare <= CPU_SHARE_MAX && rssBytes <= RSS_MAX && problem === undefined,
      },
    ]
  },
}

/** As `systemd/archy.service` starts it: with another young generation and the compiled program, 90 MB less. */
function asInstalled(bench: Bench): readonly string[] {
  const options = `NODE_OPTIONS=${NODE_ARGUMENTS.join(' ')}`
  return ['env', options, `NODE_COMPILE_CACHE=${bench.newFolder('compiled')}`]
}

function configText(originUrl: string, neighbour: string): string {
  return [
    'network: bench',
    `origin: {urls: [${JSON.stringify(originUrl)}]}`,
    `swarm: {listen: [/ip4/127.0.0.1/tcp/0], bulk: 0, bootstrap: [${JSON.stringify(neighbour)}]}`,
    'storage: {minimumFree: 1MiB}',
    'orchestrator: {mode: render}',
    'log: warn',
    '',
  ].join('\n')
}

/**
 * A stranger who knows only the neighbour gets the manifest of the release that was announced last: so the node has
 * announced them all. @returns what went wrong, if anything
 */
async function findLast(
  bench: Bench,
  neighbour: BenchNode,
  blobs: readonly SmallBlob[],
): Promise<string | undefined> {
  const last = blobs.at(-BLOBS_PER_RELEASE)?.ref
  if (last === undefined) return 'there are no blobs'
  await using stranger = await startBenchNode(bench, 'stranger', {
    folder: bench.newFolder('stranger'),
    bootstrap: [neighbour.address],
  })
  await stranger.untilPeers(1)
  const wanted = { digest: last.blake3, sizeBytes: last.size }
  const fetched = stranger.fetch(wanted, { release: last.blake3 }).then(
    () => undefined,
    (error: unknown) => messageOf(error),
  )
  const late = sleep(FIND_MS_MAX, 'the last release was NOT found by its announcement', {
    ref: false,
  })
  return await Promise.race([fetched, late])
}

const cpuOf = (pid: number): Usage['cpuSeconds'] => usageOf(pid).cpuSeconds

/** @returns milliseconds until the node had become quiet, or the most that is waited for it */
async function settle(pid: number): Promise<number> {
  const startMs = performance.now()
  for (;;) {
    const before = cpuOf(pid)
    await sleep(SETTLE_WINDOW_MS)
    const share = ((cpuOf(pid) - before) * 1000) / SETTLE_WINDOW_MS
    const elapsedMs = performance.now() - startMs
    if (share < SETTLED_SHARE || elapsedMs >= SETTLE_MS_MAX) return elapsedMs
  }
}

async function watch(
  pid: number,
  measureMs: number,
): Promise<{ readonly cpuShare: number; readonly rssBytes: number }> {
  const [before, startMs] = [cpuOf(pid), performance.now()]
  let rssBytes = 0
  while (performance.now() - startMs < measureMs) {
    await sleep(RSS_SAMPLE_MS)
    rssBytes = Math.max(rssBytes, residentBytesOf(pid))
  }
  const elapsedSeconds = (performance.now() - startMs) / 1000
  return { cpuShare: (cpuOf(pid) - before) / elapsedSeconds, rssBytes }
}
