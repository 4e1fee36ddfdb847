/** Two links that are each other's peer: a stream in memory between them, real bulk channels, and a proxy before one. */
import { randomBytes } from 'node:crypto'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { type BulkHub, createBulkHub } from '../../../swarm/bulk/hub.ts'
import type { Channel } from '../../../swarm/network.ts'
import { PeerLink } from '../../../swarm/peers/link.ts'
import type { ModelBlob } from '../../model/blob.ts'
import { type CutProxy, startCutProxy } from './cut-proxy.ts'
import { createServingNode } from './serving-peers.ts'

export interface LinkPair extends AsyncDisposable {
  /** Has all of `blob`. */
  readonly seeder: PeerLink
  /** Has nothing. */
  readonly getter: PeerLink
  readonly blob: ModelBlob
  /** Between the getter and the bulk channel of the seeder. */
  readonly proxy: CutProxy
}

interface Settings {
  readonly sizeBytes: number
  readonly uploadBytesPerSecond?: number
  /** Has the seeder a bulk channel, has the getter one? */
  readonly seederListens?: boolean
}

export async function startLinkPair(settings: Settings): Promise<LinkPair> {
  const { seederListens = true, ...serving } = settings
  const stack = new AsyncDisposableStack()
  const newHub = async (listen: readonly string[]): Promise<BulkHub> => {
    const hub = createBulkHub(
      { clock: systemClock, log: silentLog, secret: randomBytes },
      listen,
      0,
    )
    await hub.start()
    stack.defer(() => hub.stop())
    return hub
  }
  const hub = await newHub(seederListens ? [LOOPBACK] : [])
  const proxy = stack.use(await startCutProxy(() => hub.offer(NOBODY)?.port ?? 0))
  const behindProxy: BulkHub = {
    ...bound(hub),
    offer: guest => {
      const offer = hub.offer(guest)
      return offer && { ...offer, port: proxy.port }
    },
  }
  const node = createServingNode({ clock: systemClock, ...serving })
  const other = createServingNode({
    clock: systemClock,
    sizeBytes: serving.sizeBytes,
    heldPieces: [],
  })
  const [near, far] = channelPair()
  const seeder = new PeerLink({ ...node, bulk: behindProxy }, near, EVENTS)
  const getter = new PeerLink({ ...other, bulk: await newHub([LOOPBACK]) }, far, EVENTS)
  stack.defer(() => {
    seeder.close()
    getter.close()
  })
  seeder.open()
  getter.open()
  return {
    seeder,
    getter,
    blob: node.blob,
    proxy,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const LOOPBACK = '/ip4/127.0.0.1/tcp/1'
const EVENTS = { onReady() {}, onPeers() {}, onClosed() {} }
const NOBODY = { welcome() {} }

function bound(hub: BulkHub): BulkHub {
  return {
    offer: guest => hub.offer(guest),
    revoke: guest => hub.revoke(guest),
    start: () => hub.start(),
    stop: () => hub.stop(),
  }
}

interface End extends Channel {
  take(bytes: Uint8Array): void
  end(): void
}

function channelPair(): readonly [Channel, Channel] {
  const near: End = createEnd('seeder', true, () => far)
  const far: End = createEnd('getter', false, () => near)
  return [
    { ...near, peerId: 'getter' },
    { ...far, peerId: 'seeder' },
  ]
}

function createEnd(peerId: string, openedByUs: boolean, other: () => End): End {
  let onBytes: (bytes: Uint8Array) => void = () => {}
  let onClose: () => void = () => {}
  let isClosed = false
  const end = (): void => {
    if (isClosed) return
    isClosed = true
    onClose()
  }
  return {
    peerId,
    address: '/ip4/127.0.0.1/tcp/1',
    openedByUs,
    async send(bytes) {
      const copy = Uint8Array.from(bytes)
      await new Promise(resolve => setImmediate(resolve))
      other().take(copy)
    },
    receive(take, close) {
      onBytes = take
      onClose = close
    },
    take: bytes => {
      if (!isClosed) onBytes(bytes)
    },
    pause() {},
    resume() {},
    close() {
      end()
      other().end()
    },
    end,
  }
}
