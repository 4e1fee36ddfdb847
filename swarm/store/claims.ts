/**
 * What is in use, and what the disk still has to take: in memory, so that a process that dies leaves nothing behind.
 * Pure.
 */
import type { Digest } from '../../src/core/digest.ts'
import type { BlobId } from '../ports.ts'

export interface Claims {
  /** Keeps the blobs until it is disposed of; a second disposal does nothing. */
  lease(digests: Iterable<Digest>): Disposable
  /** Counts the blobs as if they were complete, until it is disposed of. */
  promise(ids: Iterable<BlobId>): Disposable
  isLeased(digest: Digest): boolean
  isPromised(digest: Digest): boolean
  promised(): readonly BlobId[]
}

export function createClaims(): Claims {
  const leases = createCounts<Digest>()
  const promises = createCounts<Digest>()
  const ids = new Map<Digest, BlobId>()
  return {
    lease: digests => leases.take([...digests]),
    promise(taken) {
      const list = [...taken]
      for (const id of list) ids.set(id.digest, id)
      const held = promises.take(list.map(({ digest }) => digest))
      return {
        [Symbol.dispose]() {
          held[Symbol.dispose]()
          for (const { digest } of list) if (!promises.has(digest)) ids.delete(digest)
        },
      }
    },
    isLeased: digest => leases.has(digest),
    isPromised: digest => promises.has(digest),
    promised: () => [...ids.values()],
  }
}

function createCounts<Key>() {
  const counts = new Map<Key, number>()
  return {
    has: (key: Key) => counts.has(key),
    take(keys: readonly Key[]): Disposable {
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
      let isHeld = true
      return {
        [Symbol.dispose]() {
          if (!isHeld) return
          isHeld = false
          for (const key of keys) {
            const left = (counts.get(key) ?? 0) - 1
            if (left > 0) counts.set(key, left)
            else counts.delete(key)
          }
        },
      }
    },
  }
}
