/** A peer that speaks libp2p properly, and the catalog protocol in whatever way a test wants. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import {
  decodeRelay,
  encodeRelay,
  type RelayMessage,
} from '../../../swarm/catalog-relay/messages.ts'
import { FrameSplitter } from '../../../swarm/frames.ts'
import { createNetwork } from '../../../swarm/libp2p/network.ts'
import type { Channel } from '../../../swarm/network.ts'

export interface RawPeer extends AsyncDisposable {
  readonly peerId: string
  /** Its streams, the newest last. */
  readonly channels: readonly Channel[]
  dial(addresses: readonly string[]): Promise<void>
  hangUp(peerId: string): Promise<void>
}

interface RawOptions {
  /** Called for each message; what it returns is sent as it is. */
  answer?(message: RelayMessage): Uint8Array | RelayMessage | undefined
}

export async function startRawPeer(options: RawOptions = {}): Promise<RawPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-raw-'))
  const network = await createNetwork(
    { clock: systemClock, random: Math.random, log: silentLog, isBanned: () => false },
    {
      networkName: 'test',
      identityFile: join(folder, 'identity.key'),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announceAddresses: [],
      limits: { connectionsMax: 50 },
    },
  )
  const channels: Channel[] = []
  await network.start({
    // Its blob streams stay silent.
    onBlobs: () => {},
    onCatalog: channel => {
      channels.push(channel)
      listen(channel, options.answer)
    },
  })
  return {
    peerId: network.peerId,
    channels,
    dial: addresses => network.dial(addresses, AbortSignal.timeout(10_000)),
    hangUp: peerId => network.disconnect(peerId),
    async [Symbol.asyncDispose]() {
      await network.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function listen(channel: Channel, answer: RawOptions['answer']): void {
  const splitter = new FrameSplitter()
  let tail = Promise.resolve()
  const take = (bytes: Uint8Array): void => {
    for (const frame of splitter.push(bytes)) {
      const message = decodeRelay(Uint8Array.from(frame))
      if (message === undefined) continue
      const reply = answer?.(message)
      if (reply === undefined) continue
      const raw = reply instanceof Uint8Array ? reply : encodeRelay(reply)
      tail = tail
        .then(() => channel.send(raw))
        .catch(() => {
          /* The other side hung up, as it should. */
        })
    }
  }
  channel.receive(take, () => {})
}
