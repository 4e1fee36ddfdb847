/** A peer that speaks libp2p properly, and the blob protocol in whatever way a test wants. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { FrameReader } from '../../../swarm/frame-reader.ts'
import { createNetwork } from '../../../swarm/libp2p/network.ts'
import { DATA_BYTES_MAX } from '../../../swarm/limits.ts'
import type { Channel } from '../../../swarm/network.ts'
import { decodeMessage, encodeMessage, type Message } from '../../../swarm/wire.ts'

/** What came under one id. */
export interface Heard {
  bytes: number
  rejects: (Message & { kind: 'reject' })[]
}

export interface BlobPeer extends AsyncDisposable {
  readonly peerId: string
  /** Everything that was heard but data, in order. */
  readonly messages: readonly Message[]
  readonly answers: ReadonlyMap<number, Heard>
  readonly isClosed: boolean
  send(...messages: readonly Message[]): Promise<void>
  hangUp(): void
}

/** Connected, and has said HELLO. */
export async function startBlobPeer(addresses: readonly string[]): Promise<BlobPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'archy-blob-peer-'))
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
  const opened = Promise.withResolvers<Channel>()
  await network.start({ onBlobs: channel => opened.resolve(channel) })
  await network.dial(addresses, AbortSignal.timeout(10_000))
  const channel = await opened.promise
  const messages: Message[] = []
  const answers = new Map<number, Heard>()
  let isClosed = false
  const heardOf = (id: number): Heard => {
    const heard = answers.get(id) ?? { bytes: 0, rejects: [] }
    answers.set(id, heard)
    return heard
  }
  const reader = new FrameReader(
    {
      onFrame(frame) {
        const message = decodeMessage(frame)
        if (message === undefined) return
        messages.push(message)
        if (message.kind === 'reject') heardOf(message.id).rejects.push(message)
      },
      onData(id) {
        const room = Buffer.alloc(DATA_BYTES_MAX)
        return {
          room: () => room,
          note: count => {
            heardOf(id).bytes += count
          },
          end() {},
        }
      },
    },
    DATA_BYTES_MAX,
  )
  channel.receive(
    bytes => reader.push(bytes),
    () => {
      isClosed = true
    },
  )
  const send = async (...sent: readonly Message[]): Promise<void> => {
    for (const message of sent) await channel.send(encodeMessage(message))
  }
  await send({ kind: 'hello', version: 1, requestsMax: 64 })
  return {
    peerId: network.peerId,
    messages,
    answers,
    get isClosed() {
      return isClosed
    },
    send,
    hangUp: () => channel.close(),
    async [Symbol.asyncDispose]() {
      await network.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
