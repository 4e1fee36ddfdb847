/** Fetches single blobs because the owner asked, and tells how far each is. */
import type { Catalog, CatalogEntry } from '../catalog/index.ts'
import type { BlobId, BlobStore, BytesBySource, Swarm } from '../swarm/index.ts'
import type { Digest } from './core/digest.ts'
import { codeOf, messageOf, NodeError } from './core/errors.ts'
import type { Servable } from './servable.ts'

class BlobError extends NodeError<'BLOB_UNKNOWN'> {}

export interface Getting extends BlobId {
  readonly state: 'fetching' | 'done' | 'failed'
  readonly heldBytes: number
  readonly bytesPerSecond: Readonly<Record<keyof BytesBySource, number>>
  /** Where the complete blob is; it is never changed. */
  readonly path?: string
  readonly error?: { readonly code: string; readonly message: string }
}

export interface BlobGetter extends AsyncDisposable {
  /** Begins, or joins what runs. @throws BlobError `BLOB_UNKNOWN` when nothing signed names it */
  get(digest: Digest): Getting
  /** @throws BlobError `BLOB_UNKNOWN` */
  current(digest: Digest): Getting
  cancel(digest: Digest): Promise<void>
}

interface Deps {
  readonly catalog: Pick<Catalog, 'offers'>
  readonly servable: Pick<Servable, 'find'>
  readonly store: Pick<BlobStore, 'verified' | 'held'>
  readonly swarm: Pick<Swarm, 'fetch' | 'status'>
}

interface Running {
  readonly abort: AbortController
  readonly ended: Promise<void>
}

/** Failures that somebody may still ask about. */
const FAILURES_KEPT_MAX = 64

export function createBlobGetter({ catalog, servable, store, swarm }: Deps): BlobGetter {
  const running = new Map<Digest, Running>()
  const failures = new Map<Digest, { code: string; message: string }>()

  /** Only what signed data names has a size that can be believed. */
  function find(digest: Digest): { readonly id: BlobId; readonly release: Digest } {
    const manifest = manifests(catalog).find(entry => entry.manifest.blake3 === digest)
    if (manifest !== undefined) {
      return { id: { digest, sizeBytes: manifest.manifest.size }, release: digest }
    }
    const named = servable.find(digest)
    if (named !== undefined) {
      return { id: { digest, sizeBytes: named.sizeBytes }, release: named.release }
    }
    const fix = 'get the manifest of its release first, or install the app'
    throw new BlobError('BLOB_UNKNOWN', `no release that is known here names ${digest}; ${fix}`)
  }

  function current(digest: Digest): Getting {
    const { id } = find(digest)
    const done = store.verified(digest)
    const idle = { peer: 0, origin: 0 }
    if (done !== undefined) {
      const heldBytes = id.sizeBytes
      return { ...id, state: 'done', heldBytes, bytesPerSecond: idle, path: done.path }
    }
    const transfer = swarm.status().transfers.find(each => each.digest === digest)
    const bytesPerSecond = { ...idle }
    for (const source of transfer?.sources ?? [])
      bytesPerSecond[source.kind] += source.bytesPerSecond
    const held = { heldBytes: transfer?.heldBytes ?? 0, bytesPerSecond }
    const error = failures.get(digest)
    if (running.has(digest) || error === undefined) return { ...id, state: 'fetching', ...held }
    return { ...id, state: 'failed', ...held, error }
  }

  function begin(digest: Digest): void {
    const { id, release } = find(digest)
    const abort = new AbortController()
    failures.delete(digest)
    const ended = swarm
      .fetch(id, { release, signal: abort.signal })
      .then(
        () => {},
        (error: unknown) => {
          if (failures.size >= FAILURES_KEPT_MAX) failures.clear()
          failures.set(digest, { code: codeOf(error) ?? 'FAILED', message: messageOf(error) })
        },
      )
      .finally(() => running.delete(digest))
    running.set(digest, { abort, ended })
  }

  async function cancel(digest: Digest): Promise<void> {
    const one = running.get(digest)
    one?.abort.abort(new Error('the owner took it back'))
    await one?.ended
  }

  return {
    get(digest) {
      if (store.verified(digest) === undefined && !running.has(digest)) begin(digest)
      return current(digest)
    },
    current,
    cancel,
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.keys()].map(cancel))
    },
  }
}

function manifests(catalog: Pick<Catalog, 'offers'>): readonly CatalogEntry[] {
  return catalog
    .offers()
    .flatMap(({ head, next, older }) => [
      head,
      ...(next === undefined ? [] : [next.entry]),
      ...older,
    ])
}
