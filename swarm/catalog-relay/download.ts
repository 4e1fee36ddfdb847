/** One catalog file on its way from a peer: bounded in bytes, in idle time, and by a lowest rate. */
import type { Clock } from '../../src/core/clock.ts'
import { SwarmError } from '../errors.ts'
import { RELAY_BYTES_PER_SECOND_MIN, RELAY_IDLE_TIMEOUT_MS } from '../limits.ts'
import type { RejectReason } from '../wire.ts'

interface Part {
  readonly sizeBytes: number
  readonly offset: number
  readonly bytes: Uint8Array
}

export class Download {
  readonly #what: string
  readonly #maxBytes: number
  readonly #clock: Clock
  readonly #result = Promise.withResolvers<Uint8Array | undefined>()
  readonly #done = new AbortController()
  readonly #startedMs: number
  readonly #parts: Uint8Array[] = []
  #receivedBytes = 0
  #lastMs: number

  constructor(what: string, maxBytes: number, clock: Clock) {
    this.#what = what
    this.#maxBytes = maxBytes
    this.#clock = clock
    this.#startedMs = clock.monotonicMs()
    this.#lastMs = this.#startedMs
  }

  /** @throws SwarmError `PEER_LEFT`, `PEER_REFUSED`; the signal's reason */
  async finished(signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const stop = (): void => this.#fail(signal?.reason)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    this.#watch().catch(() => {
      /* The download ended first. */
    })
    try {
      return await this.#result.promise
    } finally {
      this.#done.abort()
      signal?.removeEventListener('abort', stop)
    }
  }

  receive({ sizeBytes, offset, bytes }: Part): void {
    const isWrong =
      sizeBytes > this.#maxBytes ||
      offset !== this.#receivedBytes ||
      offset + bytes.byteLength > sizeBytes ||
      (bytes.byteLength === 0 && sizeBytes > 0)
    if (isWrong) {
      this.#fail(refused(`${this.#what}: an answer that was not asked for`))
      return
    }
    // The frame shares memory with what the stream reads next.
    this.#parts.push(Uint8Array.from(bytes))
    this.#receivedBytes += bytes.byteLength
    this.#lastMs = this.#clock.monotonicMs()
    if (this.#receivedBytes === sizeBytes) this.#result.resolve(Buffer.concat(this.#parts))
  }

  reject(reason: RejectReason): void {
    if (reason === 'not-found') this.#result.resolve(undefined)
    else this.#fail(refused(`${this.#what}: the peer says "${reason}"`))
  }

  leave(): void {
    this.#fail(new SwarmError('PEER_LEFT', `${this.#what}: the peer left`))
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.#clock.sleep(RELAY_IDLE_TIMEOUT_MS / 4, this.#done.signal)
      const nowMs = this.#clock.monotonicMs()
      const isIdle = nowMs - this.#lastMs >= RELAY_IDLE_TIMEOUT_MS
      const seconds = (nowMs - this.#startedMs - RELAY_IDLE_TIMEOUT_MS) / 1000
      const isSlow = this.#receivedBytes < seconds * RELAY_BYTES_PER_SECOND_MIN
      if (isIdle || isSlow) this.#fail(refused(`${this.#what}: the peer is too slow`))
    }
  }

  #fail(reason: unknown): void {
    this.#result.reject(reason)
  }
}

function refused(message: string): SwarmError {
  return new SwarmError('PEER_REFUSED', message)
}
