/** A way to one peer, its libp2p stream or its bulk channel: what is sent on it, and how much of it at a time. */
import { DATA_HEAD_BYTES, writeDataHead } from '../data-head.ts'
import { SERVE_CHUNK_BYTES, STREAM_DATA_BYTES } from '../limits.ts'
import type { Channel } from '../network.ts'
import { encodeMessage, type Message } from '../wire.ts'
import { createOutbox } from './outbox.ts'
import type { SendBuffer } from './send-buffers.ts'

export interface Carrier {
  /** Bytes that are read from the store at a time. */
  readonly chunkBytes: number
  /** Bytes of one DATA frame, of which a chunk has one or more. */
  readonly dataBytes: number
  /** Queues a control message; a peer that lets too many pile up is disconnected. */
  post(message: Message): void
  /**
   * Sends bytes `[at, at+length)` of `buffer`, at most `dataBytes`, as the bytes of an answer from `offset` on.
   * Resolves when the connection took them; the buffer may then be used again. @throws SwarmError `PEER_LEFT`
   */
  sendData(
    id: number,
    offset: number,
    buffer: SendBuffer,
    at: number,
    length: number,
  ): Promise<void>
  /** Resolves when what was queued before is with the peer's connection, or the connection is closed. */
  flushed(): Promise<void>
  /** Stops reading, more or less at once. */
  pause(): void
  resume(): void
  close(): void
}

/** The libp2p stream of a peer: the carrier that every peer has. */
export function createStreamCarrier(channel: Channel): Carrier {
  const outbox = createOutbox(channel)
  return {
    chunkBytes: SERVE_CHUNK_BYTES,
    dataBytes: STREAM_DATA_BYTES,
    post: message => outbox.post(encodeMessage(message)),
    async sendData(id, offset, { bytes }, at, length) {
      // A copy: libp2p holds what it was given for longer than until it takes more.
      const frame = Buffer.allocUnsafeSlow(DATA_HEAD_BYTES + length)
      writeDataHead(frame, id, offset, length)
      bytes.copy(frame, DATA_HEAD_BYTES, at, at + length)
      await outbox.send(frame)
    },
    flushed: () => outbox.idle(),
    pause: () => channel.pause(),
    resume: () => channel.resume(),
    close: () => channel.close(),
  }
}
