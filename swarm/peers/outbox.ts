/** Sends the frames of one channel, one at a time and in order. */
import { OUTBOX_BYTES_MAX } from '../limits.ts'
import type { Channel } from '../network.ts'

export interface Outbox {
  /** Queues a control message; a peer that lets too many pile up is disconnected. */
  post(frame: Uint8Array): void
  /** Resolves when the channel took the frame. @throws SwarmError `PEER_LEFT` */
  send(frame: Uint8Array): Promise<void>
  /** Resolves when the channel took everything that was queued before, or is closed. */
  idle(): Promise<void>
}

export function createOutbox(channel: Channel): Outbox {
  let tail: Promise<void> = Promise.resolve()
  let queuedBytes = 0
  const send = (frame: Uint8Array): Promise<void> => {
    queuedBytes += frame.byteLength
    const sent = tail.then(() => channel.send(frame))
    const settled = (): void => {
      queuedBytes -= frame.byteLength
    }
    tail = sent.then(settled, settled)
    return sent
  }
  return {
    send,
    idle: () => tail,
    post(frame) {
      if (queuedBytes > OUTBOX_BYTES_MAX) channel.close()
      else send(frame).catch(() => channel.close())
    },
  }
}
