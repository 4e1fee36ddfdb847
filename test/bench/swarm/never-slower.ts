/** Peers that are absent, dead, slow or lying: a download then takes no longer than curl needs from the same origin. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Bench, Part } from '../../support/bench/swarm/bench.ts'
import type { BlobFile } from '../../support/bench/swarm/blob-file.ts'
import { prepareCurl } from '../../support/bench/swarm/contenders.ts'
import { type HttpsOrigin, startHttpsOrigin } from '../../support/bench/swarm/https-origin.ts'
import { type BenchNode, startBenchNode } from '../../support/bench/swarm/node-process.ts'
import {
  type Contender,
  interleave,
  medianOf,
  type Samples,
} from '../../support/bench/swarm/samples.ts'
import { makeTemplate, type StoreTemplate } from '../../support/bench/swarm/seed-stores.ts'
import { usedSince } from '../../support/bench/swarm/usage.ts'
import { costs, seconds } from '../../support/bench/swarm/words.ts'
import type { Row } from '../../support/report-rows.ts'

const RATIO_MAX = 1.05
const EXTRA_SECONDS_MAX = 0.5
const SLOW_RATE = 10_000

/** A peer that is there in name only; the identity is of nobody. */
const NOBODY = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'

const CASES: Readonly<Record<string, { readonly what: string }>> = {
  'no-peers': { what: 'no peers' },
  'dead-peers': {
    what: '3 dead peers (one froze after it said what it holds, one accepts and says nothing, one refuses)',
  },
  'slow-peers': { what: '3 peers at 10 KB/s' },
  'one-liar': { what: '1 liar of 4 peers' },
}

const idOf = (name: string): string => `never-slower-${name}`

export const neverSlower: Part = {
  ids: Object.keys(CASES).map(idOf),
  async run(bench) {
    await using stack = new AsyncDisposableStack()
    const blob = await bench.blob('large', bench.sizeBytes)
    const origin = stack.use(await startHttpsOrigin(bench))
    await using template = await makeTemplate(bench, blob)
    const contenders = [
      prepareCurl(bench, origin, blob),
      ...(await prepareCases({ bench, blob, origin, template }, stack)),
    ]
    const samples = await interleave(contenders, bench.repetitions, bench.say)
    return Object.keys(CASES).map(name => rowOf(name, samples, blob.sizeBytes))
  },
}

interface World {
  readonly bench: Bench
  readonly blob: BlobFile
  readonly origin: HttpsOrigin
  readonly template: StoreTemplate
}

async function prepareCases(
  world: World,
  stack: AsyncDisposableStack,
): Promise<readonly Contender[]> {
  const { bench, template } = world
  const seeder = async (name: string, options: { uploadBytesPerSecond?: number; isLiar?: true }) =>
    stack.use(
      await startBenchNode(bench, name, {
        folder: await template.nodeFolder(),
        hasBulk: true,
        ...options,
      }),
    )
  const honest = [
    await seeder('peer 1', {}),
    await seeder('peer 2', {}),
    await seeder('peer 3', {}),
  ]
  const liar = await seeder('liar', { isLiar: true })
  const slow = []
  for (const name of ['slow 1', 'slow 2', 'slow 3']) {
    slow.push(await seeder(name, { uploadBytesPerSecond: SLOW_RATE }))
  }
  const frozen = await seeder('frozen peer', {})
  const silent = stack.use(await listenSilently())
  const gone = stack.use(await listenSilently())
  await gone.close()
  return [
    contender(world, 'no-peers', []),
    contender(world, 'dead-peers', [frozen], {
      more: [silent.address, gone.address],
      before: () => frozen.process.signal('SIGSTOP'),
      after: () => frozen.process.signal('SIGCONT'),
    }),
    contender(world, 'slow-peers', slow),
    contender(world, 'one-liar', [...honest, liar]),
  ]
}

interface Extras {
  /** Addresses of peers that never connect. */
  readonly more?: readonly string[]
  /** When every peer is connected. */
  readonly before?: () => void
  readonly after?: () => void
}

function contender(
  { bench, blob, origin }: World,
  name: string,
  peers: readonly BenchNode[],
  { more = [], before = () => {}, after = () => {} }: Extras = {},
): Contender {
  return {
    name,
    async run() {
      await using getter = await startBenchNode(bench, `getter, ${name}`, {
        folder: bench.newFolder('getter'),
        hasBulk: true,
        origins: [origin.url],
        certificateFile: origin.certificateFile,
        bootstrap: [...peers.map(({ address }) => address), ...more],
      })
      await getter.untilPeers(peers.length)
      before()
      try {
        const [used, served] = [getter.usage(), origin.usage()]
        const { seconds } = await getter.fetch(blob)
        return {
          seconds,
          getter: usedSince(used, getter.usage()),
          server: usedSince(served, origin.usage()),
        }
      } finally {
        after()
      }
    },
  }
}

function rowOf(name: string, samples: Samples, sizeBytes: number): Row {
  const [mine, curl] = [medianOf(samples.get(name)), medianOf(samples.get('curl'))]
  const must = `${CASES[name]?.what}: ≤ ${RATIO_MAX} × curl from the same origin + ${EXTRA_SECONDS_MAX} s`
  if (mine === undefined || curl === undefined) {
    return { id: idOf(name), must, measured: 'nothing was measured', ok: false }
  }
  const bound = RATIO_MAX * curl.seconds + EXTRA_SECONDS_MAX
  return {
    id: idOf(name),
    must,
    measured: `${seconds(mine.seconds)}, bound ${seconds(bound)}: ${costs('ours', mine, sizeBytes)}, ${costs('curl', curl, sizeBytes)}`,
    ok: mine.seconds <= bound,
  }
}

/** Takes connections and never says a word; when it is closed, its address refuses. */
async function listenSilently() {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    // Nobody reads from them, so nobody would see their end.
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    address: `/ip4/127.0.0.1/tcp/${port}/p2p/${NOBODY}`,
    close,
    [Symbol.asyncDispose]: close,
  }
}
