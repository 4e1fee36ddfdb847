/**
 * A libp2p stream as a `Channel`. js-libp2p 3.3: `onDrain()` resolves early after its first use and `for await` reads
 * without backpressure, so this waits for the `drain` event itself and reads by `message` events with pause and resume.
 */
import type { Connection, Stream } from '@libp2p/interface'
import { SwarmError } from '../errors.ts'
import type { Channel } from '../network.ts'

/** Behind the pause the peer can still fill its window; above this the stream is reset by libp2p. */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024
export const STREAM_BUFFER_BYTES_MAX = 8 * 1024 * 1024

export function createChannel(stream: Stream, connection: Connection): Channel {
  stream.maxReadBufferLength = STREAM_BUFFER_BYTES_MAX
  const peerId = connection.remotePeer.toString()
  const left = (): SwarmError => new SwarmError('PEER_LEFT', `peer ${peerId} closed the connection`)
  return {
    peerId,
    address: connection.remoteAddr.toString(),
    openedByUs: stream.direction === 'outbound',
    async send(bytes) {
      if (stream.status !== 'open' || stream.writeStatus !== 'writable') throw left()
      if (!stream.send(bytes)) await nextDrain(stream, left)
    },
    receive(onBytes, onClose) {
      let isClosed = false
      const closeOnce = (): void => {
        if (isClosed) return
        isClosed = true
        if (stream.status === 'open') stream.abort(left())
        onClose()
      }
      stream.addEventListener('message', ({ data }) => {
        // A list is what came in as it came in; joining it would copy every byte.
        for (const part of data instanceof Uint8Array ? [data] : data) onBytes(part)
      })
      stream.addEventListener('close', closeOnce)
      stream.addEventListener('remoteCloseWrite', closeOnce)
      if (stream.status !== 'open') closeOnce()
    },
    pause() {
      if (stream.readStatus === 'readable') stream.pause()
    },
    resume() {
      if (stream.readStatus === 'paused') stream.resume()
    },
    close() {
      stream.abort(left())
    },
  }
}

function nextDrain(stream: Stream, left: () => SwarmError): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
      settle()
    }
    const onDrain = (): void => finish(resolve)
    const onClose = (): void => finish(() => reject(left()))
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
    if (stream.status !== 'open') onClose()
    else if (!stream.writableNeedsDrain) onDrain()
  })
}
