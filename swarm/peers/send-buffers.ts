/** Memory for bytes on their way from the store to peers, used again and again. */
import { DATA_HEAD_BYTES } from '../data-head.ts'

/** Bytes that are about to be sent, with room in front of them for the head of their frame. */
export interface SendBuffer {
  readonly frame: Buffer
  /** The part of `frame` behind the room for the head. */
  readonly bytes: Buffer
}

export interface SendBuffers {
  /** With room for at least `length` bytes. */
  take(length: number): SendBuffer
  /** What was taken and is not read or written any more. */
  give(buffer: SendBuffer): void
}

/** Buffers of `sizeBytes`, of which at most `keptMax` wait for their next use; larger ones are made for one use. */
export function createSendBuffers(sizeBytes: number, keptMax: number): SendBuffers {
  const kept: SendBuffer[] = []
  return {
    take(length) {
      return (length <= sizeBytes && kept.pop()) || createSendBuffer(Math.max(length, sizeBytes))
    },
    give(buffer) {
      if (buffer.bytes.byteLength === sizeBytes && kept.length < keptMax) kept.push(buffer)
    },
  }
}

function createSendBuffer(lengthBytes: number): SendBuffer {
  const frame = Buffer.allocUnsafeSlow(DATA_HEAD_BYTES + lengthBytes)
  return { frame, bytes: frame.subarray(DATA_HEAD_BYTES) }
}
