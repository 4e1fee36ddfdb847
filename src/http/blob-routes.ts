/** The part of the control API that is about the blobs in the store. */
import type { FastifyInstance } from 'fastify'
import type { BlobStore } from '../../swarm/index.ts'

/** One blob in the store, as `archy blob list` shows it. */
export interface BlobView {
  readonly digest: string
  readonly sizeBytes: number
  readonly pieceCount: number
  readonly heldPieceCount: number
  readonly isComplete: boolean
  readonly lastUsedMs: number
}

export function addBlobRoutes(server: FastifyInstance, store: BlobStore): void {
  server.get('/v1/blobs', () => blobViews(store))
}

/** The blob that was used last comes first. */
function blobViews(store: BlobStore): readonly BlobView[] {
  return store
    .list()
    .map(({ digest, sizeBytes, pieceCount, heldPieceCount, isComplete, lastUsedMs }) => {
      return { digest, sizeBytes, pieceCount, heldPieceCount, isComplete, lastUsedMs }
    })
    .sort((a, b) => b.lastUsedMs - a.lastUsedMs)
}
