/** The bulk channels between this node and one peer: offered, dialled when there is something to ask, and replaced. */
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../src/core/clock.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { createBulkCarrier } from '../bulk/carrier.ts'
import { dialBulk } from '../bulk/dial.ts'
import type { BulkGuest, BulkHub, BulkOffer } from '../bulk/hub.ts'
import type { Landing } from '../frame-reader.ts'
import { FrameReader } from '../frame-reader.ts'
import {
  BULK_BACKOFF_FIRST_MS,
  BULK_BACKOFF_MAX_MS,
  BULK_DATA_BYTES_MAX,
  BULK_LIVED_MS,
  BULK_RENEW_MS,
  BULK_SILENCE_MS,
  HELLO_TIMEOUT_MS,
  REQUESTS_PER_PEER_MAX,
} from '../limits.ts'
import { malformed } from '../message-reader.ts'
import { hostIn, isRelayed } from '../scope.ts'
import { decodeMessage, type Exchange, isExchange, type Message, WIRE_VERSION } from '../wire.ts'
import type { Carrier } from './carrier.ts'

export interface BulkDeps {
  readonly clock: Clock
  readonly log: Log
  /** Absent: no bulk channels, neither offered nor dialled. */
  readonly bulk?: BulkHub | undefined
}

/** The link that the channels belong to. */
interface Owner {
  readonly peerId: string
  /** Multiaddr at which the peer is reached. */
  readonly address: string
  /** Sends on the libp2p stream. */
  post(message: Message): void
  handle(message: Exchange, via: Carrier): void
  land(via: Carrier, id: number, offset: number, length: number): Landing
  onReceived(count: number, via: Carrier): void
  /** Has the peer yet to answer something that was cancelled? */
  owes(via: Carrier): boolean
  onLost(via: Carrier): void
  /** The peer sent what is not a message. */
  onBroken(): void
  /** `carrier` or `isOpening` is another one than before. */
  onRoute(): void
}

/** One open connection. */
interface Way {
  readonly carrier: Carrier
  readonly openedAtMs: number
  readonly isOurs: boolean
  /** The peer took the token, or gave a right one. */
  isReady: boolean
  receivedBytes: number
  /** It is being watched whether anything comes. */
  isProbed: boolean
}

export class BulkSide implements BulkGuest {
  readonly #deps: BulkDeps
  readonly #owner: Owner
  /** Where the peer is reached; `undefined` behind a relay, which never leads to a bulk channel. */
  readonly #host: string | undefined
  readonly #closing = new AbortController()
  readonly #ways = new Set<Way>()
  #offer: (BulkOffer & { readonly untilMs: number }) | undefined
  #dialled: Way | undefined
  #accepted: Way | undefined
  #isDialling = false
  #isWanted = false
  #strikes = 0
  #retryAtMs = 0

  constructor(deps: BulkDeps, owner: Owner) {
    this.#deps = deps
    this.#owner = owner
    this.#host = isRelayed(owner.address) ? undefined : hostIn(owner.address)
  }

  /** What to ask on. A connection of our own is cheaper to read from than one that the peer opened. */
  get carrier(): Carrier | undefined {
    return (this.#dialled ?? this.#accepted)?.carrier
  }

  /** A connection of our own will be there in a moment, or known not to come. */
  get isOpening(): boolean {
    return this.#isDialling
  }

  /** Offers the bulk channel of this node, and again before each token expires. */
  async start(): Promise<void> {
    while (this.#post(false)) {
      try {
        await this.#deps.clock.sleep(BULK_RENEW_MS, this.#closing.signal)
      } catch {
        return // The link was closed.
      }
    }
  }

  handleOffer({
    port,
    fingerprint,
    token,
    lifetimeMs,
    isWanted,
  }: Message & { kind: 'bulk' }): void {
    const untilMs = this.#deps.clock.monotonicMs() + lifetimeMs
    const isFirst = this.#offer === undefined
    this.#offer = { port, fingerprint, token, lifetimeMs, untilMs }
    // What was wanted before there was an offer failed for no other reason.
    if (isFirst) this.#retryAtMs = 0
    if (isWanted || (isFirst && this.#isWanted)) this.want()
  }

  /** There is something to ask, or soon will be: opens a channel, or asks the peer to open one. */
  want(): void {
    this.#isWanted = true
    const nowMs = this.#deps.clock.monotonicMs()
    if (this.#deps.bulk === undefined || this.#host === undefined) return
    if (this.#dialled !== undefined || this.#isDialling || nowMs < this.#retryAtMs) return
    const offer = this.#offer
    if (offer !== undefined && nowMs < offer.untilMs) void this.#dial(this.#host, offer)
    else this.#fail()
  }

  welcome(socket: TLSSocket, rest: Uint8Array): void {
    const way = this.#open(socket, false)
    const reader = this.#readerFor(() => way)
    const take = (bytes: Uint8Array): void => {
      try {
        reader.push(bytes)
        this.#note(way, bytes.byteLength)
      } catch (error) {
        this.#break(way, error)
      }
    }
    const old = this.#accepted
    this.#accepted = way
    way.isReady = true
    old?.carrier.close()
    way.carrier.post({ kind: 'hello', version: WIRE_VERSION, requestsMax: REQUESTS_PER_PEER_MAX })
    take(rest)
    socket.on('data', take)
    socket.resume()
  }

  close(): void {
    this.#closing.abort(new Error('the connection is closed'))
    this.#deps.bulk?.revoke(this)
    for (const { carrier } of this.#ways) carrier.close()
  }

  /** False when this node has no channel to offer. */
  #post(isWanted: boolean): boolean {
    if (this.#host === undefined) return false
    const offer = this.#deps.bulk?.offer(this)
    if (offer === undefined) return false
    this.#owner.post({ kind: 'bulk', ...offer, isWanted })
    return true
  }

  /** Never rejects: without a bulk channel everything goes over the libp2p stream. */
  async #dial(host: string, offer: BulkOffer): Promise<void> {
    let way: Way | undefined
    const reader = this.#readerFor(() => way)
    const intake = {
      target: () => reader.target(),
      advance: (count: number) => {
        reader.advance(count)
        if (way !== undefined) this.#note(way, count)
      },
    }
    this.#isDialling = true
    const { signal } = this.#closing
    try {
      way = this.#open(await dialBulk({ host, ...offer }, intake, signal), true)
    } catch (error) {
      const { peerId: peer } = this.#owner
      this.#deps.log.debug('bulk channel not opened', { peer, reason: messageOf(error) })
      this.#isDialling = false
      this.#fail()
      this.#owner.onRoute()
      return
    }
    await this.#deps.clock.sleep(HELLO_TIMEOUT_MS, signal).catch(() => {
      // The link was closed, and the connection with it.
    })
    if (!way.isReady) way.carrier.close()
  }

  #open(socket: TLSSocket, isOurs: boolean): Way {
    const carrier = createBulkCarrier(socket, this.#owner.peerId)
    const openedAtMs = this.#deps.clock.monotonicMs()
    const probed: Carrier = {
      ...carrier,
      post: message => {
        carrier.post(message)
        if (message.kind === 'cancel') void this.#probe(way)
      },
    }
    const way: Way = {
      carrier: probed,
      openedAtMs,
      isOurs,
      isReady: false,
      receivedBytes: 0,
      isProbed: false,
    }
    this.#ways.add(way)
    socket.once('close', () => this.#lose(way))
    if (socket.destroyed) this.#lose(way)
    return way
  }

  #readerFor(wayOf: () => Way | undefined): FrameReader {
    const readyWay = (): Way => {
      const way = wayOf()
      if (way?.isReady !== true) throw malformed('no HELLO first on a bulk channel')
      return way
    }
    return new FrameReader(
      {
        onData: (id, offset, length) => this.#owner.land(readyWay().carrier, id, offset, length),
        onFrame: frame => {
          const message = decodeMessage(frame)
          const way = wayOf()
          if (message === undefined) return
          if (message.kind === 'hello' && way?.isReady === false) this.#noteReady(way)
          else if (isExchange(message)) this.#owner.handle(message, readyWay().carrier)
          else throw malformed(`${message.kind} on a bulk channel`)
        },
      },
      BULK_DATA_BYTES_MAX,
    )
  }

  #noteReady(way: Way): void {
    way.isReady = true
    this.#isDialling = false
    this.#dialled = way
    this.#deps.log.debug('bulk channel opened', { peer: this.#owner.peerId })
    this.#owner.onRoute()
  }

  #note(way: Way, count: number): void {
    way.receivedBytes += count
    this.#owner.onReceived(count, way.carrier)
  }

  #break(way: Way, error: unknown): void {
    const { peerId: peer } = this.#owner
    this.#deps.log.debug('peer broke the protocol', { peer, reason: messageOf(error) })
    way.carrier.close()
    this.#owner.onBroken()
  }

  /** A cancelled request is answered at once: when nothing at all comes instead, nobody is there any more. */
  async #probe(way: Way): Promise<void> {
    if (way.isProbed) return
    way.isProbed = true
    while (this.#ways.has(way) && this.#owner.owes(way.carrier)) {
      const { receivedBytes } = way
      try {
        await this.#deps.clock.sleep(BULK_SILENCE_MS, this.#closing.signal)
      } catch {
        return // The link was closed.
      }
      if (way.receivedBytes === receivedBytes && this.#owner.owes(way.carrier)) way.carrier.close()
    }
    way.isProbed = false
  }

  #lose(way: Way): void {
    if (!this.#ways.delete(way)) return
    if (this.#dialled === way) this.#dialled = undefined
    if (this.#accepted === way) this.#accepted = undefined
    const livedMs = this.#deps.clock.monotonicMs() - way.openedAtMs
    if (way.isReady && livedMs >= BULK_LIVED_MS) this.#strikes = 0
    else if (way.isOurs) this.#fail()
    if (way.isOurs && !way.isReady) this.#isDialling = false
    if (!this.#closing.signal.aborted) this.#owner.onLost(way.carrier)
  }

  /** Not again for a while. Perhaps the peer can reach this node. */
  #fail(): void {
    if (this.#closing.signal.aborted) return
    const delayMs = Math.min(BULK_BACKOFF_FIRST_MS * 2 ** this.#strikes, BULK_BACKOFF_MAX_MS)
    this.#strikes += 1
    this.#retryAtMs = this.#deps.clock.monotonicMs() + delayMs
    if (this.#accepted === undefined) this.#post(true)
  }
}
