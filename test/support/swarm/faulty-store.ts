/** Stores that do not give what they hold, so that their nodes become bad peers. */
import type { BlobStore } from '../../../swarm/index.ts'

/** Its node says what it holds and answers no request for a piece after the first `countMax` reads. */
export function silentStore(store: BlobStore, countMax = 0): BlobStore {
  let readCount = 0
  return withRead(store, async (...range) => {
    readCount += 1
    if (readCount > countMax) await new Promise(() => {})
    return await store.read(...range)
  })
}

function withRead(store: BlobStore, read: BlobStore['read']): BlobStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'read') return read
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
