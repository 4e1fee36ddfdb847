/** The conversation with one peer over its channel: HELLO, then requests in both directions. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { PeersMessage } from '../discovery/peers-message.ts'
import { FrameReader, type Landing } from '../frame-reader.ts'
import {
  DATA_BYTES_MAX,
  HELLO_TIMEOUT_MS,
  REQUESTS_PER_PEER_MAX,
  STREAM_BYTES_WHILE_DIALLING,
} from '../limits.ts'
import { malformed } from '../message-reader.ts'
import type { Channel, FoundPeer } from '../network.ts'
import type { HeldBlob } from '../ports.ts'
import { type Scope, scopeOf } from '../scope.ts'
import { dataCost, messageCost } from '../serving/message-cost.ts'
import { decodeMessage, type Message, WIRE_VERSION } from '../wire.ts'
import { type BulkDeps, BulkSide } from './bulk-side.ts'
import { type Carrier, createStreamCarrier } from './carrier.ts'
import { handleExchange, offenceOf } from './exchange.ts'
import { Reading } from './reading.ts'
import { type Answer, type OpenRequestOptions, RequestTable } from './requests.ts'
import { PeerServer, type ServerDeps } from './server.ts'
import { createWatches, type OnHolding } from './watches.ts'

export interface LinkDeps extends ServerDeps, BulkDeps {
  readonly clock: Clock
}

/** A node that stops has this long to tell it, and is back after a restart. */
const CLOSE_TIMEOUT_MS = 500
const CLOSE_RETRY_MS = 30_000

export interface LinkEvents {
  /** After HELLO. */
  onReady(link: PeerLink): void
  onPeers(link: PeerLink, message: PeersMessage): void
  /** Once at the end, also when HELLO never came. */
  onClosed(link: PeerLink): void
}

export class PeerLink {
  readonly peerId: string
  readonly address: string
  readonly openedByUs: boolean
  readonly scope: Scope
  readonly #deps: LinkDeps
  readonly #channel: Channel
  readonly #events: LinkEvents
  readonly #reader: FrameReader
  readonly #watches = createWatches()
  readonly #closing = new AbortController()
  readonly #stream: Carrier
  readonly #bulk: BulkSide
  readonly #requests: RequestTable
  readonly #server: PeerServer
  #requestsMax: number | undefined
  readonly #reading: Reading
  #receivedBulkBytes = 0

  constructor(deps: LinkDeps, channel: Channel, events: LinkEvents) {
    const { peerId, address, openedByUs } = channel
    const scope = scopeOf(address)
    this.peerId = peerId
    this.address = address
    this.openedByUs = openedByUs
    this.scope = scope
    this.#deps = deps
    this.#channel = channel
    this.#events = events
    this.#reading = new Reading(deps, { peerId, scope }, this.#closing.signal)
    this.#stream = createStreamCarrier(channel)
    const post = (message: Message): void => this.#stream.post(message)
    this.#requests = new RequestTable({
      clock: deps.clock,
      memory: deps.store.memory,
      route: openBytes => this.#route(openBytes),
    })
    this.#server = new PeerServer(deps, { peerId, scope, post })
    this.#bulk = new BulkSide(deps, {
      ...{ peerId, address, post },
      handle: (message, via) => {
        this.#reading.charge(messageCost(message, 0), via)
        handleExchange(message, via, this.#server, this.#requests)
      },
      land: (via, id, offset, length) => this.#land(via, id, offset, length),
      onReceived: (count, via) => {
        this.#receivedBulkBytes += count
        this.#reading.note(count, via)
      },
      owes: via => this.#requests.owes(via),
      onRoute: () => this.#requests.askWaiting(),
      onBroken: () => deps.report(peerId, 'broke the protocol'),
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

  /** Requests that the peer accepts at once. */
  get requestsMax(): number {
    return this.#requestsMax ?? 1
  }

  get receivedBytes(): number {
    return this.#reading.receivedBytes
  }

  /** Of these, over a bulk channel. */
  get receivedBulkBytes(): number {
    return this.#receivedBulkBytes
  }

  get servedBytes(): number {
    return this.#server.servedBytes
  }

  /** Asks what the peer holds and calls `onChange` with the answer and with every later change, until undone. */
  watch(digest: Digest, pieceCount: number, onChange: OnHolding): () => void {
    const undo = this.#watches.add(digest, pieceCount, onChange)
    this.askAgain(digest)
    return undo
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

  sharesIn(digest: Digest): boolean {
    return this.#watches.holds(digest) || this.asksFor(digest)
  }

  askPeers(release: Digest): void {
    this.askAgain(release)
    this.#stream.post({ kind: 'peers', release })
  }

  tellPeers(release: Digest, peers: readonly FoundPeer[]): void {
    this.#stream.post({ kind: 'peers', release, peers })
  }

  /** Never rejects. */
  request(
    range: { readonly digest: Digest; readonly offset: number; readonly length: number },
    options: OpenRequestOptions,
  ): Promise<Answer> {
    this.#bulk.want()
    return this.#judge(this.#requests.open({ kind: 'request', ...range }, options))
  }

  async #judge(asking: Promise<Answer>): Promise<Answer> {
    const since = { ms: this.#deps.clock.monotonicMs(), receivedBytes: this.receivedBytes }
    const answer = await asking
    const offence = offenceOf(answer, {
      receivedBytes: this.receivedBytes - since.receivedBytes,
      tookMs: this.#deps.clock.monotonicMs() - since.ms,
    })
    if (offence !== undefined) this.#deps.report(this.peerId, offence)
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

  /** Rejects what the peer still waits for, then closes. */
  async closeGently(): Promise<void> {
    const late = this.#deps.clock.sleep(CLOSE_TIMEOUT_MS, this.#closing.signal).catch(() => {
      // The peer closed the link first.
    })
    await Promise.race([this.#server.end(CLOSE_RETRY_MS), late])
    this.close()
  }

  /** While the bulk channel opens, the stream is kept busy and not filled: a byte there costs three times as much. */
  #route(openBytes: number): Carrier | undefined {
    const hasEnough = openBytes >= STREAM_BYTES_WHILE_DIALLING
    return this.#bulk.carrier ?? (this.#bulk.isOpening && hasEnough ? undefined : this.#stream)
  }

  #receive(bytes: Uint8Array): void {
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
        if (this.#watches.note(message)) this.#bulk.want()
        break
      case 'bulk':
        this.#bulk.handleOffer(message)
        break
      case 'peers':
        this.#events.onPeers(this, message)
        break
      case 'request':
      case 'layer':
      case 'reject':
      case 'cancel':
        handleExchange(message, this.#stream, this.#server, this.#requests)
        break
    }
  }

  #end(): void {
    this.#closing.abort(new Error('the connection is closed'))
    this.#bulk.close()
    this.#requests.closeAll()
    this.#server.close()
    this.#events.onClosed(this)
  }
}
