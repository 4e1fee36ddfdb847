/**
 * One connection to a web server, for one Range request after the other. What comes in is decrypted straight into the
 * memory of whoever asked; undici's parser and streams cost two and a half times as much (`DECISIONS.md`, 77).
 */
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { HEAD_BYTES_MAX, type Head, plainLength, readHead } from './http-head.ts'
import type { RangeIntake } from './intake.ts'

export interface RangeAsk {
  /** With the query, as it stands on the request line. */
  readonly path: string
  /** For example `bytes=0-99`. */
  readonly range: string
  readonly intake: RangeIntake
  /** Throws for an answer that is not the wanted one. */
  checkHead(head: Head): void
}

export interface Timeouts {
  readonly connectMs: number
  readonly headMs: number
  /** Between two parts of a body. */
  readonly bodyMs: number
}

/** The server answers in a way that only a whole HTTP library understands. */
export class UnusualAnswer extends Error {}

interface Answer extends RangeAsk {
  resolve(): void
  reject(error: unknown): void
  /** `undefined`: the head is still coming. */
  leftBytes: number | undefined
  isLast: boolean
}

const NOWHERE = Buffer.alloc(1)

export class RangeConnection {
  readonly #url: URL
  readonly #timeouts: Timeouts
  readonly #socket: Socket
  readonly #onClosed: (connection: RangeConnection) => void
  readonly #head = Buffer.allocUnsafeSlow(HEAD_BYTES_MAX)
  #headBytes = 0
  #answer: Answer | undefined
  /** Answers that were complete: a connection that was used before may have been closed by the server meanwhile. */
  answered = 0

  constructor(url: URL, timeouts: Timeouts, onClosed: (connection: RangeConnection) => void) {
    this.#url = url
    this.#timeouts = timeouts
    this.#onClosed = onClosed
    const onread: OnReadOpts = {
      buffer: () => this.#target(),
      callback: count => this.#received(count),
    }
    this.#socket = open(url, onread)
    this.#socket.setNoDelay(true)
    this.#socket.setTimeout(timeouts.connectMs)
    this.#socket.on('timeout', () => this.#end(new Error('the server does not answer')))
    this.#socket.on('error', error => this.#end(error))
    this.#socket.on('end', () => this.#end(new Error('the server closed the connection')))
    this.#socket.on('close', () => this.#end(new Error('the connection was closed')))
  }

  get isIdle(): boolean {
    return this.#answer === undefined && !this.#socket.destroyed
  }

  /** One at a time. Rejects with what `checkHead` or the intake threw, `UnusualAnswer`, or what the network said. */
  ask(ask: RangeAsk, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = (): void => this.#end(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    this.#answer = { ...ask, resolve, reject, leftBytes: undefined, isLast: false }
    const { host, protocol } = this.#url
    const send = (): void => {
      this.#socket.setTimeout(this.#timeouts.headMs)
      this.#socket.write(
        `GET ${ask.path} HTTP/1.1\r\nHost: ${host}\r\nRange: ${ask.range}\r\nAccept: */*\r\n\r\n`,
      )
    }
    if (this.answered > 0) send()
    else this.#socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', send)
    return promise.finally(() => signal.removeEventListener('abort', stop))
  }

  close(): void {
    this.#end(new Error('nobody needs the connection any more'))
  }

  #target(): Uint8Array {
    if (this.#socket?.destroyed) return NOWHERE
    const { leftBytes = 0, intake } = this.#answer ?? {}
    if (leftBytes > 0 && intake !== undefined) return intake.room().subarray(0, leftBytes)
    return this.#head.subarray(this.#headBytes)
  }

  /** False: nothing more is read for now. */
  #received(count: number): boolean {
    const answer = this.#answer
    if (this.#socket.destroyed) return false
    try {
      if (answer === undefined) throw new Error('the server speaks although nothing was asked')
      if (answer.leftBytes === 0) throw new Error('the server sends more than it said')
      if (answer.leftBytes !== undefined) return this.#advance(answer, answer.leftBytes, count)
      this.#headBytes += count
      return this.#readHead(answer)
    } catch (error) {
      this.#end(error)
      return false
    }
  }

  #readHead(answer: Answer): boolean {
    const found = readHead(this.#head.subarray(0, this.#headBytes))
    if (found === undefined && this.#headBytes < HEAD_BYTES_MAX) return true
    if (found === undefined || found === 'unusual') throw new UnusualAnswer('an unusual head')
    answer.checkHead(found.head)
    const length = plainLength(found.head)
    if (length === undefined) throw new UnusualAnswer('a body of unknown length')
    answer.isLast = /\bclose\b/i.test(String(found.head.headers.connection ?? ''))
    this.#socket.setTimeout(this.#timeouts.bodyMs)
    const early = Buffer.from(this.#head.subarray(found.bodyAt, this.#headBytes))
    this.#headBytes = 0
    answer.leftBytes = length
    if (length === 0) this.#complete(answer)
    return this.#copyEarly(answer, early)
  }

  /** What came in together with the head. */
  #copyEarly(answer: Answer, early: Uint8Array): boolean {
    let goesOn = true
    for (let at = 0; at < early.byteLength; ) {
      if (answer.leftBytes === undefined || answer.leftBytes === 0) {
        throw new Error('the server sends more than it said')
      }
      const room = answer.intake.room().subarray(0, answer.leftBytes)
      const part = early.subarray(at, at + room.byteLength)
      room.set(part)
      at += part.byteLength
      goesOn = this.#advance(answer, answer.leftBytes, part.byteLength) && goesOn
    }
    return goesOn
  }

  #advance(answer: Answer, leftBytes: number, count: number): boolean {
    answer.leftBytes = leftBytes - count
    const pause = answer.intake.advance(count)
    if (pause === undefined) {
      if (answer.leftBytes === 0) this.#complete(answer)
      return true
    }
    // The server is not late while we do not read.
    this.#socket.setTimeout(0)
    pause.then(
      () => this.#resume(answer),
      error => this.#end(error),
    )
    return false
  }

  #resume(answer: Answer): void {
    if (this.#socket.destroyed) return
    if (answer.leftBytes === 0) this.#complete(answer)
    else this.#socket.setTimeout(this.#timeouts.bodyMs)
    this.#socket.resume()
  }

  #complete(answer: Answer): void {
    this.#answer = undefined
    this.answered += 1
    // An idle connection is closed by the server when it wants.
    this.#socket.setTimeout(0)
    if (answer.isLast) this.close()
    answer.resolve()
  }

  #end(error: unknown): void {
    const answer = this.#answer
    this.#answer = undefined
    this.#socket.destroy()
    this.#onClosed(this)
    answer?.reject(error)
  }
}

function open({ protocol, hostname, port }: URL, onread: OnReadOpts): Socket {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'http:') return connectTcp({ host, port: Number(port || 80), onread })
  const options = { host, port: Number(port || 443), ALPNProtocols: ['http/1.1'], onread }
  return connectTls(isIP(host) === 0 ? { ...options, servername: host } : options)
}
