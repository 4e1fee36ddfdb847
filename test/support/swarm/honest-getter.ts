/** A peer that does as it should: it asks a seed for piece after piece, comes back when told, and counts what it gets. */
import type { Digest } from '../../../src/core/digest.ts'
import { type RawBlobPeer, startRawBlobPeer } from './raw-blob-peer.ts'

export interface HonestGetter extends AsyncDisposable {
  readonly peer: RawBlobPeer
  /** Milliseconds in which so many bytes come in. */
  timeFor(bytes: number): Promise<number>
}

interface Blob {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly pieceSizeBytes: number
}

/** Requests that it has open at once. */
const PIPELINE = 8

export async function startHonestGetter(
  seedAddresses: readonly string[],
  { digest, sizeBytes, pieceSizeBytes }: Blob,
): Promise<HonestGetter> {
  const pieceCount = Math.ceil(sizeBytes / pieceSizeBytes)
  let id = 0
  let wanted: { readonly untilBytes: number; readonly done: () => void } | undefined
  const left = new Map<number, number>()
  const ask = (): void => {
    const offset = (id % pieceCount) * pieceSizeBytes
    const length = Math.min(pieceSizeBytes, sizeBytes - offset)
    left.set(id, length)
    void peer.say({ kind: 'request', id, digest, offset, length })
    id += 1
  }
  const peer = await startRawBlobPeer({
    onMessage(message) {
      if (message.kind === 'reject') {
        left.delete(message.id)
        setTimeout(ask, message.retryAfterMs)
      }
      return undefined
    },
    onData(each, count) {
      const rest = (left.get(each) ?? 0) - count
      left.set(each, rest)
      if (wanted !== undefined && peer.receivedBytes >= wanted.untilBytes) wanted.done()
      if (rest > 0) return
      left.delete(each)
      ask()
    },
  })
  await peer.dial(seedAddresses)
  for (let n = 0; n < PIPELINE; n += 1) ask()
  return {
    peer,
    async timeFor(bytes) {
      const startMs = performance.now()
      const { promise, resolve } = Promise.withResolvers<void>()
      wanted = { untilBytes: peer.receivedBytes + bytes, done: resolve }
      await promise
      return performance.now() - startMs
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  }
}
