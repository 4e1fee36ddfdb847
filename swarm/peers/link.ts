/** The conversation with one peer over its channel: HELLO, then requests in both directions. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import { FrameReader, type Landing } from '../frame-reader.ts'
import {
  DATA_BYTES_MAX,
  HELLO_TIMEOUT_MS,
  REQUESTS_PER_PEER_MAX,
  UNANSWERED_MS,
} from '../limits.ts'
import { malformed } from '../message-reader.ts'
import type { Channel } from '../network.ts'
import type { HeldBlob } from '../ports.ts'
import { type Scope, scopeOf } from '../scope.ts'
import { dataCost, messageCost } from '../serving/message-cost.ts'
import { decodeMessage, type Exchange, type Message, WIRE_VERSION } from '../wire.ts'
import { type BulkDeps, BulkSide } from './bulk-side.ts'
import { type Carrier, createStreamCarrier } from './carrier.ts'
import { type PeerPieces, piecesOf } from './holding.ts'
import { Reading } from './reading.ts'
import { type Answer, type OpenRequestOptions, RequestTable } from './requests.ts'
import { PeerServer, type ServerDeps } from './server.ts'
import type { NoteStreamBytes } from './young-garbage.ts'

export interface LinkDeps extends ServerDeps, BulkDeps {
  readonly clock: Clock
  /** Told what goes over libp2p streams. */
  readonly noteStreamBytes?: NoteStreamBytes
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
  readonly scope: Scope
  readonly #deps: LinkDeps
  readonly #channel: Channel
  readonly #events: LinkEvents
  readonly #reader: FrameReader
  readonly #watched = new Map<Digest, Watch>()
  readonly #closing = new AbortController()
  readonly #stream: Carrier
  readonly #bulk: BulkSide
  readonly #requests: RequestTable
  readonly #server: PeerServer
  #requestsMax: number | undefined
  readonly #reading: Reading

  constructor(deps: LinkDeps, channel: Channel, events: LinkEvents) {
    this.#deps = deps
    this.scope = scopeOf(channel.address)
    this.#channel = channel
    this.#events = events
    this.#reading = new Reading(
      deps,
      { peerId: channel.peerId, scope: this.scope },
      this.#closing.signal,
    )
    this.#stream = createStreamCarrier(channel, deps.noteStreamBytes)
    this.#requests = new RequestTable({
      clock: deps.clock,
      memory: deps.store.memory,
      route: () => this.#bulk.carrier ?? this.#stream,
    })
    this.#server = new PeerServer(deps, {
      peerId: channel.peerId,
      scope: this.scope,
      post: message => this.#stream.post(message),
    })
    this.#bulk = new BulkSide(deps, {
      peerId: channel.peerId,
      address: channel.address,
      post: message => this.#stream.post(message),
      handle: (message, via) => {
        this.#reading.charge(messageCost(message, 0), via)
        this.#handleExchange(message, via)
      },
      land: (via, id, offset, length) => this.#land(via, id, offset, length),
      onReceived: (count, via) => this.#reading.note(count, via),
      onBroken: () => deps.report(channel.peerId, 'broke the protocol'),
      onLost: via => {
        this.#server.dropCarrier(via)
        this.#requests.reroute(via)
      },
    })
    this.#reader = new FrameReader(
      {
        onFrame: frame => this.#handleFrame(frame),
        onData: (id, offset, length) => this.#land(this.#stream, id, offset, length),
      },
      DATA_BYTES_MAX,
    )
  }

  /** Says HELLO and starts to read. */
  open(): void {
    this.#stream.post({ kind: 'hello', version: WIRE_VERSION, requestsMax: REQUESTS_PER_PEER_MAX })
    this.#channel.receive(
      bytes => this.#receive(bytes),
      () => this.#end(),
    )
    this.#deps.clock.sleep(HELLO_TIMEOUT_MS, this.#closing.signal).then(
      () => {
        if (this.#requestsMax !== undefined) return
        this.#channel.close()
        this.#deps.report(this.peerId, 'silent')
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

  get openedByUs(): boolean {
    return this.#channel.openedByUs
  }

  /** Requests that the peer accepts at once. */
  get requestsMax(): number {
    return this.#requestsMax ?? 1
  }

  get receivedBytes(): number {
    return this.#reading.receivedBytes
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
    this.#stream.post({ kind: 'who-has', digests: [digest] })
  }

  /** What came of answers that had been taken back. */
  get strayBytes(): number {
    return this.#requests.strayBytes
  }

  /** True when the peer asked who has the blob: it fetches it, or did. */
  asksFor(digest: Digest): boolean {
    return this.#server.isAsked(digest)
  }

  /** Never rejects. */
  request(
    range: { readonly digest: Digest; readonly offset: number; readonly length: number },
    options: OpenRequestOptions,
  ): Promise<Answer> {
    this.#bulk.want()
    return this.#judge(this.#requests.open({ kind: 'request', ...range }, options))
  }

  /** A peer is only asked for what it says it has. */
  async #judge(asking: Promise<Answer>): Promise<Answer> {
    const since = { ms: this.#deps.clock.monotonicMs(), receivedBytes: this.receivedBytes }
    const answer = await asking
    if (answer.kind === 'rejected' && answer.reason === 'not-found') {
      this.#deps.report(this.peerId, 'broken promise')
    }
    const tookMs = this.#deps.clock.monotonicMs() - since.ms
    const isSilent = this.receivedBytes === since.receivedBytes && tookMs >= UNANSWERED_MS
    if (answer.kind === 'cancelled' && isSilent) this.#deps.report(this.peerId, 'unanswered')
    return answer
  }

  /** The piece layer of a blob, `length` bytes. Never rejects. */
  requestLayer(digest: Digest, length: number, options: OpenRequestOptions): Promise<Answer> {
    return this.#requests.open({ kind: 'layer', digest, length }, options)
  }

  /** Says again what is held of everything that the peer asked about. */
  tellHoldings(): void {
    this.#server.tellHoldings()
  }

  notify(blob: HeldBlob, pieceIndexes: readonly number[]): void {
    this.#server.notify(blob, pieceIndexes)
  }

  close(): void {
    this.#channel.close()
  }

  #receive(bytes: Uint8Array): void {
    this.#deps.noteStreamBytes?.(bytes.byteLength)
    try {
      this.#reader.push(bytes)
    } catch (error) {
      const peer = this.peerId
      this.#deps.log.debug('peer broke the protocol', { peer, reason: messageOf(error) })
      this.#channel.close()
      this.#deps.report(peer, 'broke the protocol')
      return
    }
    this.#reading.note(bytes.byteLength, this.#stream)
  }

  #handleFrame(frame: Uint8Array): void {
    const message = decodeMessage(frame)
    if (this.#requestsMax === undefined && message?.kind !== 'hello') {
      throw malformed('no HELLO first')
    }
    if (message === undefined) this.#reading.charge(1, this.#stream)
    else {
      this.#reading.charge(messageCost(message, frame.byteLength), this.#stream)
      this.#handle(message)
    }
  }

  #land(via: Carrier, id: number, offset: number, length: number): Landing {
    this.#reading.charge(dataCost(length), via)
    return this.#requests.land(via, id, offset, length)
  }

  #handle(message: Message): void {
    switch (message.kind) {
      case 'hello':
        if (this.#requestsMax !== undefined) throw malformed('a second HELLO')
        this.#requestsMax = Math.min(Math.max(message.requestsMax, 1), REQUESTS_PER_PEER_MAX)
        this.#events.onReady(this)
        void this.#bulk.start()
        break
      case 'who-has':
        this.#server.handleWhoHas(message.digests)
        break
      case 'have':
        this.#handleHave(message)
        break
      case 'bulk':
        this.#bulk.handleOffer(message)
        break
      case 'request':
      case 'layer':
      case 'reject':
      case 'cancel':
        this.#handleExchange(message, this.#stream)
        break
    }
  }

  #handleExchange(message: Exchange, via: Carrier): void {
    switch (message.kind) {
      case 'request':
        this.#server.handleRequest(message, via)
        break
      case 'layer':
        this.#server.handleLayer(message, via)
        break
      case 'reject':
        this.#requests.handleReject(via, message)
        break
      case 'cancel':
        this.#server.handleCancel(message.id, via)
        break
    }
  }

  #handleHave(message: Message & { kind: 'have' }): void {
    const watch = this.#watched.get(message.digest)
    if (watch === undefined) return
    const said = { pieceCount: message.pieceCount, expected: watch.pieceCount }
    const pieces = piecesOf(message.holding, said)
    if (pieces !== 'none') this.#bulk.want()
    watch.onChange(pieces)
  }

  #end(): void {
    this.#closing.abort(new Error('the connection is closed'))
    this.#bulk.close()
    this.#requests.closeAll()
    this.#server.close()
    this.#events.onClosed(this)
  }
}
