/**
 * A process for a network namespace: nodes with public addresses, of which two know only the third. One of these serves its house alone.
 * Prints whether the other one, far away, was led to it by the DHT: before, and after the holder serves everybody.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../../src/core/clock.ts'
import { digestOf } from '../../../src/core/digest.ts'
import { silentLog } from '../../../src/core/log.ts'
import { createNetwork } from '../../../swarm/libp2p/network.ts'
import type { Network } from '../../../swarm/network.ts'
import { startNode, until, untilPeers } from './nodes.ts'
import { CALM, TEST_SERVING } from './serving.ts'

const release = digestOf(Buffer.from('a release'))
const LOOKUP_MS = 3_000
/** Far longer than an announcement to one peer takes. */
const QUIET_MS = 4_000

async function isFound(seeker: Network, peerId: string): Promise<boolean> {
  for await (const found of seeker.findHolders(release, AbortSignal.timeout(LOOKUP_MS))) {
    if (found.peerId === peerId) return true
  }
  return false
}

let isMetered = true
const hub = await startNode({ listen: ['/ip4/11.0.0.1/tcp/4001'] })
const bootstrap = hub.swarm.addresses()
const holder = await startNode({
  ...{
    listen: ['/ip4/11.0.0.2/tcp/4001'],
    bootstrap,
    serving: { ...TEST_SERVING, mode: 'always' },
  },
  surroundings: () => ({ ...CALM, isMetered }),
})
const folder = await mkdtemp(join(tmpdir(), 'archy-seeker-'))
const seeker = await createNetwork(
  { clock: systemClock, random: Math.random, log: silentLog, isBanned: () => false },
  {
    networkName: 'test',
    identityFile: join(folder, 'identity.key'),
    listen: ['/ip4/11.0.0.3/tcp/4001'],
    announceAddresses: [],
    limits: { connectionsMax: 16 },
  },
)
await seeker.start({ onBlobs: () => undefined })
await seeker.dial(bootstrap, AbortSignal.timeout(10_000))
await untilPeers(holder, 1)
holder.swarm.announce([release])
const endMs = performance.now() + QUIET_MS
let whileQuiet = false
while (performance.now() < endMs && !whileQuiet) {
  whileQuiet = await isFound(seeker, holder.swarm.peerId)
  await sleep(100)
}
isMetered = false
await until('it is found', () => isFound(seeker, holder.swarm.peerId), 30_000)
await seeker.stop()
for (const node of [holder, hub]) await node[Symbol.asyncDispose]()
await rm(folder, { recursive: true, force: true })
process.stdout.write(`${JSON.stringify({ whileQuiet, afterwards: true })}\n`)
process.exit(0)
