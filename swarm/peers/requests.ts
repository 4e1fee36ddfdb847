/** The requests that we have open at one peer, over whichever carrier, and the answers that come in for them. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { Landing } from '../frame-reader.ts'
import { PROGRESS_BYTES, PROGRESS_INTERVAL_MS, STRAY_BYTES_MAX } from '../limits.ts'
import { malformed } from '../message-reader.ts'
import type { PieceMemory } from '../piece-memory.ts'
import type { Message, RejectReason } from '../wire.ts'
import type { Carrier } from './carrier.ts'

export type Answer =
  /** Of a blob: in memory of the store, to be given back there. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'rejected'; readonly reason: RejectReason; readonly retryAfterMs: number }
  | { readonly kind: 'left' }
  | { readonly kind: 'cancelled' }

/** What is asked for: bytes of a blob, or its piece layer. `length`: of the whole answer. */
export type Question =
  | { readonly kind: 'request'; readonly digest: Digest; readonly offset: number; length: number }
  | { readonly kind: 'layer'; readonly digest: Digest; readonly length: number }

export interface OpenRequestOptions {
  readonly signal: AbortSignal
  /** Called as bytes of the answer arrive, not for each few. */
  readonly onBytes?: (count: number) => void
}

interface Deps {
  readonly clock: Clock
  readonly memory: PieceMemory
  /** The best way to the peer at the moment. */
  route(): Carrier
}

interface OpenRequest {
  readonly question: Question
  readonly onBytes: (count: number) => void
  settle(answer: Answer): void
  isSettled: boolean
  id: number
  via: Carrier
  /** Of the answer, what was there when it was asked for under this id. */
  base: number
  received: number
  reported: number
  reportedAtMs: number
  bytes: Uint8Array | undefined
}

export class RequestTable {
  readonly #deps: Deps
  readonly #requests = new Map<number, OpenRequest>()
  /** Into whose memory the DATA frame goes that each carrier is reading. */
  readonly #landings = new Map<Carrier, OpenRequest>()
  #strays: Uint8Array | undefined
  #nextId = 1
  #strayBytes = 0
  #isClosed = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** What came although it had been taken back, or nobody had asked for it. */
  get strayBytes(): number {
    return this.#strayBytes
  }

  /** Asks, and resolves with the answer; never rejects. */
  open(question: Question, { signal, onBytes = () => {} }: OpenRequestOptions): Promise<Answer> {
    if (this.#isClosed) return Promise.resolve({ kind: 'left' })
    if (signal.aborted) return Promise.resolve({ kind: 'cancelled' })
    return new Promise(resolve => {
      const cancel = (): void => {
        request.via.post({ kind: 'cancel', id: request.id })
        request.settle({ kind: 'cancelled' })
      }
      const request: OpenRequest = {
        question,
        onBytes,
        isSettled: false,
        settle: answer => {
          request.isSettled = true
          this.#requests.delete(request.id)
          signal.removeEventListener('abort', cancel)
          if (answer.kind !== 'bytes') this.#giveBack(request)
          resolve(answer)
        },
        id: 0,
        via: this.#deps.route(),
        base: 0,
        received: 0,
        reported: 0,
        reportedAtMs: this.#deps.clock.monotonicMs(),
        bytes: undefined,
      }
      signal.addEventListener('abort', cancel, { once: true })
      this.#ask(request)
    })
  }

  #ask(request: OpenRequest): void {
    const { question, base } = request
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) % 2 ** 32
    request.id = id
    this.#requests.set(id, request)
    const { digest } = question
    if (question.kind === 'layer') request.via.post({ kind: 'layer', id, digest })
    else {
      const offset = question.offset + base
      request.via.post({ kind: 'request', id, digest, offset, length: question.length - base })
    }
  }

  /** Where the bytes of a DATA frame belong. @throws SwarmError `MESSAGE_MALFORMED` when they do not continue the answer. */
  land(via: Carrier, id: number, offset: number, length: number): Landing {
    const request = this.#requests.get(id)
    if (request === undefined || request.via !== via) return this.#stray(length)
    const at = request.base + offset
    if (at !== request.received || at + length > request.question.length) {
      throw malformed(`data at ${at} of an answer that stands at ${request.received}`)
    }
    request.bytes ??= this.#roomFor(request.question)
    const { bytes } = request
    this.#landings.set(via, request)
    const isWanted = (): boolean => !request.isSettled && request.id === id
    return {
      room: () => (isWanted() ? bytes.subarray(request.received) : this.#strayRoom()),
      note: count => {
        if (isWanted()) this.#note(request, bytes, count)
        else this.#countStrays(count)
      },
      end: () => this.#endLanding(via),
    }
  }

  #roomFor({ kind, length }: Question): Uint8Array {
    return kind === 'request' ? this.#deps.memory.take(length) : Buffer.allocUnsafeSlow(length)
  }

  #endLanding(via: Carrier): void {
    const request = this.#landings.get(via)
    this.#landings.delete(via)
    if (request?.isSettled === true) this.#giveBack(request)
  }

  /** Unless a carrier still reads into it: then at the end of that frame, or of the carrier. */
  #giveBack(request: OpenRequest): void {
    const { bytes, question, via } = request
    if (bytes === undefined || this.#landings.get(via) === request) return
    request.bytes = undefined
    if (question.kind === 'request') this.#deps.memory.give(bytes)
  }

  #note(request: OpenRequest, bytes: Uint8Array, count: number): void {
    request.received += count
    const isWhole = request.received === request.question.length
    const fresh = request.received - request.reported
    const nowMs = this.#deps.clock.monotonicMs()
    const isDue = fresh >= PROGRESS_BYTES || nowMs - request.reportedAtMs >= PROGRESS_INTERVAL_MS
    if (isWhole || isDue) {
      request.reported = request.received
      request.reportedAtMs = nowMs
      request.onBytes(fresh)
    }
    if (!isWhole || request.isSettled) return
    request.bytes = undefined
    request.settle({ kind: 'bytes', bytes })
  }

  #stray(length: number): Landing {
    if (this.#strayBytes + length > STRAY_BYTES_MAX) throw malformed('data that nobody asked for')
    return {
      room: () => this.#strayRoom(),
      note: count => this.#countStrays(count),
      end: () => {},
    }
  }

  #strayRoom(): Uint8Array {
    this.#strays ??= Buffer.allocUnsafeSlow(STRAY_ROOM_BYTES)
    return this.#strays
  }

  #countStrays(count: number): void {
    this.#strayBytes += count
  }

  handleReject(via: Carrier, { id, reason, retryAfterMs }: Message & { kind: 'reject' }): void {
    const request = this.#requests.get(id)
    if (request?.via === via) request.settle({ kind: 'rejected', reason, retryAfterMs })
  }

  /** A carrier reads no more: what was asked on it is asked again on another, from the first byte that is missing. */
  reroute(lost: Carrier): void {
    this.#endLanding(lost)
    for (const request of [...this.#requests.values()]) {
      if (request.via !== lost) continue
      this.#requests.delete(request.id)
      if (request.question.kind === 'layer') request.received = 0
      request.base = request.received
      request.reported = Math.min(request.reported, request.received)
      request.via = this.#deps.route()
      this.#ask(request)
    }
  }

  /** Every carrier reads no more. */
  closeAll(): void {
    this.#isClosed = true
    for (const via of [...this.#landings.keys()]) this.#endLanding(via)
    for (const request of [...this.#requests.values()]) request.settle({ kind: 'left' })
  }
}

/** Bytes of a cancelled answer go here, one record of TLS at a time. */
const STRAY_ROOM_BYTES = 16 * 1024
