/**
 * A process for a network namespace: three nodes with a public address each, started at one moment, of which two know only the third.
 * One of these two fetches a blob from the other. Prints how it found it.
 */
import { digestOf } from '../../../src/core/digest.ts'
import { bytesOf } from '../bytes.ts'
import { startNode } from './nodes.ts'

const bytes = bytesOf(1_000_000, 50)
const digest = digestOf(bytes)

const hub = await startNode({ listen: ['/ip4/11.0.0.1/tcp/4001'] })
const bootstrap = hub.swarm.addresses()
const holder = await startNode({ listen: ['/ip4/11.0.0.2/tcp/4001'], bootstrap })
await holder.hold(digest, bytes)
holder.swarm.announce([digest])
const getter = await startNode({ listen: ['/ip4/11.0.0.3/tcp/4001'], bootstrap })
const id = { digest, sizeBytes: bytes.byteLength }
await getter.swarm.fetch(id, { release: digest, signal: AbortSignal.timeout(30_000) })
const { peers, totals } = getter.swarm.status()
const found = peers.find(({ peerId }) => peerId === holder.swarm.peerId)
for (const node of [getter, holder, hub]) await node[Symbol.asyncDispose]()
process.stdout.write(`${JSON.stringify({ totals, found: found?.found, scope: found?.scope })}\n`)
process.exit(0)
