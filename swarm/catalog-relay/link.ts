/** The catalog conversation over one stream: heads both ways, files on request, and pushes within a limit. */
import type { Clock } from '../../src/core/clock.ts'
import { messageOf } from '../../src/core/errors.ts'
import type { Log } from '../../src/core/log.ts'
import { SwarmError } from '../errors.ts'
import { FrameSplitter } from '../frames.ts'
import {
  RELAY_CHUNK_BYTES,
  RELAY_FILE_BYTES_MAX,
  RELAY_REQUESTS_PER_PEER_MAX,
  SERVE_STALL_TIMEOUT_MS,
} from '../limits.ts'
import { malformed } from '../message-reader.ts'
import type { Channel } from '../network.ts'
import type { FairQueue } from '../peers/fair-queue.ts'
import { createOutbox, type Outbox } from '../peers/outbox.ts'
import type { TokenBucket } from '../token-bucket.ts'
import { Download } from './download.ts'
import { decodeRelay, encodeRelay, type RelayMessage } from './messages.ts'
import { fileBytesMax } from './names.ts'
import type { Neighbour } from './neighbour.ts'
import type { CatalogMirror } from './ports.ts'

export interface RelayLinkDeps {
  readonly mirror: CatalogMirror
  readonly clock: Clock
  readonly log: Log
  /** Bounds what waits in all streams together. */
  readonly queue: FairQueue
  onClosed(link: RelayLink): void
}

type Push = Extract<RelayMessage, { kind: 'timestamp' | 'proof' }>

export class RelayLink {
  readonly neighbour: Neighbour
  readonly #deps: RelayLinkDeps
  readonly #channel: Channel
  readonly #outbox: Outbox
  readonly #splitter = new FrameSplitter()
  readonly #downloads = new Map<number, Download>()
  readonly #over = new AbortController()
  #nextId = 1

  constructor(deps: RelayLinkDeps, channel: Channel, neighbour: Neighbour) {
    this.neighbour = neighbour
    this.#deps = deps
    this.#channel = channel
    this.#outbox = createOutbox(channel)
  }

  open(): void {
    this.sayHead()
    this.#channel.receive(
      bytes => this.#receive(bytes),
      () => this.#end(),
    )
  }

  sayHead(): void {
    const head = this.#deps.mirror.head() ?? { root: 0, timestamp: 0, content: '' }
    this.neighbour.noteHeadSaid()
    this.#post({ kind: 'head', ...head })
  }

  /** Once to each peer, and within what it accepts. */
  tell(message: Push): void {
    const frame = encodeRelay(message)
    if (this.neighbour.mayTell(frame)) this.#outbox.post(frame)
  }

  close(): void {
    this.#over.abort(new SwarmError('PEER_LEFT', `peer ${this.neighbour.peerId} was disconnected`))
    this.#channel.close()
  }

  /** @throws SwarmError `PEER_LEFT`, `PEER_REFUSED` */
  async get(
    name: string,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | undefined> {
    const bound = Math.min(maxBytes, fileBytesMax(name) ?? 0)
    if (bound === 0) return undefined
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) % 2 ** 32
    const what = `${this.neighbour.peerId}: ${name}`
    const download = new Download(what, bound, this.#deps.clock)
    this.#downloads.set(id, download)
    try {
      this.#post({ kind: 'get', id, maxBytes: bound, name })
      return await download.finished(signal)
    } finally {
      this.#downloads.delete(id)
    }
  }

  #post(message: RelayMessage): void {
    this.#outbox.post(encodeRelay(message))
  }

  #receive(bytes: Uint8Array): void {
    if (this.#over.signal.aborted) return
    try {
      for (const frame of this.#splitter.push(bytes)) this.#handle(decodeRelay(frame))
    } catch (error) {
      if (!(error instanceof SwarmError)) throw error
      const { peerId } = this.neighbour
      const { message } = error
      this.#deps.log.warn('catalog peer breaks the protocol', { peer: peerId, reason: message })
      this.neighbour.lower()
      this.close()
    }
  }

  #handle(message: RelayMessage | undefined): void {
    const { mirror } = this.#deps
    const { peerId, pushes } = this.neighbour
    switch (message?.kind) {
      case 'get': {
        const { id, maxBytes, name } = message
        const bound = Math.min(maxBytes, fileBytesMax(name) ?? 0)
        this.#serve(id, bound, () => mirror.file(name))
        break
      }
      case 'get-digest': {
        const bound = Math.min(message.maxBytes, RELAY_FILE_BYTES_MAX)
        this.#serve(message.id, bound, () => mirror.fileByDigest(message.digest))
        break
      }
      case 'file':
        this.#downloadOf(message.id)?.receive(message)
        break
      case 'reject':
        this.#downloadOf(message.id)?.reject(message.reason)
        break
      case 'head': {
        pay(pushes, 'heads')
        const { kind: _, ...head } = message
        this.neighbour.head = head.timestamp === 0 ? undefined : head
        mirror.onHead(peerId, this.neighbour.head)
        break
      }
      case 'timestamp':
        pay(pushes, 'timestamps')
        this.neighbour.noteKnown(encodeRelay(message))
        mirror.onTimestamp(peerId, Buffer.from(message.bytes))
        break
      case 'proof':
        pay(pushes, 'proofs')
        this.neighbour.noteKnown(encodeRelay(message))
        mirror.onProof(peerId, Buffer.from(message.a), Buffer.from(message.b))
        break
      case undefined:
        pay(pushes, 'messages of a later version')
    }
  }

  /** Late parts of a file that nobody waits for any more are normal; a flood of them is not. */
  #downloadOf(id: number): Download | undefined {
    const download = this.#downloads.get(id)
    if (download === undefined) pay(this.neighbour.strays, 'answers without a question')
    return download
  }

  /** @throws SwarmError `MESSAGE_MALFORMED` for a peer that goes on asking beyond both bounds */
  #serve(id: number, maxBytes: number, find: () => Uint8Array | undefined): void {
    const { neighbour } = this
    const waitMs = neighbour.gets.debit(1)
    if (neighbour.serving >= RELAY_REQUESTS_PER_PEER_MAX) {
      if (waitMs > 0) throw malformed('requests beyond what is answered at once, without end')
      this.#post({ kind: 'reject', id, reason: 'limit' })
      return
    }
    neighbour.serving += 1
    this.#answer(id, maxBytes, waitMs, find)
      .catch((error: unknown) => {
        if (this.#over.signal.aborted) return
        const { log } = this.#deps
        log.debug('catalog file not given', { peer: neighbour.peerId, reason: messageOf(error) })
        this.close()
      })
      .finally(() => {
        neighbour.serving -= 1
      })
  }

  async #answer(
    id: number,
    maxBytes: number,
    waitMs: number,
    find: () => Uint8Array | undefined,
  ): Promise<void> {
    if (waitMs > 0) await this.#deps.clock.sleep(waitMs, this.#over.signal)
    const bytes = find()
    if (bytes !== undefined && bytes.byteLength <= maxBytes) await this.#send(id, bytes)
    else this.#post({ kind: 'reject', id, reason: bytes === undefined ? 'not-found' : 'limit' })
  }

  /** One chunk at a time: a peer that reads slowly holds one chunk here, however large the file. */
  async #send(id: number, bytes: Uint8Array): Promise<void> {
    const { queue } = this.#deps
    const { peerId } = this.neighbour
    const sizeBytes = bytes.byteLength
    let offset = 0
    do {
      const part = bytes.subarray(offset, offset + RELAY_CHUNK_BYTES)
      const frame = encodeRelay({ kind: 'file', id, sizeBytes, offset, bytes: part })
      await queue.acquire(peerId, frame.byteLength, this.#over.signal)
      try {
        await this.#untilTaken(this.#outbox.send(frame))
      } finally {
        queue.release(peerId, frame.byteLength)
      }
      offset += part.byteLength
    } while (offset < sizeBytes)
  }

  /** @throws SwarmError `PEER_REFUSED` when the peer does not read */
  async #untilTaken(sending: Promise<void>): Promise<void> {
    const taken = new AbortController()
    const signal = AbortSignal.any([taken.signal, this.#over.signal])
    const stalled = this.#deps.clock.sleep(SERVE_STALL_TIMEOUT_MS, signal).then(() => {
      throw new SwarmError('PEER_REFUSED', `peer ${this.neighbour.peerId} does not read`)
    })
    try {
      await Promise.race([sending, stalled])
    } finally {
      taken.abort()
    }
  }

  #end(): void {
    const { peerId } = this.neighbour
    this.#over.abort(new SwarmError('PEER_LEFT', `peer ${peerId} left`))
    for (const download of this.#downloads.values()) download.leave()
    this.#deps.onClosed(this)
  }
}

/** @throws SwarmError `MESSAGE_MALFORMED` */
function pay(bucket: TokenBucket, what: string): void {
  if (bucket.debit(1) > 0) throw malformed(`a flood of ${what}`)
}
