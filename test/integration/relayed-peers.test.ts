/** Nodes that only a relay can introduce: the catalog may go that way, a blob never does. Real hosts on loopback. */
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { systemClock } from '../../src/core/clock.ts'
import { silentLog } from '../../src/core/log.ts'
import { createNetwork } from '../../swarm/libp2p/network.ts'
import { buildNode } from '../../swarm/libp2p/node.ts'
import type { Channel, Network } from '../../swarm/network.ts'
import type { ReachOptions } from '../../swarm/options.ts'
import { until } from '../support/swarm/nodes.ts'
import { makeTempFolder, type TempFolder } from '../support/temp-folder.ts'

const QUIET: ReachOptions = { mdns: false, upnp: false, relay: false, useRelays: false }
const TIMEOUT_MS = 10_000

interface Opened {
  readonly network: Network
  readonly blobs: Channel[]
  readonly catalog: Channel[]
}

describe('a relayed connection', function () {
  this.timeout(60_000)
  let folder: TempFolder
  const opened: Network[] = []

  beforeEach(async () => {
    folder = await makeTempFolder()
  })
  afterEach(async () => {
    for (const network of opened.splice(0)) await network.stop()
    await folder[Symbol.asyncDispose]()
  })

  const options = (name: string, listen: readonly string[], reach: ReachOptions) => ({
    networkName: 'test',
    identityFile: join(folder.path, `${name}.key`),
    listen,
    announceAddresses: [],
    reach,
    limits: { connectionsMax: 50 },
  })
  async function open(
    name: string,
    listen: readonly string[],
    reach: Partial<ReachOptions>,
  ): Promise<Opened> {
    const network = await createNetwork(
      { clock: systemClock, random: Math.random, log: silentLog, isBanned: () => false },
      options(name, listen, { ...QUIET, ...reach }),
    )
    opened.push(network)
    const blobs: Channel[] = []
    const catalog: Channel[] = []
    await network.start({ onBlobs: c => blobs.push(c), onCatalog: c => catalog.push(c) })
    return { network, blobs, catalog }
  }
  const LOOPBACK = ['/ip4/127.0.0.1/tcp/0']
  /** A relay, and a node that listens nowhere but through it; gives the address of that node. */
  async function openHidden(): Promise<{ relay: Opened; hidden: Opened; address: string }> {
    const relay = await open('relay', LOOPBACK, { relay: true })
    const hidden = await open('hidden', [], { useRelays: true })
    await hidden.network.dial(relay.network.addresses(), AbortSignal.timeout(TIMEOUT_MS))
    await until('a place at the relay', () => hidden.network.addresses().length > 0)
    return { relay, hidden, address: hidden.network.addresses()[0] ?? '' }
  }

  it('carries the catalog, and no blob', async () => {
    const { relay, hidden, address } = await openHidden()
    expect(address).to.include('/p2p-circuit')
    const caller = await open('caller', [], { useRelays: true })
    await caller.network.dial([address], AbortSignal.timeout(TIMEOUT_MS))
    const isHidden = (channel: Channel): boolean => channel.peerId === hidden.network.peerId
    await until('a stream for the catalog', () => caller.catalog.some(isHidden))
    const channel = caller.catalog.find(isHidden)
    const received: Uint8Array[] = []
    await until('the other end', () =>
      hidden.catalog.some(({ peerId }) => peerId === caller.network.peerId),
    )
    const end = hidden.catalog.find(({ peerId }) => peerId === caller.network.peerId)
    end?.receive(
      bytes => received.push(bytes),
      () => {},
    )
    await channel?.send(Buffer.from('a head'))
    await until('the words', () => Buffer.concat(received).toString() === 'a head')
    expect(caller.blobs.filter(isHidden)).to.deep.equal([])
    expect(hidden.blobs.map(({ peerId }) => peerId)).to.deep.equal([relay.network.peerId])
  })

  it('refuses a stream for blobs, also to a peer that insists', async () => {
    const { address } = await openHidden()
    const deps = {
      clock: systemClock,
      random: Math.random,
      isBanned: () => false,
      onNeighbour: () => {},
      onTable: () => {},
    }
    const key = await generateKeyPair('Ed25519')
    const reach = { ...QUIET, useRelays: true }
    const { node, gate } = await buildNode(deps, options('insists', [], reach), key)
    await node.start()
    try {
      gate.vouch([address])
      const connection = await node.dial(multiaddr(address))
      expect(connection.limits).to.not.equal(undefined)
      const insist = { runOnLimitedConnection: true, signal: AbortSignal.timeout(TIMEOUT_MS) }
      const outcome = await connection
        .newStream('/archipelago/test/blobs/1', { ...insist, negotiateFully: true })
        .then(
          async stream => {
            await until('its end', () => stream.status !== 'open')
            return 'ended'
          },
          () => 'refused',
        )
      expect(['refused', 'ended']).to.include(outcome)
    } finally {
      await node.stop()
    }
  })

  it('is offered only by a node whose owner said so', async () => {
    const plain = await open('plain', LOOPBACK, {})
    const hidden = await open('hidden', [], { useRelays: true })
    await hidden.network.dial(plain.network.addresses(), AbortSignal.timeout(TIMEOUT_MS))
    await until('a stream for blobs', () => hidden.blobs.length > 0)
    expect(hidden.network.addresses()).to.deep.equal([])
  })
})
