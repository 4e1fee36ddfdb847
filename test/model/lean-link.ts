/**
 * A link of a crowd: the real server of requests at each end, with messages passed as values instead of bytes. What a
 * message would weigh on the wire is counted; nothing is encoded, so ten thousand nodes fit into one process.
 */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import {
  DATA_BYTES_MAX,
  PROGRESS_BYTES,
  PROGRESS_INTERVAL_MS,
  REQUESTS_PER_PEER_MAX,
  SERVE_CHUNK_BYTES,
} from '../../swarm/limits.ts'
import type { Carrier } from '../../swarm/peers/carrier.ts'
import { type PeerPieces, piecesOf } from '../../swarm/peers/holding.ts'
import type { Answer, OpenRequestOptions } from '../../swarm/peers/requests.ts'
import { PeerServer, type ServerDeps } from '../../swarm/peers/server.ts'
import type { HeldBlob } from '../../swarm/ports.ts'
import type { PeerSource } from '../../swarm/transfer/sources.ts'
import type { Message } from '../../swarm/wire.ts'
import type { ModelBlob } from './blob.ts'
import type { Pipe } from './wires.ts'

/** What a message weighs beside its data and lists: length, kind, ids, digest, and the headers of a packet. */
const MESSAGE_BYTES = 100

interface OpenRequest {
  readonly length: number
  /** What the answer is when all of it has come. */
  readonly answer: Uint8Array
  readonly onBytes: (count: number) => void
  readonly settle: (answer: Answer) => void
  received: number
  reported: number
  reportedAtMs: number
}

interface Watch {
  readonly pieceCount: number
  readonly onChange: (pieces: PeerPieces) => void
}

export class LeanLink implements PeerSource {
  readonly peerId: string
  readonly requestsMax = REQUESTS_PER_PEER_MAX
  readonly scope = 'wan'
  readonly #clock: Clock
  readonly #blob: ModelBlob
  readonly #out: Pipe
  readonly #carrier: Carrier
  readonly #server: PeerServer
  readonly #requests = new Map<number, OpenRequest>()
  readonly #onClose: (link: LeanLink) => void
  #watch: Watch | undefined
  #nextId = 1
  #strayBytes = 0
  #isClosed = false
  /** The other end; set once, right after both were made. */
  far: LeanLink | undefined

  constructor(
    deps: ServerDeps,
    { peerId, blob, out }: { peerId: string; blob: ModelBlob; out: Pipe },
    onClose: (link: LeanLink) => void,
  ) {
    this.peerId = peerId
    this.#clock = deps.clock
    this.#blob = blob
    this.#out = out
    this.#onClose = onClose
    this.#carrier = {
      chunkBytes: SERVE_CHUNK_BYTES,
      dataBytes: DATA_BYTES_MAX,
      post: message => this.#post(message),
      sendData: (id, offset, _buffer, _at, length) =>
        this.#out.send(MESSAGE_BYTES + length, () => this.far?.handleData(id, offset, length)),
      async flushed() {},
      pause() {},
      resume() {},
      close: () => this.close(),
    }
    this.#server = new PeerServer(deps, {
      peerId,
      scope: 'wan',
      post: message => this.#post(message),
    })
  }

  get servedBytes(): number {
    return this.#server.servedBytes
  }

  get strayBytes(): number {
    return this.#strayBytes
  }

  watch(digest: Digest, pieceCount: number, onChange: Watch['onChange']): () => void {
    this.#watch = { pieceCount, onChange }
    this.askAgain(digest)
    return () => {
      this.#watch = undefined
    }
  }

  asksFor(digest: Digest): boolean {
    return this.#server.isAsked(digest)
  }

  askAgain(digest: Digest): void {
    this.#post({ kind: 'who-has', digests: [digest] })
  }

  request(
    range: { readonly digest: Digest; readonly offset: number; readonly length: number },
    options: OpenRequestOptions,
  ): Promise<Answer> {
    const answer = this.#blob.bytes.subarray(range.offset, range.offset + range.length)
    return this.#open(answer, id => ({ kind: 'request', id, ...range }), options)
  }

  requestLayer(digest: Digest, length: number, options: OpenRequestOptions): Promise<Answer> {
    const answer = this.#blob.layer.subarray(0, length)
    return this.#open(answer, id => ({ kind: 'layer', id, digest }), options)
  }

  notify(blob: HeldBlob, pieceIndexes: readonly number[]): void {
    this.#server.notify(blob, pieceIndexes)
  }

  /** Both ends learn of it. */
  close(): void {
    this.end()
    this.far?.end()
  }

  private end(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#out.close()
    for (const request of [...this.#requests.values()]) request.settle({ kind: 'left' })
    this.#server.close()
    this.#onClose(this)
  }

  /** As the table of requests does it, see `swarm/peers/requests.ts`. */
  #open(
    answer: Uint8Array,
    message: (id: number) => Message,
    { signal, onBytes = () => {} }: OpenRequestOptions,
  ): Promise<Answer> {
    if (this.#isClosed) return Promise.resolve({ kind: 'left' })
    if (signal.aborted) return Promise.resolve({ kind: 'cancelled' })
    const id = this.#nextId
    this.#nextId += 1
    return new Promise(resolve => {
      const cancel = (): void => {
        this.#post({ kind: 'cancel', id })
        settle({ kind: 'cancelled' })
      }
      const settle = (settled: Answer): void => {
        this.#requests.delete(id)
        signal.removeEventListener('abort', cancel)
        resolve(settled)
      }
      signal.addEventListener('abort', cancel, { once: true })
      const { byteLength: length } = answer
      const reportedAtMs = this.#clock.monotonicMs()
      const open = { length, answer, onBytes, settle, received: 0, reported: 0, reportedAtMs }
      this.#requests.set(id, open)
      this.#post(message(id))
    })
  }

  #post(message: Message): void {
    const arrive = (): void => this.far?.handle(message)
    this.#out.send(weightOf(message), arrive, true).catch(() => {
      /* The connection was closed; both ends have been told. */
    })
  }

  private handle(message: Message): void {
    if (this.#isClosed) return
    switch (message.kind) {
      case 'who-has':
        this.#server.handleWhoHas(message.digests)
        break
      case 'have':
        this.#handleHave(message)
        break
      case 'request':
        this.#server.handleRequest(message, this.#carrier)
        break
      case 'layer':
        this.#server.handleLayer(message, this.#carrier)
        break
      case 'reject': {
        const { id, reason, retryAfterMs } = message
        this.#requests.get(id)?.settle({ kind: 'rejected', reason, retryAfterMs })
        break
      }
      case 'cancel':
        this.#server.handleCancel(message.id, this.#carrier)
        break
      case 'hello':
      case 'bulk':
      case 'peers':
        break
    }
  }

  #handleHave(message: Message & { kind: 'have' }): void {
    if (this.#watch === undefined) return
    const { pieceCount: expected, onChange } = this.#watch
    onChange(piecesOf(message.holding, { pieceCount: message.pieceCount, expected }))
  }

  private handleData(id: number, offset: number, length: number): void {
    const request = this.#requests.get(id)
    if (request === undefined) {
      this.#strayBytes += length
      return
    }
    if (offset !== request.received) {
      throw new Error(`the answer of ${this.peerId} stands at ${request.received}, not ${offset}`)
    }
    request.received += length
    this.#report(request)
    if (request.received < request.length) return
    request.settle({ kind: 'bytes', bytes: request.answer })
  }

  #report(request: OpenRequest): void {
    const nowMs = this.#clock.monotonicMs()
    const fresh = request.received - request.reported
    const isWhole = request.received === request.length
    const isDue = fresh >= PROGRESS_BYTES || nowMs - request.reportedAtMs >= PROGRESS_INTERVAL_MS
    if (!isWhole && !isDue) return
    request.reported = request.received
    request.reportedAtMs = nowMs
    request.onBytes(fresh)
  }
}

function weightOf(message: Message): number {
  if (message.kind !== 'have') return MESSAGE_BYTES
  const { holding } = message
  if (holding.kind === 'bitfield') return MESSAGE_BYTES + holding.bits.byteLength
  return MESSAGE_BYTES + (holding.kind === 'pieces' ? 4 * holding.indexes.length : 0)
}
