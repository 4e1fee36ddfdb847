/**
 * A process for a network namespace: a node with a public address, and a peer with another that names inside addresses wherever
 * it can. Prints how often each address was connected to.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { digestOf } from '../../../src/core/digest.ts'
import { encodeMessage } from '../../../swarm/wire.ts'
import { encodeKad, KAD } from './kad-messages.ts'
import { startNode, until } from './nodes.ts'
import { LAN_KAD, startStranger } from './stranger.ts'

const NODE = '/ip4/11.0.0.1/tcp/4001'
const STRANGER = '/ip4/11.0.0.2/tcp/4001'
/** Public: what the stranger says of these may be believed. */
const BY_DHT = '11.0.0.3'
const BY_EXCHANGE = '11.0.0.4'
const INSIDE = [
  '10.0.0.9',
  '192.168.7.7',
  '100.64.0.9',
  '169.254.169.254',
  '127.0.0.1',
  '169.254.3.3',
]
const PORT = 7000

const hits = new Map<string, number>()
for (const host of [BY_DHT, BY_EXCHANGE, ...INSIDE]) {
  hits.set(host, 0)
  const server = createServer(socket => {
    hits.set(host, (hits.get(host) ?? 0) + 1)
    socket.destroy()
  })
  await once(server.listen(PORT, host), 'listening')
}
const addressOf = (host: string): string => `/ip4/${host}/tcp/${PORT}`
const inside = INSIDE.map(addressOf)

async function newPeerId(): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
}

const stranger = await startStranger({ listen: [STRANGER], announce: [STRANGER, ...inside] })
/** Peers of which some are only inside, and some also outside. */
const named = await Promise.all(
  [[addressOf(BY_DHT), ...inside], inside, [...inside].reverse()].map(async addresses => ({
    id: (await newPeerId()).toMultihash().bytes,
    addresses: addresses.map(address => multiaddr(address).bytes),
  })),
)
const answer = encodeKad({
  type: KAD.getProviders,
  key: Buffer.from('key'),
  closer: named,
  providers: named,
})
let kadQuestions = 0
function answerKad(stream: Stream): void {
  stream.addEventListener('message', () => {
    kadQuestions += 1
    stream.send(answer)
  })
}
await stranger.handle('/archipelago/test/kad/1.0.0', answerKad)
await stranger.handle(LAN_KAD, answerKad)

const release = digestOf(Buffer.from('release'))
const others = await Promise.all(
  [[addressOf(BY_EXCHANGE)], inside.slice(0, 4), inside.slice(2)].map(async addresses => ({
    peerId: (await newPeerId()).toString(),
    addresses,
  })),
)
await stranger.handle('/archipelago/test/blobs/1', stream => {
  stream.send(encodeMessage({ kind: 'hello', version: 1, requestsMax: 64 }))
  stream.addEventListener('message', () => {
    stream.send(encodeMessage({ kind: 'peers', release, peers: others }))
  })
})

const bootstrap = stranger
  .getMultiaddrs()
  .map(String)
  .filter(each => each.startsWith(STRANGER))
const node = await startNode({ listen: [NODE], bootstrap })
const caller = new AbortController()
const fetching = node.swarm
  .fetch({ digest: digestOf(Buffer.from('x')), sizeBytes: 1 }, { release, signal: caller.signal })
  .catch(() => undefined)
await until('it follows what it may', () => hits.get(BY_DHT) !== 0 && hits.get(BY_EXCHANGE) !== 0)
// kad-dht asks about itself, and pings whom it was told of, some seconds after the start.
await until('the DHT has asked again', () => kadQuestions >= 2, 20_000)
caller.abort(new Error('enough'))
await fetching
await node[Symbol.asyncDispose]()
process.stdout.write(`${JSON.stringify({ kadQuestions, hits: Object.fromEntries(hits) })}\n`)
process.exit(0)
