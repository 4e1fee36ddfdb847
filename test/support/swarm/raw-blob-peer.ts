/** A peer that speaks libp2p properly, and the blob protocol in whatever way a test wants. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { DATA_KIND } from '../../../swarm/data-head.ts'
import { FrameSplitter } from '../../../swarm/frames.ts'
import { createNetwork } from '../../../swarm/libp2p/network.ts'
import type { Channel } from '../../../swarm/network.ts'
import { decodeMessage, encodeMessage, type Message, WIRE_VERSION } from '../../../swarm/wire.ts'
import { waitFor } from '../wait-for.ts'

export interface RawBlobPeer extends AsyncDisposable {
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly receivedBytes: number
  /** Whether a stream to the other node is open. */
  readonly isOpen: boolean
  /** Connects, and resolves when the stream is open; says HELLO unless told not to. */
  dial(addresses: readonly string[]): Promise<void>
  /** Resolves when the stream took it; false when it is closed. */
  send(bytes: Uint8Array): Promise<boolean>
  say(...messages: readonly Message[]): Promise<boolean>
  /** Stops reading. */
  pause(): void
}

export interface RawBlobOptions {
  readonly saysHello?: boolean
  /** Called for each control message; what it returns is sent. */
  onMessage?(message: Message): Message | Uint8Array | undefined
  onData?(id: number, count: number): void
}

const DATA_BODY_AT = 9

export async function startRawBlobPeer(options: RawBlobOptions = {}): Promise<RawBlobPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-raw-'))
  const network = await createNetwork(
    { log: silentLog, clock: systemClock, random: Math.random, isBanned: () => false },
    {
      networkName: 'test',
      identityFile: join(folder, 'identity.key'),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announceAddresses: [],
      limits: { connectionsMax: 50 },
    },
  )
  let channel: Channel | undefined
  let target: string | undefined
  let receivedBytes = 0
  let tail = Promise.resolve(true)
  const send = (bytes: Uint8Array): Promise<boolean> => {
    tail = tail.then(async () => {
      if (channel === undefined) return false
      return await channel.send(bytes).then(
        () => true,
        () => false,
      )
    })
    return tail
  }
  const say = (...messages: readonly Message[]): Promise<boolean> =>
    send(Buffer.concat(messages.map(encodeMessage)))
  const take = (frame: Uint8Array): void => {
    if (frame[0] === DATA_KIND) {
      const count = frame.byteLength - DATA_BODY_AT
      receivedBytes += count
      options.onData?.(Buffer.from(frame).readUInt32BE(1), count)
      return
    }
    const message = decodeMessage(Uint8Array.from(frame))
    const reply = message && options.onMessage?.(message)
    if (reply !== undefined) void (reply instanceof Uint8Array ? send(reply) : say(reply))
  }
  await network.start({
    onBlobs(opened) {
      // Raw peers of one test find each other: what they would say is meant for the node alone.
      if (target !== undefined && opened.peerId !== target) {
        opened.close()
        return
      }
      channel = opened
      const splitter = new FrameSplitter()
      opened.receive(
        bytes => splitter.push(bytes).forEach(take),
        () => {
          if (channel === opened) channel = undefined
        },
      )
      if (options.saysHello ?? true) {
        void say({ kind: 'hello', version: WIRE_VERSION, requestsMax: 64 })
      }
    },
  })
  return {
    peerId: network.peerId,
    addresses: network.addresses(),
    get receivedBytes() {
      return receivedBytes
    },
    get isOpen() {
      return channel !== undefined
    },
    async dial(addresses) {
      target = addresses[0]?.split('/p2p/')[1]
      await network.dial(addresses, AbortSignal.timeout(10_000))
      await waitFor('the stream', 2_000, () => channel !== undefined, 5)
    },
    send,
    say,
    pause: () => channel?.pause(),
    async [Symbol.asyncDispose]() {
      await network.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
