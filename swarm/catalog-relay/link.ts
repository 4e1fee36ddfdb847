/** The catalog conversation with one peer: heads both ways, files on request, and pushes within a limit. */
import type { Clock } from '../../src/core/clock.ts'
import type { Log } from '../../src/core/log.ts'
import { SwarmError } from '../errors.ts'
import { FrameSplitter } from '../frames.ts'
import {
  RELAY_CHUNK_BYTES,
  RELAY_PUSHES_PER_MINUTE_MAX,
  RELAY_REQUESTS_PER_PEER_MAX,
} from '../limits.ts'
import { malformed } from '../message-reader.ts'
import type { Channel } from '../network.ts'
import { createOutbox, type Outbox } from '../peers/outbox.ts'
import type { RejectReason } from '../wire.ts'
import { Download } from './download.ts'
import { type CatalogHead, decodeRelay, encodeRelay, type RelayMessage } from './messages.ts'
import type { CatalogMirror } from './ports.ts'

export interface RelayLinkDeps {
  readonly mirror: CatalogMirror
  readonly clock: Clock
  readonly log: Log
}

const MINUTE_MS = 60_000

export class RelayLink {
  readonly peerId: string
  readonly #deps: RelayLinkDeps
  readonly #channel: Channel
  readonly #outbox: Outbox
  readonly #splitter = new FrameSplitter()
  readonly #downloads = new Map<number, Download>()
  readonly #onClosed: (link: RelayLink) => void
  #head: CatalogHead | undefined
  #nextId = 1
  #serving = 0
  #pushes = { count: 0, sinceMs: 0 }

  constructor(deps: RelayLinkDeps, channel: Channel, onClosed: (link: RelayLink) => void) {
    this.peerId = channel.peerId
    this.#deps = deps
    this.#channel = channel
    this.#outbox = createOutbox(channel)
    this.#onClosed = onClosed
  }

  open(): void {
    this.sayHead()
    this.#channel.receive(
      bytes => this.#receive(bytes),
      () => this.#end(),
    )
  }

  /** What the peer said last. */
  get head(): CatalogHead | undefined {
    return this.#head
  }

  sayHead(): void {
    const head = this.#deps.mirror.head() ?? { root: 0, timestamp: 0, content: '' }
    this.post({ kind: 'head', ...head })
  }

  post(message: RelayMessage): void {
    this.#outbox.post(encodeRelay(message))
  }

  close(): void {
    this.#channel.close()
  }

  /** @throws SwarmError `PEER_LEFT`, `PEER_REFUSED` */
  async get(
    name: string,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | undefined> {
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) % 2 ** 32
    const download = new Download(`${this.peerId}: ${name}`, maxBytes, this.#deps.clock)
    this.#downloads.set(id, download)
    try {
      this.post({ kind: 'get', id, maxBytes, name })
      return await download.finished(signal)
    } finally {
      this.#downloads.delete(id)
    }
  }

  #receive(bytes: Uint8Array): void {
    try {
      for (const frame of this.#splitter.push(bytes)) {
        const message = decodeRelay(frame)
        if (message !== undefined) this.#handle(message)
      }
    } catch (error) {
      if (!(error instanceof SwarmError)) throw error
      this.#deps.log.warn('catalog peer breaks the protocol', {
        peer: this.peerId,
        reason: error.message,
      })
      this.close()
    }
  }

  #handle(message: RelayMessage): void {
    const { mirror } = this.#deps
    switch (message.kind) {
      case 'head': {
        this.#countPush()
        const { kind: _, ...head } = message
        this.#head = head.timestamp === 0 ? undefined : head
        mirror.onHead(this.peerId, this.#head)
        break
      }
      case 'timestamp':
        this.#countPush()
        mirror.onTimestamp(this.peerId, Buffer.from(message.bytes))
        break
      case 'proof':
        this.#countPush()
        mirror.onProof(this.peerId, Buffer.from(message.a), Buffer.from(message.b))
        break
      case 'get':
        this.#serve(message.id, message.maxBytes, () => mirror.file(message.name))
        break
      case 'get-digest':
        this.#serve(message.id, message.maxBytes, () => mirror.fileByDigest(message.digest))
        break
      case 'file':
        this.#downloads.get(message.id)?.receive(message)
        break
      case 'reject':
        this.#downloads.get(message.id)?.reject(message.reason)
        break
    }
  }

  /** @throws SwarmError `MESSAGE_MALFORMED` */
  #countPush(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - this.#pushes.sinceMs >= MINUTE_MS) this.#pushes = { count: 0, sinceMs: nowMs }
    this.#pushes.count += 1
    if (this.#pushes.count > RELAY_PUSHES_PER_MINUTE_MAX) {
      throw malformed(`more than ${RELAY_PUSHES_PER_MINUTE_MAX} heads in a minute`)
    }
  }

  #serve(id: number, maxBytes: number, find: () => Uint8Array | undefined): void {
    const refuse = (reason: RejectReason): void => this.post({ kind: 'reject', id, reason })
    const isBusy = this.#serving >= RELAY_REQUESTS_PER_PEER_MAX
    const bytes = isBusy ? undefined : find()
    if (bytes === undefined || bytes.byteLength > maxBytes) {
      refuse(bytes === undefined && !isBusy ? 'not-found' : 'limit')
      return
    }
    this.#serving += 1
    this.#send(id, bytes)
      .catch(() => this.close())
      .finally(() => {
        this.#serving -= 1
      })
  }

  /** One chunk at a time: a peer that reads slowly holds one chunk here, however large the file. */
  async #send(id: number, bytes: Uint8Array): Promise<void> {
    const sizeBytes = bytes.byteLength
    let offset = 0
    do {
      const part = bytes.subarray(offset, offset + RELAY_CHUNK_BYTES)
      await this.#outbox.send(encodeRelay({ kind: 'file', id, sizeBytes, offset, bytes: part }))
      offset += part.byteLength
    } while (offset < sizeBytes)
  }

  #end(): void {
    for (const download of this.#downloads.values()) download.leave()
    this.#onClosed(this)
  }
}
