/** The requests that we have open at one peer, and the answers that come in for them. */
import { STRAY_BYTES_MAX } from '../limits.ts'
import { malformed } from '../message-reader.ts'
import type { Message, RejectReason } from '../wire.ts'

export type Answer =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly retryAfterMs: number }
  | { readonly kind: 'left' }
  | { readonly kind: 'cancelled' }

interface OpenRequest {
  readonly length: number
  readonly onBytes: (count: number) => void
  readonly settle: (answer: Answer) => void
  bytes: Uint8Array | undefined
  received: number
}

export interface OpenRequestOptions {
  readonly signal: AbortSignal
  /** Called as bytes of the answer arrive. */
  readonly onBytes?: (count: number) => void
}

export interface RequestTable {
  /** Sends what `message` makes of the new id, and resolves with the answer; never rejects. */
  open(
    length: number,
    message: (id: number) => Message,
    options: OpenRequestOptions,
  ): Promise<Answer>
  /** @throws SwarmError `MESSAGE_MALFORMED` when the data does not continue the answer. */
  handleData(message: Message & { kind: 'data' }): void
  handleReject(message: Message & { kind: 'reject' }): void
  closeAll(): void
}

export function createRequestTable(send: (message: Message) => void): RequestTable {
  const requests = new Map<number, OpenRequest>()
  let nextId = 1
  let strayBytes = 0
  let isClosed = false

  return {
    open(length, message, { signal, onBytes = () => {} }) {
      if (isClosed) return Promise.resolve({ kind: 'left' })
      if (signal.aborted) return Promise.resolve({ kind: 'cancelled' })
      const id = nextId
      nextId = (nextId + 1) % 2 ** 32
      return new Promise(resolve => {
        const cancel = (): void => {
          send({ kind: 'cancel', id })
          settle({ kind: 'cancelled' })
        }
        const settle = (answer: Answer): void => {
          requests.delete(id)
          signal.removeEventListener('abort', cancel)
          resolve(answer)
        }
        signal.addEventListener('abort', cancel, { once: true })
        requests.set(id, { length, onBytes, settle, bytes: undefined, received: 0 })
        send(message(id))
      })
    },

    handleData({ id, offset, bytes }) {
      const request = requests.get(id)
      if (request === undefined) {
        strayBytes += bytes.byteLength
        if (strayBytes > STRAY_BYTES_MAX) throw malformed('data that nobody asked for')
        return
      }
      if (offset !== request.received || offset + bytes.byteLength > request.length) {
        throw malformed(`data at ${offset} of an answer that stands at ${request.received}`)
      }
      request.bytes ??= Buffer.allocUnsafeSlow(request.length)
      request.bytes.set(bytes, offset)
      request.received += bytes.byteLength
      request.onBytes(bytes.byteLength)
      if (request.received === request.length) {
        request.settle({ kind: 'bytes', bytes: request.bytes })
      }
    },

    handleReject({ id, reason, retryAfterMs }) {
      requests.get(id)?.settle({ kind: 'rejected', reason, retryAfterMs })
    },

    closeAll() {
      isClosed = true
      for (const request of [...requests.values()]) request.settle({ kind: 'left' })
    },
  }
}
