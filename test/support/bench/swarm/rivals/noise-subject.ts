/**
 * A plain libp2p stream over noise and yamux, as a process that is measured; see `subject-process.ts`. The windows are
 * those of our own node, so that only what we put on top of the stream makes a difference.
 * Usage: noise-subject.ts serve|get
 */
import { noise } from '@chainsafe/libp2p-noise'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import {
  STREAM_BUFFER_BYTES_MAX,
  STREAM_WINDOW_BYTES,
} from '../../../../../swarm/libp2p/channel.ts'
import { serveAsks } from '../serve-asks.ts'

const PROTOCOL = '/bench/stream/1'
const SEND_BYTES = 64 * 1024

const node = await createLibp2p({
  addresses: { listen: process.argv[2] === 'serve' ? ['/ip4/127.0.0.1/tcp/0'] : [] },
  transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
  connectionEncrypters: [noise()],
  streamMuxers: [
    yamux({
      streamOptions: {
        maxStreamWindowSize: STREAM_WINDOW_BYTES,
        maxReadBufferLength: STREAM_BUFFER_BYTES_MAX,
      },
    }),
  ],
})

/** The first message says how many bytes are wanted. */
function serve(stream: Stream): void {
  stream.addEventListener('message', ({ data }) => {
    const wanted = Number(new TextDecoder().decode(data.subarray()))
    send(stream, wanted).catch((error: unknown) => stream.abort(error as Error))
  })
}

async function send(stream: Stream, wantedBytes: number): Promise<void> {
  const bytes = new Uint8Array(SEND_BYTES)
  for (let left = wantedBytes; left > 0; left -= SEND_BYTES) {
    if (!stream.send(bytes.subarray(0, Math.min(left, SEND_BYTES)))) await stream.onDrain()
  }
}

await node.handle(PROTOCOL, serve)

async function fetch(from: { readonly address: string; readonly sizeBytes: number }) {
  const stream = await node.dialProtocol(multiaddr(from.address), PROTOCOL)
  const startMs = performance.now()
  const done = Promise.withResolvers<void>()
  let receivedBytes = 0
  stream.addEventListener('message', ({ data }) => {
    receivedBytes += data.byteLength
    if (receivedBytes >= from.sizeBytes) done.resolve()
  })
  stream.addEventListener('close', () => done.reject(new Error('the stream closed')))
  stream.send(new TextEncoder().encode(String(from.sizeBytes)))
  await done.promise
  return { seconds: (performance.now() - startMs) / 1000 }
}

serveAsks({ address: node.getMultiaddrs()[0]?.toString() ?? '' }, { fetch }, async () =>
  node.stop(),
)
