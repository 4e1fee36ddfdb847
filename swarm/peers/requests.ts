/** The requests that we have open at one peer, over whichever carrier, and the answers that come in for them. */
import type { Clock } from '../../src/core/clock.ts'
import type { Digest } from '../../src/core/digest.ts'
import type { Landing } from '../frame-reader.ts'
import { CANCELLED_MAX, PROGRESS_BYTES, PROGRESS_INTERVAL_MS } from '../limits.ts'
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
  /** The best way to the peer at the moment; `undefined`: a better one will be open soon, and this much is under way. */
  route(openBytes: number): Carrier | undefined
}

interface OpenRequest {
  readonly question: Question
  readonly onBytes: (count: number) => void
  settle(answer: Answer): void
  isSettled: boolean
  id: number
  /** `undefined`: not asked yet. */
  via: Carrier | undefined
  /** Of the answer, what was there when it was asked for under this id. */
  base: number
  received: number
  reported: number
  reportedAtMs: number
  bytes: Uint8Array | undefined
}

interface Late {
  readonly via: Carrier
  leftBytes: number
}

export class RequestTable {
  readonly #deps: Deps
  /** Asked and not yet answered, by id. */
  readonly #requests = new Map<number, OpenRequest>()
  /** Not yet asked. */
  readonly #waiting = new Set<OpenRequest>()
  /** What was cancelled and is not yet answered; the rest of the answer may still come. */
  readonly #cancelled = new Map<number, Late>()
  /** Into whose memory the DATA frame goes that each carrier is reading. */
  readonly #landings = new Map<Carrier, OpenRequest>()
  #lateBytes: Uint8Array | undefined
  #nextId = 1
  #strayBytes = 0
  #isClosed = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** What came although it had been taken back. */
  get strayBytes(): number {
    return this.#strayBytes
  }

  /** Asks, and resolves with the answer; never rejects. */
  open(question: Question, { signal, onBytes = () => {} }: OpenRequestOptions): Promise<Answer> {
    if (this.#isClosed) return Promise.resolve({ kind: 'left' })
    if (signal.aborted) return Promise.resolve({ kind: 'cancelled' })
    return new Promise(resolve => {
      const cancel = (): void => {
        if (request.via !== undefined) this.#cancel(request, request.via)
        request.settle({ kind: 'cancelled' })
      }
      const request: OpenRequest = {
        question,
        onBytes,
        isSettled: false,
        settle: answer => {
          request.isSettled = true
          this.#requests.delete(request.id)
          this.#waiting.delete(request)
          signal.removeEventListener('abort', cancel)
          if (answer.kind !== 'bytes') this.#giveBack(request)
          resolve(answer)
          this.askWaiting()
        },
        id: 0,
        via: undefined,
        base: 0,
        received: 0,
        reported: 0,
        reportedAtMs: this.#deps.clock.monotonicMs(),
        bytes: undefined,
      }
      signal.addEventListener('abort', cancel, { once: true })
      this.#waiting.add(request)
      this.askWaiting()
    })
  }

  #cancel({ id, question, received }: OpenRequest, via: Carrier): void {
    this.#cancelled.set(id, { via, leftBytes: question.length - received })
    const [oldest] = this.#cancelled.keys()
    if (this.#cancelled.size > CANCELLED_MAX && oldest !== undefined) this.#cancelled.delete(oldest)
    via.post({ kind: 'cancel', id })
  }

  /** True while the peer has not answered something that was cancelled: it does so at once when it is there. */
  owes(via: Carrier): boolean {
    for (const late of this.#cancelled.values()) if (late.via === via) return true
    return false
  }

  /** Asks what waits for a carrier, in order, as far as there is one. */
  askWaiting(): void {
    for (const request of this.#waiting) {
      const via = this.#isClosed ? undefined : this.#deps.route(this.#openBytes())
      if (via === undefined) return
      this.#waiting.delete(request)
      this.#ask(request, via)
    }
  }

  #openBytes(): number {
    let bytes = 0
    for (const { question, received } of this.#requests.values())
      bytes += question.length - received
    return bytes
  }

  #ask(request: OpenRequest, via: Carrier): void {
    const { question, base } = request
    request.via = via
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) % 2 ** 32
    request.id = id
    this.#requests.set(id, request)
    const { digest } = question
    if (question.kind === 'layer') via.post({ kind: 'layer', id, digest })
    else {
      const offset = question.offset + base
      via.post({ kind: 'request', id, digest, offset, length: question.length - base })
    }
  }

  /** Where the bytes of a DATA frame belong. @throws SwarmError `MESSAGE_MALFORMED` when they do not continue the answer. */
  land(via: Carrier, id: number, offset: number, length: number): Landing {
    const request = this.#requests.get(id)
    if (request === undefined || request.via !== via) return this.#landLate(via, id, length)
    const at = request.base + offset
    if (at !== request.received || at + length > request.question.length) {
      throw malformed(`data at ${at} of an answer that stands at ${request.received}`)
    }
    request.bytes ??= this.#roomFor(request.question)
    const { bytes } = request
    this.#landings.set(via, request)
    const isWanted = (): boolean => !request.isSettled && request.id === id
    return {
      room: () => (isWanted() ? bytes.subarray(request.received) : this.#lateRoom()),
      note: count => {
        if (isWanted()) this.#note(request, bytes, count)
        else this.#noteLate(id, count)
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
    if (bytes === undefined || (via && this.#landings.get(via) === request)) return
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

  #landLate(via: Carrier, id: number, length: number): Landing {
    const late = this.#cancelled.get(id)
    if (late?.via !== via || late.leftBytes < length) throw malformed('data that nobody asked for')
    return {
      room: () => this.#lateRoom(),
      note: count => this.#noteLate(id, count),
      end: () => {},
    }
  }

  #lateRoom(): Uint8Array {
    this.#lateBytes ??= Buffer.allocUnsafeSlow(LATE_ROOM_BYTES)
    return this.#lateBytes
  }

  #noteLate(id: number, count: number): void {
    this.#strayBytes += count
    const late = this.#cancelled.get(id)
    if (late === undefined) return
    late.leftBytes -= count
    if (late.leftBytes <= 0) this.#cancelled.delete(id)
  }

  handleReject(via: Carrier, { id, reason, retryAfterMs }: Message & { kind: 'reject' }): void {
    const request = this.#requests.get(id)
    if (request?.via === via) request.settle({ kind: 'rejected', reason, retryAfterMs })
    if (this.#cancelled.get(id)?.via === via) this.#cancelled.delete(id)
  }

  /** A carrier reads no more: what was asked on it is asked again on another, from the first byte that is missing. */
  reroute(lost: Carrier): void {
    this.#endLanding(lost)
    for (const [id, { via }] of this.#cancelled) if (via === lost) this.#cancelled.delete(id)
    for (const request of [...this.#requests.values()]) {
      if (request.via !== lost) continue
      this.#requests.delete(request.id)
      if (request.question.kind === 'layer') request.received = 0
      request.base = request.received
      request.reported = Math.min(request.reported, request.received)
      request.via = undefined
      this.#waiting.add(request)
    }
    this.askWaiting()
  }

  /** Every carrier reads no more. */
  closeAll(): void {
    this.#isClosed = true
    for (const via of [...this.#landings.keys()]) this.#endLanding(via)
    const open = [...this.#requests.values(), ...this.#waiting]
    for (const request of open) request.settle({ kind: 'left' })
  }
}

/** Bytes of a cancelled answer go here, one record of TLS at a time. */
const LATE_ROOM_BYTES = 16 * 1024
