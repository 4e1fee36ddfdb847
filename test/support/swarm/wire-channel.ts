/** One end of a channel in memory: the test is the peer. What it sends is heard at once, and what it is sent is kept. */
import type { Channel } from '../../../swarm/network.ts'

export interface WireChannel extends Channel {
  /** Frames that came out of the other end, in order. */
  readonly sent: Uint8Array[]
  readonly isClosed: boolean
  /** A peer that does not read: nothing is taken from now on. */
  stall(): void
  /** Bytes from the peer. */
  push(bytes: Uint8Array): void
}

export function createWireChannel(peerId: string): WireChannel {
  const sent: Uint8Array[] = []
  let isClosed = false
  let isStalled = false
  let onBytes: (bytes: Uint8Array) => void = () => {}
  let onClose: () => void = () => {}
  return {
    peerId,
    address: 'memory',
    openedByUs: false,
    sent,
    get isClosed() {
      return isClosed
    },
    stall() {
      isStalled = true
    },
    push: bytes => onBytes(bytes),
    async send(bytes) {
      if (isStalled) await new Promise(() => {})
      sent.push(bytes)
    },
    receive(take, end) {
      onBytes = take
      onClose = end
    },
    pause() {},
    resume() {},
    close() {
      if (isClosed) return
      isClosed = true
      onClose()
    },
  }
}
