/**
 * Something on the link that answers mDNS as if it were thousands of nodes.
 * Goal: a node dials a few of them, and keeps nothing of the others.
 * Method: the events of the real mDNS service, into the real discovery, with a manual clock and a network that counts dials.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { PeerInfo } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { silentLog } from '../../../src/core/log.ts'
import { Discovery } from '../../../swarm/discovery/discovery.ts'
import {
  DIAL_ADDRESSES_PER_PEER_MAX,
  MDNS_PEERS_BURST,
  MDNS_PEERS_PER_SECOND,
} from '../../../swarm/discovery/limits.ts'
import { buildMdns } from '../../../swarm/libp2p/mdns.ts'
import type { FoundPeer, Network } from '../../../swarm/network.ts'
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts'

type MdnsParts = Parameters<ReturnType<typeof buildMdns>>[0]

const FLOOD = 20_000
const MINUTE_MS = 60_000
const MEMORY_BYTES_MAX = 4 * 2 ** 20
const address = multiaddr('/ip4/192.168.1.7/tcp/4001')

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Of the node's parts the service reads the logger alone before its start. */
function serviceOf(clock: ManualClock, onFound: (peer: FoundPeer) => void): EventTarget {
  const log = Object.assign(() => undefined, { error: () => undefined, trace: () => undefined })
  const parts = { logger: { forComponent: () => log } } as unknown as MdnsParts
  return buildMdns(clock, 'home', onFound)(parts) as unknown as EventTarget
}

function answer(service: EventTarget, name: string, addresses = [address]): void {
  const id = { toString: () => name } as PeerInfo['id']
  service.dispatchEvent(new CustomEvent('peer', { detail: { id, multiaddrs: addresses } }))
}

describe('a flood of mDNS answers', () => {
  let clock: ManualClock
  let dialled: string[]
  let found: FoundPeer[]
  let discovery: Discovery
  let service: EventTarget

  beforeEach(() => {
    clock = createManualClock()
    dialled = []
    found = []
    const network = {
      peerId: 'own',
      isConnected: () => false,
      dial: async (addresses: readonly string[]) => {
        dialled.push(...addresses)
        throw new Error('nobody is there')
      },
    } as unknown as Network
    const nothing = { list: () => [], note: () => undefined, forget: () => undefined }
    discovery = new Discovery(
      {
        ...{ clock, network, log: silentLog, random: () => 0.5, isOnLoopback: false },
        remembered: { ...nothing, flush: async () => undefined },
        exchange: { seek: () => undefined },
        isBanned: () => false,
        connectedCount: () => 0,
      },
      [],
    )
    service = serviceOf(clock, peer => {
      found.push(peer)
      discovery.noteNeighbour(peer)
    })
  })

  it('leads to as many dials as a home has nodes, and to a trickle afterwards', async () => {
    for (let index = 0; index < FLOOD; index += 1) answer(service, `a${index}`)
    expect(dialled).to.have.length(MDNS_PEERS_BURST)
    await clock.advance(MINUTE_MS)
    for (let index = 0; index < FLOOD; index += 1) answer(service, `b${index}`)
    const trickle = (MDNS_PEERS_PER_SECOND * MINUTE_MS) / 1000
    expect(dialled.length).to.be.within(MDNS_PEERS_BURST + 1, MDNS_PEERS_BURST + trickle)
  })

  it('leaves nothing in memory', () => {
    const before = heapUsed()
    for (let index = 0; index < FLOOD; index += 1) answer(service, `c${index}`)
    expect(heapUsed() - before).to.be.below(MEMORY_BYTES_MAX)
  })

  it('keeps few of the addresses of one peer, and none outside the home that nobody could have', () => {
    const many = Array.from({ length: 500 }, (_, index) =>
      multiaddr(`/ip4/10.0.0.7/tcp/${index + 1}`),
    )
    answer(service, 'd', many)
    answer(service, 'e', [
      multiaddr('/ip4/169.254.169.254/tcp/80'),
      multiaddr('/dns4/a.example/tcp/1'),
    ])
    expect(found.map(({ addresses }) => addresses.length)).to.deep.equal([
      DIAL_ADDRESSES_PER_PEER_MAX,
      0,
    ])
  })

  it('dials one peer that is shown again and again no more than once in a minute', async () => {
    for (let second = 0; second < 120; second += 1) {
      answer(service, 'f')
      await clock.advance(1_000)
    }
    expect(dialled).to.have.length(2)
  })
})
