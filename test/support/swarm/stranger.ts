/** A libp2p host of the network "test" that follows none of our rules, and a node of ours to try it on. */
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import { systemClock } from '../../../src/core/clock.ts'
import { type BuiltNode, buildNode, type NetworkOptions } from '../../../swarm/libp2p/node.ts'
import { takeKad } from './kad-messages.ts'

export const LAN_KAD = '/archipelago/test/lan/kad/1.0.0'

interface StrangerSettings {
  readonly listen?: readonly string[]
  /** What it says of its own addresses, true or not. */
  readonly announce?: readonly string[]
  /** The address that it dials from. */
  readonly from?: string
}

export async function startStranger(settings: StrangerSettings = {}): Promise<Libp2p> {
  // Given to net.connect as it is; the type of js-libp2p does not name it.
  const dialOpts: object = settings.from === undefined ? {} : { localAddress: settings.from }
  return await createLibp2p({
    addresses: {
      listen: [...(settings.listen ?? [])],
      announce: [...(settings.announce ?? [])],
    },
    transports: [tcp({ dialOpts })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxOutboundStreams: 1_000 })],
    connectionGater: { denyDialMultiaddr: () => false },
    services: {
      identify: identify({ protocolPrefix: 'archipelago/test' }),
      ping: ping({ protocolPrefix: 'archipelago/test' }),
    },
  })
}

const LOOPBACK: NetworkOptions = {
  networkName: 'test',
  identityFile: '',
  listen: ['/ip4/127.0.0.1/tcp/0'],
  announceAddresses: [],
  limits: { connectionsMax: 50 },
}

/** The libp2p part of a node, as it is in a real one. */
export async function startSubject(options: Partial<NetworkOptions> = {}): Promise<BuiltNode> {
  const deps = {
    clock: systemClock,
    random: Math.random,
    isBanned: () => false,
    onNeighbour: () => {},
    onTable: () => {},
  }
  const built = await buildNode(deps, { ...LOOPBACK, ...options }, await generateKeyPair('Ed25519'))
  await built.node.start()
  return built
}

/** Sends one frame and gives the answer, or `undefined` when the stream ends without one. */
export function askKad(stream: Stream, frame: Uint8Array): Promise<Uint8Array | undefined> {
  return new Promise(resolve => {
    let received = Buffer.alloc(0)
    stream.addEventListener('message', ({ data }) => {
      received = Buffer.concat([received, data.subarray()])
      const message = takeKad(received)
      if (message !== undefined) resolve(message)
    })
    stream.addEventListener('close', () => resolve(undefined))
    stream.send(frame)
  })
}
