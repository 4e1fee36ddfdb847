/** A bulk channel as a carrier of requests and answers. */
import type { TLSSocket } from 'node:tls'
import { DATA_HEAD_BYTES, writeDataHead } from '../data-head.ts'
import { SwarmError } from '../errors.ts'
import { BULK_CHUNK_BYTES, BULK_IDLE_TIMEOUT_MS, OUTBOX_BYTES_MAX } from '../limits.ts'
import type { Carrier } from '../peers/carrier.ts'
import { encodeMessage } from '../wire.ts'

/** Reading is up to the caller. The connection ends by itself when nothing moves on it for a while. */
export function createBulkCarrier(socket: TLSSocket, peerId: string): Carrier {
  socket.setTimeout(BULK_IDLE_TIMEOUT_MS, () => socket.destroy())
  return {
    chunkBytes: BULK_CHUNK_BYTES,
    dataBytes: BULK_CHUNK_BYTES,
    post(message) {
      if (socket.destroyed) return
      if (socket.writableLength > OUTBOX_BYTES_MAX) socket.destroy()
      else socket.write(encodeMessage(message))
    },
    sendData(id, offset, { frame }, at, length) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      // The head stands where the bytes before these were sent from: they were taken.
      const whole = frame.subarray(at, at + DATA_HEAD_BYTES + length)
      writeDataHead(whole, id, offset, length)
      socket.write(whole, error => {
        if (error == null) resolve()
        else {
          const message = `peer ${peerId} closed the bulk channel`
          reject(new SwarmError('PEER_LEFT', message, { cause: error }))
        }
      })
      return promise
    },
    flushed: () =>
      new Promise(resolve => {
        if (socket.destroyed) resolve()
        else socket.write('', () => resolve())
      }),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
  }
}
