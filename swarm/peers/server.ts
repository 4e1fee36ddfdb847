/** Answers what one peer asks: what is held, and the bytes of blobs that may be served. */
import type { Digest } from '../../src/core/digest.ts'
import { SUBSCRIPTIONS_PER_PEER_MAX } from '../limits.ts'
import type { BlobStore, HeldBlob } from '../ports.ts'
import type { Scope } from '../scope.ts'
import { SLOT_RULES } from '../serving/slots.ts'
import type { Holding, Message } from '../wire.ts'
import { type AnswerDeps, AnswerQueue, reject } from './answers.ts'
import type { Carrier } from './carrier.ts'
import { holdingOf } from './holding.ts'

export interface ServerDeps extends AnswerDeps {
  readonly store: BlobStore
  mayServe(digest: Digest): boolean
}

interface Peer {
  readonly peerId: string
  readonly scope: Scope
  /** Queues a control message on the libp2p stream. */
  post(message: Message): void
}

const LAYER_BYTES_PER_PIECE = 32

export class PeerServer {
  readonly #deps: ServerDeps
  readonly #peer: Peer
  readonly #answers: AnswerQueue
  readonly #subscriptions = new Set<Digest>()

  constructor(deps: ServerDeps, peer: Peer) {
    this.#deps = deps
    this.#peer = peer
    this.#answers = new AnswerQueue(deps, peer)
  }

  get servedBytes(): number {
    return this.#answers.servedBytes
  }

  handleWhoHas(digests: readonly Digest[]): void {
    for (const digest of digests) {
      subscribe(this.#subscriptions, digest)
      this.#tell(digest)
    }
  }

  isAsked(digest: Digest): boolean {
    return this.#subscriptions.has(digest)
  }

  /** Says again what is held of everything that the peer asked about: the rules on it changed. */
  tellHoldings(): void {
    for (const digest of this.#subscriptions) this.#tell(digest)
  }

  #tell(digest: Digest): void {
    const blob = this.#servable(digest)
    const pieceCount = blob?.pieceCount ?? 0
    this.#peer.post({ kind: 'have', digest, pieceCount, holding: holdingOf(blob) })
  }

  /** @throws SwarmError `MESSAGE_MALFORMED` when an answer under the id is under way. */
  handleRequest({ id, digest, offset, length }: Message & { kind: 'request' }, via: Carrier): void {
    const blob = this.#servable(digest)
    if (blob === undefined) {
      this.#refuse(id, via, 'not-found')
      return
    }
    if (!isRestOfPiece(blob, offset, length)) {
      this.#refuse(id, via, 'malformed')
      return
    }
    if (!blob.hasPiece(Math.floor(offset / blob.pieceSizeBytes))) {
      this.#refuse(id, via, 'not-found')
      return
    }
    if (blob.pieceCount > 1 && !this.#hasTurn(id, via)) return
    const { store } = this.#deps
    const read = async (at: number, into: Uint8Array): Promise<boolean> => {
      await store.read(digest, offset + at, into.byteLength, into)
      return true
    }
    this.#answers.add({ id, via, digest, length, read })
  }

  /** @throws SwarmError `MESSAGE_MALFORMED` when an answer under the id is under way. */
  handleLayer({ id, digest }: Message & { kind: 'layer' }, via: Carrier): void {
    const blob = this.#servable(digest)
    if (blob === undefined || blob.pieceCount < 2) {
      this.#refuse(id, via, 'not-found')
      return
    }
    const { store } = this.#deps
    const read = async (at: number, into: Uint8Array): Promise<boolean> => {
      const bytes = (await store.pieceLayer(digest))?.subarray(at, at + into.byteLength)
      if (bytes?.byteLength !== into.byteLength) return false
      into.set(bytes)
      return true
    }
    this.#answers.add({ id, via, digest, length: blob.pieceCount * LAYER_BYTES_PER_PIECE, read })
  }

  handleCancel(id: number, via: Carrier): void {
    this.#answers.cancel(id, via)
  }

  /** Tells the peer about new pieces, when it asked about the blob. */
  notify(blob: HeldBlob, pieceIndexes: readonly number[]): void {
    const { digest, pieceCount } = blob
    if (!this.#subscriptions.has(digest) || this.#servable(digest) === undefined) return
    const holding: Holding = blob.isComplete
      ? { kind: 'all' }
      : { kind: 'pieces', indexes: pieceIndexes }
    this.#peer.post({ kind: 'have', digest, pieceCount, holding })
  }

  /** Forgets what was asked on a carrier that is gone; the peer asks again on another. */
  dropCarrier(via: Carrier): void {
    this.#answers.drop(via)
  }

  /** Serves nothing any more, and says so to whoever waits. */
  async end(retryAfterMs: number): Promise<void> {
    await this.#answers.endAll(retryAfterMs)
  }

  close(): void {
    this.#answers.close()
  }

  #refuse(id: number, via: Carrier, reason: 'not-found' | 'malformed'): void {
    reject(via, id, reason)
    const offence = reason === 'malformed' ? 'malformed request' : 'unknown blob'
    this.#deps.report(this.#peer.peerId, offence)
  }

  /** Small blobs and piece layers need none: they are what everybody begins with, and cost little. */
  #hasTurn(id: number, via: Carrier): boolean {
    const onLost = (): void => this.#answers.rejectWaiting(SLOT_RULES.retryMsMax)
    const retryAfterMs = this.#deps.serving.admit(this.#peer, onLost)
    if (retryAfterMs === 0) return true
    reject(via, id, 'limit', retryAfterMs)
    this.#answers.rejectWaiting(retryAfterMs)
    return false
  }

  /** What may not be served looks the same to a peer as what is not there. */
  #servable(digest: Digest): HeldBlob | undefined {
    const { mayServe, store, serving } = this.#deps
    const blob = mayServe(digest) ? store.held(digest) : undefined
    return blob !== undefined && serving.mayGive(blob, this.#peer.scope) ? blob : undefined
  }
}

function subscribe(subscriptions: Set<Digest>, digest: Digest): void {
  subscriptions.delete(digest)
  subscriptions.add(digest)
  if (subscriptions.size <= SUBSCRIPTIONS_PER_PEER_MAX) return
  for (const oldest of subscriptions) {
    subscriptions.delete(oldest)
    return
  }
}

/** A request is for a whole piece, or for the rest of one that was begun on another carrier; it never reaches into the next. */
function isRestOfPiece(blob: HeldBlob, offset: number, length: number): boolean {
  if (offset >= blob.sizeBytes) return false
  const nextPiece = (Math.floor(offset / blob.pieceSizeBytes) + 1) * blob.pieceSizeBytes
  return offset + length === Math.min(nextPiece, blob.sizeBytes)
}
