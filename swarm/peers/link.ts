/** The conversation with one peer over its channel: HELLO, then requests in both directions. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import { FrameSplitter } from '../frames.ts'
import { HELLO_TIMEOUT_MS, REQUESTS_PER_PEER_MAX } from '../limits.ts'
import { malformed } from '../message-reader.ts'
import type { Channel } from '../network.ts'
import type { HeldBlob } from '../ports.ts'
import { type Scope, scopeOf } from '../scope.ts'
import type { TokenBucket } from '../token-bucket.ts'
import { decodeMessage, encodeMessage, type Message, WIRE_VERSION } from '../wire.ts'
import { type PeerPieces, piecesOf } from './holding.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import {
  type Answer,
  createRequestTable,
  type OpenRequestOptions,
  type RequestTable,
} from './requests.ts'
import { PeerServer, type ServerDeps } from './server.ts'

export interface LinkDeps extends ServerDeps {
  readonly clock: Clock
  readonly download: TokenBucket
}

export interface LinkEvents {
  /** After HELLO. */
  onReady(link: PeerLink): void
  /** Once at the end, also when HELLO never came. */
  onClosed(link: PeerLink): void
}

interface Watch {
  readonly pieceCount: number
  readonly onChange: (pieces: PeerPieces) => void
}

export class PeerLink {
  readonly #deps: LinkDeps
  readonly #channel: Channel
  readonly #events: LinkEvents
  readonly #splitter = new FrameSplitter()
  readonly #watched = new Map<Digest, Watch>()
  readonly #closing = new AbortController()
  readonly #outbox: Outbox
  readonly #requests: RequestTable
  readonly #server: PeerServer
  #requestsMax: number | undefined
  #receivedBytes = 0
  #pauses = 0

  constructor(deps: LinkDeps, channel: Channel, events: LinkEvents) {
    this.#deps = deps
    this.#channel = channel
    this.#events = events
    this.#outbox = createOutbox(channel)
    this.#requests = createRequestTable(message => this.#post(message))
    this.#server = new PeerServer(deps, {
      peerId: channel.peerId,
      post: message => this.#post(message),
      send: message => this.#outbox.send(encodeMessage(message)),
      close: () => channel.close(),
    })
  }

  /** Says HELLO and starts to read. */
  open(): void {
    this.#post({ kind: 'hello', version: WIRE_VERSION, requestsMax: REQUESTS_PER_PEER_MAX })
    this.#channel.receive(
      bytes => this.#receive(bytes),
      () => this.#end(),
    )
    this.#deps.clock.sleep(HELLO_TIMEOUT_MS, this.#closing.signal).then(
      () => {
        if (this.#requestsMax === undefined) this.#channel.close()
      },
      () => {
        /* The link was closed before. */
      },
    )
  }

  get peerId(): string {
    return this.#channel.peerId
  }

  get address(): string {
    return this.#channel.address
  }

  /** Inside the home, over the Internet, or through a relay. */
  get scope(): Scope {
    return scopeOf(this.#channel.address)
  }

  get openedByUs(): boolean {
    return this.#channel.openedByUs
  }

  /** Requests that the peer accepts at once. */
  get requestsMax(): number {
    return this.#requestsMax ?? 1
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get servedBytes(): number {
    return this.#server.servedBytes
  }

  /** Asks what the peer holds and calls `onChange` with the answer and with every later change, until undone. */
  watch(digest: Digest, pieceCount: number, onChange: (pieces: PeerPieces) => void): () => void {
    this.#watched.set(digest, { pieceCount, onChange })
    this.askAgain(digest)
    return () => this.#watched.delete(digest)
  }

  askAgain(digest: Digest): void {
    this.#post({ kind: 'who-has', digests: [digest] })
  }

  /** Never rejects. */
  request(
    range: { readonly digest: Digest; readonly offset: number; readonly length: number },
    options: OpenRequestOptions,
  ): Promise<Answer> {
    return this.#requests.open(range.length, id => ({ kind: 'request', id, ...range }), options)
  }

  /** The piece layer of a blob, `length` bytes. Never rejects. */
  requestLayer(digest: Digest, length: number, options: OpenRequestOptions): Promise<Answer> {
    return this.#requests.open(length, id => ({ kind: 'layer', id, digest }), options)
  }

  notify(blob: HeldBlob, pieceIndexes: readonly number[]): void {
    this.#server.notify(blob, pieceIndexes)
  }

  close(): void {
    this.#channel.close()
  }

  #post(message: Message): void {
    this.#outbox.post(encodeMessage(message))
  }

  #receive(bytes: Uint8Array): void {
    this.#receivedBytes += bytes.byteLength
    try {
      for (const frame of this.#splitter.push(bytes)) {
        const message = decodeMessage(frame)
        if (message !== undefined) this.#handle(message)
      }
    } catch (error) {
      const peer = this.peerId
      this.#deps.log.debug('peer broke the protocol', { peer, reason: messageOf(error) })
      this.#channel.close()
      return
    }
    const waitMs = this.#deps.download.debit(bytes.byteLength)
    if (waitMs > 0) void this.#rest(waitMs)
  }

  /** Stops reading while the download limit is overdrawn. */
  async #rest(waitMs: number): Promise<void> {
    this.#pauses += 1
    this.#channel.pause()
    try {
      await this.#deps.clock.sleep(waitMs, this.#closing.signal)
    } catch {
      /* The link was closed meanwhile. */
    }
    this.#pauses -= 1
    if (this.#pauses === 0) this.#channel.resume()
  }

  #handle(message: Message): void {
    if (this.#requestsMax === undefined && message.kind !== 'hello')
      throw malformed('no HELLO first')
    switch (message.kind) {
      case 'hello':
        if (this.#requestsMax !== undefined) throw malformed('a second HELLO')
        this.#requestsMax = Math.min(Math.max(message.requestsMax, 1), REQUESTS_PER_PEER_MAX)
        this.#events.onReady(this)
        break
      case 'who-has':
        this.#server.handleWhoHas(message.digests)
        break
      case 'have':
        this.#handleHave(message)
        break
      case 'request':
        this.#server.handleRequest(message)
        break
      case 'layer':
        this.#server.handleLayer(message)
        break
      case 'data':
        this.#requests.handleData(message)
        break
      case 'reject':
        this.#requests.handleReject(message)
        break
      case 'cancel':
        this.#server.handleCancel(message.id)
        break
    }
  }

  #handleHave(message: Message & { kind: 'have' }): void {
    const watch = this.#watched.get(message.digest)
    if (watch === undefined) return
    const said = { pieceCount: message.pieceCount, expected: watch.pieceCount }
    watch.onChange(piecesOf(message.holding, said))
  }

  #end(): void {
    this.#closing.abort(new Error('the connection is closed'))
    this.#requests.closeAll()
    this.#server.close()
    this.#events.onClosed(this)
  }
}
